import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Inbox, MailX, RotateCw } from "lucide-react";
import { Button, buttonClass } from "@/components/Button";
import { Logo } from "@/components/Logo";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { outboxQuery } from "@/lib/api/queries";
import type { OutboxMail } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { useTitle } from "@/lib/title";
import { partsOf } from "./mail-text";
import { messages } from "./messages";

export function OutboxPage() {
  const t = messages.use();
  useTitle(t.title);
  const { api } = useServices();
  const mails = useQuery(outboxQuery(api));
  const closed = mails.error instanceof ApiError && mails.error.status === 404;
  return (
    <main className="mx-auto grid w-full max-w-3xl gap-6 px-4 py-8 sm:px-6">
      <div className="flex items-center justify-between gap-4">
        <Link to="/" className="flex items-center gap-2.5 rounded-lg">
          <Logo />
          <span className="text-lg font-semibold tracking-tight">Heimdex</span>
        </Link>
        {!closed && (
          <Button busy={mails.isFetching} onClick={() => void mails.refetch()}>
            {!mails.isFetching && <RotateCw aria-hidden="true" />}
            {t.refresh}
          </Button>
        )}
      </div>
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
        {!closed && <p className="mt-2 text-[15px] leading-relaxed text-pretty text-ink-soft">{t.lead}</p>}
      </div>
      {closed ? (
        <EmptyState
          icon={<MailX />}
          title={t.closed}
          action={
            <Link to="/" className={buttonClass("primary")}>
              {t.back}
            </Link>
          }
        >
          {t.closedMore}
        </EmptyState>
      ) : mails.error ? (
        <ErrorState error={mails.error} retry={() => void mails.refetch()} />
      ) : !mails.data ? (
        <>
          <LoadingLabel />
          <Skeleton className="h-48 rounded-2xl" />
        </>
      ) : mails.data.length === 0 ? (
        <EmptyState icon={<Inbox />} title={t.empty}>
          {t.emptyMore}
        </EmptyState>
      ) : (
        <ul className="grid gap-4">
          {mails.data.map((mail) => (
            <Mail key={mail.id} mail={mail} />
          ))}
        </ul>
      )}
    </main>
  );
}

function Mail({ mail }: { mail: OutboxMail }) {
  const t = messages.use();
  const lang = useLanguage();
  return (
    <li className="rounded-2xl border border-line bg-surface shadow-card" data-recipient={mail.recipient}>
      <article aria-labelledby={`mail-${mail.id}`}>
        <header className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 border-b border-line px-5 py-4">
          <h2 id={`mail-${mail.id}`} className="text-[15px] font-semibold">
            {mail.subject}
          </h2>
          <p className="nums text-[13px] text-ink-faint">
            <time dateTime={mail.created_at}>{formatDate(mail.created_at, lang)}</time>
          </p>
          <p className="w-full text-[13px] text-ink-soft [overflow-wrap:anywhere]">{t.to(mail.recipient)}</p>
        </header>
        <p className="px-5 py-4 text-sm leading-relaxed whitespace-pre-wrap text-ink-soft [overflow-wrap:anywhere]">
          {partsOf(mail.body).map(({ kind, text }, index) =>
            kind === "link" ? (
              <a key={index} href={text} className="font-medium text-accent underline underline-offset-4">
                {text}
              </a>
            ) : kind === "code" ? (
              <strong key={index} className="nums rounded-md bg-mark px-1.5 py-0.5 font-semibold tracking-wider text-on-mark">
                {text}
              </strong>
            ) : (
              text
            ),
          )}
        </p>
      </article>
    </li>
  );
}
