import { useQuery } from "@tanstack/react-query";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { meQuery, usageQuery } from "@/lib/api/queries";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { Appearance } from "./Appearance";
import { Card } from "./Card";
import { DataCards } from "./DataCards";
import { EmailForm } from "./EmailForm";
import { messages } from "./messages";
import { PasswordSection } from "./PasswordSection";
import { ProfileForm } from "./ProfileForm";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";
import { UsageFacts } from "./UsageFacts";

const SUBJECTS = ["you", "usage", "appearance", "address", "password", "sessions", "tokens", "data", "delete"] as const;

export function ProfilePage() {
  const t = messages.use();
  useTitle(t.title);
  const { api } = useServices();
  const me = useQuery(meQuery(api)).data;
  const usage = useQuery(usageQuery(api));
  if (!me) return null;
  return (
    <div className="mx-auto grid w-full max-w-5xl grid-cols-[minmax(0,1fr)] gap-x-10 px-4 py-8 sm:px-6 lg:grid-cols-[11rem_minmax(0,1fr)]">
      <h1 className="mb-6 text-2xl font-semibold tracking-tight lg:col-start-2">{t.title}</h1>
      <nav aria-label={t.subjectsLabel} className="hidden lg:block">
        <ul className="sticky top-22 grid gap-0.5">
          {SUBJECTS.map((subject) => (
            <li key={subject}>
              <a href={`#${subject}`} className="block rounded-lg px-3 py-1.5 text-sm text-ink-soft hover:bg-sunken hover:text-ink">
                {t.subjects[subject]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-6">
        <Card id="you" title={t.subjects.you}>
          <ProfileForm me={me} />
        </Card>
        <Card id="usage" title={t.subjects.usage}>
          {usage.data ? (
            <UsageFacts usage={usage.data} />
          ) : usage.error ? (
            <ErrorState error={usage.error} retry={() => void usage.refetch()} />
          ) : (
            <>
              <LoadingLabel />
              <Skeleton className="h-24" />
            </>
          )}
        </Card>
        <Card id="appearance" title={t.subjects.appearance}>
          <Appearance />
        </Card>
        <Card id="address" title={t.subjects.address} lead={t.emailLead}>
          <EmailForm me={me} />
        </Card>
        <Card id="password" title={t.subjects.password} lead={t.passwordLead}>
          <PasswordSection email={me.email ?? ""} />
        </Card>
        <Card id="sessions" title={t.subjects.sessions} lead={t.sessionsLead}>
          <Sessions />
        </Card>
        <Card id="tokens" title={t.subjects.tokens} lead={t.tokensLead}>
          <Tokens />
        </Card>
        <DataCards me={me} />
      </div>
    </div>
  );
}
