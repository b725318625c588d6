import type { AuthError } from "@supabase/supabase-js";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { Spinner } from "@/components/Spinner";
import { keys } from "@/lib/api/queries";
import { isPassing } from "@/lib/session";
import { linkSentence, type AuthTrouble } from "@/lib/auth-error";
import { useServices } from "@/lib/services";
import { AuthLayout } from "./AuthLayout";
import { parseConfirmLink, type ConfirmLink, type LinkType } from "./confirm-link";
import { messages } from "./messages";
import { afterVerified } from "./verified";

/** Takes every link from a mail. What a link carries is spent by a press of the person, not by opening it: programs that
 *  look into mails open links as well. */
export function ConfirmPage() {
  const [link] = useState(() => parseConfirmLink(window.location.href));
  switch (link.kind) {
    case "token":
      return <PressToConfirm link={link} />;
    case "code":
      return <ExchangeCode link={link} />;
    case "half":
      return <HalfDone />;
    case "failed":
      return <BadLink type={link.type} error={{ code: link.code, message: link.message, status: 400, name: "AuthApiError" }} />;
    case "foreign":
      return <ForeignLink type={link.type} />;
    case "empty":
      return <BadLink type={link.type} error={null} />;
  }
}

type Done = { session: boolean; error: AuthError | null };

/** What happens after a mailbox has proved to be the person's. */
function useProved(link: ConfirmLink) {
  const router = useRouter();
  const client = useQueryClient();
  return async ({ session }: Done): Promise<"half" | "changed" | "gone"> => {
    if (link.type === "email_change") {
      if (!session) return "half";
      await client.invalidateQueries({ queryKey: keys.me });
      return "changed";
    }
    await router.navigate({ href: afterVerified(link.type, link.next), replace: true });
    return "gone";
  };
}

function PressToConfirm({ link }: { link: Extract<ConfirmLink, { kind: "token" }> }) {
  const t = messages.use();
  const { supabase } = useServices();
  const proved = useProved(link);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<"half" | "changed" | "gone" | null>(null);
  const [trouble, setTrouble] = useState<AuthError | null>(null);
  const present = useSignedIn();

  const press = async () => {
    setBusy(true);
    setTrouble(null);
    const { data, error } = await supabase.auth.verifyOtp({ token_hash: link.tokenHash, type: link.type });
    if (error) setTrouble(error);
    else setOutcome(await proved({ session: data.session !== null, error }));
    setBusy(false);
  };

  if (outcome === "half") return <HalfDone />;
  if (outcome === "changed") return <Changed />;
  if (trouble && !isPassing(trouble)) return <BadLink type={link.type} error={trouble} />;
  return (
    <AuthLayout title={t.confirmTitle[link.type]} lead={t.confirmLead[link.type]}>
      <div className="grid gap-4">
        {trouble && <Notice tone="bad">{linkSentence(trouble)}</Notice>}
        {present && link.type !== "email_change" && <Notice tone="warn">{t.signedInAs(present)}</Notice>}
        <Button tone="primary" busy={busy || outcome === "gone"} onClick={() => void press()} className="h-11" autoFocus>
          {t.confirmButton[link.type]}
        </Button>
        <p className="text-[13px] leading-relaxed text-ink-faint">{t.whyButton}</p>
      </div>
    </AuthLayout>
  );
}

/** The address of whoever is signed in here already. */
function useSignedIn(): string | null {
  const { supabase } = useServices();
  const [email, setEmail] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    void supabase.auth.getSession().then(({ data }) => current && setEmail(data.session?.user.email ?? null));
    return () => {
      current = false;
    };
  }, [supabase]);
  return email;
}

/** A code is good only together with what this browser kept when it asked, so nobody else can have used it up. */
function ExchangeCode({ link }: { link: Extract<ConfirmLink, { kind: "code" }> }) {
  const t = messages.use();
  const { supabase } = useServices();
  const proved = useProved(link);
  const exchange = useQuery({
    // A cache of its own for each code: it can be given once.
    queryKey: ["auth-code", link.code],
    queryFn: async () => {
      const { data, error } = await supabase.auth.exchangeCodeForSession(link.code);
      return { error, outcome: error ? null : await proved({ session: data.session !== null, error }) };
    },
    retry: false,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
  if (exchange.data?.error) return <BadLink type={link.type} error={exchange.data.error} />;
  if (exchange.data?.outcome === "changed") return <Changed />;
  return (
    <AuthLayout title={t.confirmTitle[link.type]} lead={t.checking}>
      <p role="status" className="text-accent [&_svg]:size-6">
        <Spinner />
        <span className="sr-only">{t.checking}</span>
      </p>
    </AuthLayout>
  );
}

function HalfDone() {
  const t = messages.use();
  return (
    <AuthLayout title={t.halfTitle} lead={t.halfLead}>
      <Link to="/profile" className={buttonClass("plain")}>
        {t.goProfile}
      </Link>
    </AuthLayout>
  );
}

function Changed() {
  const t = messages.use();
  const email = useSignedIn();
  return (
    <AuthLayout title={t.changedTitle} lead={email ? t.changedLead(email) : ""}>
      <Link to="/library" className={buttonClass("primary")}>
        {t.goOn}
        <ArrowRight aria-hidden="true" />
      </Link>
    </AuthLayout>
  );
}

function ForeignLink({ type }: { type: LinkType }) {
  const t = messages.use();
  // Tokens must not stay in the address bar and the history.
  useEffect(() => window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search), []);
  return (
    <BadLinkLayout type={type}>
      <Notice tone="bad">{t.foreignLink}</Notice>
    </BadLinkLayout>
  );
}

function BadLink({ type, error }: { type: LinkType; error: AuthTrouble | null }) {
  const t = messages.use();
  return (
    <BadLinkLayout type={type}>
      <Notice tone={error ? "bad" : "warn"}>{error ? linkSentence(error) : t.emptyLink}</Notice>
    </BadLinkLayout>
  );
}

const waysOut = {
  signup: { to: "/mailbox", search: { for: "signup" } },
  magiclink: { to: "/login", search: {} },
  email: { to: "/login", search: {} },
  invite: { to: "/login", search: {} },
  recovery: { to: "/forgot", search: {} },
  email_change: { to: "/profile", search: {} },
} as const;

function BadLinkLayout({ type, children }: { type: LinkType; children: ReactNode }) {
  const t = messages.use();
  return (
    <AuthLayout title={t.badLinkTitle} lead={t.badLinkLead}>
      <div className="grid gap-4">
        {children}
        <Link {...waysOut[type]} className={buttonClass("primary")}>
          {t.wayOut[type]}
        </Link>
        {type === "signup" && (
          <Link to="/login" className={buttonClass("plain")}>
            {t.wayOut.email}
          </Link>
        )}
      </div>
    </AuthLayout>
  );
}
