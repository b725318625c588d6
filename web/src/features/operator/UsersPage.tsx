import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { meQuery } from "@/lib/api/queries";
import type { Account } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatDate, formatTimecode } from "@/lib/time";
import { AccountForm } from "./AccountForm";
import { Filters } from "./Filters";
import { messages } from "./messages";
import { Facts, Paged, Panel } from "./parts";
import { usersQuery } from "./queries";
import { useFilter } from "./use-filter";

/** Accounts and what they use. */
export function UsersPage() {
  const t = messages.use();
  const { api } = useServices();
  const navigate = useNavigate();
  const filter = useFilter();
  const query = useInfiniteQuery(usersQuery(api, filter));
  const admin = useQuery(meQuery(api)).data?.role_profiles.includes("admin") ?? false;
  const [changing, setChanging] = useState<Account | null>(null);
  return (
    <Panel title={t.tabs.users}>
      <Filters
        key={JSON.stringify(filter)}
        value={filter}
        onChange={(next) => void navigate({ to: "/operator/users", search: next })}
        fields={[
          { name: "q", label: t.search },
          { name: "tier", label: t.tier, options: Object.entries(t.tiers) },
          { name: "role_profile", label: t.may, options: Object.entries(t.profiles) },
        ]}
      />
      <Paged query={query} label={t.tabs.users} keyOf={(account) => account.user_id} row={(account) => <AccountRow account={account} onChange={admin ? () => setChanging(account) : undefined} />} />
      {changing && <AccountForm key={changing.user_id} account={changing} onClose={() => setChanging(null)} />}
    </Panel>
  );
}

function AccountRow({ account, onChange }: { account: Account; onChange: (() => void) | undefined }) {
  const t = messages.use();
  const lang = useLanguage();
  const named: Record<string, string> = t.profiles;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 text-sm font-medium [overflow-wrap:anywhere]">{account.email ?? account.user_id}</h3>
        <span className="text-[13px] text-ink-soft">{account.display_name}</span>
        <div className="ml-auto flex flex-wrap gap-2 max-sm:-mr-3">
          <Link to="/operator/videos" search={{ owner_id: account.user_id }} className={buttonClass("quiet", "sm")}>
            {t.videos}
          </Link>
          <Link to="/operator/audit" search={{ subject_id: account.user_id }} className={buttonClass("quiet", "sm")}>
            {t.tabs.audit}
          </Link>
          {onChange && (
            <Button size="sm" aria-label={t.changeOf(account.email ?? account.user_id)} onClick={onChange}>
              {t.changeWord}
            </Button>
          )}
        </div>
      </div>
      <Facts
        of={[
          [t.tier, t.tiers[account.tier]],
          [t.may, account.role_profiles.map((profile) => named[profile] ?? profile).join(", ")],
          [t.videos, account.video_count],
          [t.size, formatBytes(account.storage_bytes, lang)],
          [t.duration, formatTimecode(account.duration_ms)],
          [t.uploadsToday, account.uploads_today],
          [t.made, formatDate(account.created_at, lang)],
          account.last_login_at === null ? null : [t.lastLogin, formatDate(account.last_login_at, lang)],
        ]}
      />
    </>
  );
}
