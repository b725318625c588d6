import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useState, type FormEvent, type ReactNode } from "react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { ProgressBar } from "@/components/Progress";
import { RolePicker } from "@/components/RolePicker";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys, meQuery, usageQuery } from "@/lib/api/queries";
import type { Me, Role, Usage } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { setLanguage, useLanguage, type Language } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { setTheme, useThemeChoice, type ThemeChoice } from "@/lib/theme";
import { useTitle } from "@/lib/title";
import { formatByteLimit, formatBytes, formatDate, formatEta } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

export function ProfilePage() {
  const t = messages.use();
  useTitle(t.title);
  const { api, supabase } = useServices();
  const me = useQuery(meQuery(api));
  const usage = useQuery(usageQuery(api));
  return (
    <div className="mx-auto grid w-full max-w-3xl gap-6 px-4 py-8 sm:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
      <Card title={t.you}>{me.data ? <ProfileForm me={me.data} /> : <Skeleton className="h-40" />}</Card>
      <Card title={t.usage}>
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
      <Card title={t.appearance}>
        <Appearance />
      </Card>
      <div className="flex flex-wrap items-center gap-4">
        <Button tone="danger" onClick={() => void supabase.auth.signOut({ scope: "local" })}>
          <LogOut aria-hidden="true" />
          {t.signOut}
        </Button>
        <p className="text-[13px] text-ink-faint">{t.signOutHint}</p>
      </div>
    </div>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="rounded-2xl border border-line bg-surface p-5 shadow-card sm:p-6">
      <h2 className="mb-4 text-[15px] font-semibold">{title}</h2>
      {children}
    </section>
  );
}

function ProfileForm({ me }: { me: Me }) {
  const t = messages.use();
  const words = common.use();
  const { api, config } = useServices();
  const client = useQueryClient();
  const [name, setName] = useState(me.display_name ?? "");
  const [role, setRole] = useState<Role>(me.role);
  const save = useMutation({
    mutationFn: () => api.json<Me>("/users/me", { method: "PATCH", body: { display_name: name.trim(), role } }),
    onSuccess: (next) => {
      client.setQueryData(keys.me, next);
      showToast({ tone: "good", text: t.saved });
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const changed = name.trim() !== (me.display_name ?? "") || role !== me.role;
  return (
    <form
      className="grid gap-5"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {save.error && Object.keys(fields).length === 0 && <Notice tone="bad">{sentence(save.error)}</Notice>}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t.name} name="display_name" autoComplete="name" maxLength={120} value={name} onChange={(event) => setName(event.target.value)} error={fields.display_name} required />
        <Field label={t.email} value={me.email ?? ""} readOnly className="opacity-80" />
      </div>
      <RolePicker legend={t.role} name="profile-role" value={role} onChange={setRole} roles={config.roles} error={fields.role} />
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-[13px] text-ink-faint">{t.roleHint}</p>
        <Button type="submit" tone="primary" busy={save.isPending} disabled={!changed || name.trim() === ""}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}

function UsageFacts({ usage }: { usage: Usage }) {
  const t = messages.use();
  const lang = useLanguage();
  const today = usage.uploads_today;
  const perVideo = [
    formatByteLimit(usage.max_size_bytes, lang),
    usage.max_duration_s !== null ? formatEta(usage.max_duration_s, lang) : null,
  ].filter(Boolean);
  const facts: [string, ReactNode][] = [
    [t.plan, t.tiers[usage.tier]],
    [t.videos, usage.video_count],
    [t.storage, formatBytes(usage.storage_bytes, lang)],
    [t.perVideo, perVideo.join(" · ") || t.noLimit],
    [t.searches, usage.searches_per_minute ?? t.noLimit],
  ];
  return (
    <div className="grid gap-5">
        <div className="grid gap-2">
          <p className="nums flex flex-wrap justify-between gap-x-4 text-sm">
            <span className="text-ink-soft">{t.uploadsToday}</span>
            <span className="font-medium">
              {today.limit === null ? t.unlimited(today.used) : t.ofLimit(today.used, today.limit)}
              {today.limit !== null && <span className="font-normal text-ink-faint"> · {t.resets(formatDate(today.resets_at, lang))}</span>}
            </span>
          </p>
          {today.limit !== null && (
            <ProgressBar percent={(today.used / Math.max(1, today.limit)) * 100} label={t.uploadsToday} tone={today.used >= today.limit ? "bad" : "accent"} />
          )}
        </div>
      <dl className="nums grid gap-x-8 gap-y-3 text-sm sm:grid-cols-2">
        {facts.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4 border-b border-line pb-2">
            <dt className="text-ink-soft">{name}</dt>
            <dd className="text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Appearance() {
  const t = messages.use();
  const theme = useThemeChoice();
  const lang = useLanguage();
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <Choice<ThemeChoice> legend={t.theme} value={theme} onChange={setTheme} options={(["system", "light", "dark"] as const).map((value) => [value, t.themes[value]])} />
      <Choice<Language> legend={t.language} value={lang} onChange={setLanguage} options={[["en", "English"], ["ko", "한국어"]]} />
    </div>
  );
}

function Choice<T extends string>({ legend, value, onChange, options }: { legend: string; value: T; onChange: (value: T) => void; options: readonly (readonly [T, string])[] }) {
  return (
    <div role="group" aria-label={legend}>
      <p className="mb-1.5 text-[13px] font-medium text-ink-soft">{legend}</p>
      <div className="inline-flex rounded-xl bg-sunken p-1">
        {options.map(([option, label]) => (
          <button
            key={option}
            type="button"
            aria-pressed={option === value}
            onClick={() => onChange(option)}
            className={cx("h-8 rounded-lg px-3.5 text-[13px] font-medium", option === value ? "bg-raised text-ink shadow-card" : "text-ink-soft hover:text-ink")}
          >
            {label}
          </button>
        ))}
      </div>
    </div>
  );
}
