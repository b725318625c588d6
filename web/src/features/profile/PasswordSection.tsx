import { useState } from "react";
import { Button } from "@/components/Button";
import { NewPasswordForm } from "@/components/NewPasswordForm";
import { authSentence } from "@/lib/auth-error";
import { confirmUrl } from "@/lib/auth-links";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

export function PasswordSection({ email }: { email: string }) {
  const t = messages.use();
  const { supabase } = useServices();
  const [busy, setBusy] = useState(false);

  const mailLink = async () => {
    setBusy(true);
    const { error } = await supabase.auth.resetPasswordForEmail(email, { redirectTo: confirmUrl("recovery", "/app/profile") });
    setBusy(false);
    showToast(error ? { tone: "bad", text: authSentence(error) } : { tone: "good", text: t.linkMailed(email) });
  };

  return (
    <NewPasswordForm
      email={email}
      askCurrent={false}
      wide
      save={async (values) => {
        const { error } = await supabase.auth.updateUser(values);
        if (!error) showToast({ tone: "good", text: t.passwordSaved });
        return error;
      }}
      sendCode={async () => (await supabase.auth.reauthenticate()).error}
      extra={
        <Button size="sm" tone="quiet" busy={busy} onClick={() => void mailLink()} className="-ml-3">
          {t.mailLink}
        </Button>
      }
    />
  );
}
