import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { NewPasswordForm } from "@/components/NewPasswordForm";
import { ownPath } from "@/lib/auth-links";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { AuthLayout, linkClass } from "./AuthLayout";
import { messages } from "./messages";

/** After a recovery link or an invitation: the session is there, the password is chosen now. */
export function NewPasswordPage() {
  const t = messages.use();
  const { supabase } = useServices();
  const router = useRouter();
  const { to } = useSearch({ strict: false }) as { to?: string };
  const { email } = router.routesById["/signed-in/auth/new-password"].useRouteContext();
  return (
    <AuthLayout title={t.newPasswordTitle} lead={t.newPasswordLead}>
      <NewPasswordForm
        email={email}
        askCurrent={false}
        save={async (values) => {
          const { error } = await supabase.auth.updateUser(values);
          if (error) return error;
          showToast({ tone: "good", text: t.passwordSaved });
          await router.navigate({ href: ownPath(to) ?? "/app/library", replace: true });
          return null;
        }}
        sendCode={async () => (await supabase.auth.reauthenticate()).error}
        extra={
          <p className="mt-1 text-center text-sm">
            <Link to="/library" className={linkClass}>
              {t.later}
            </Link>
          </p>
        }
      />
    </AuthLayout>
  );
}
