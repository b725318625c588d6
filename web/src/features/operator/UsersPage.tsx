import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { buttonClass } from "@/components/Button";
import type { Account } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatDate, formatTimecode } from "@/lib/time";
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
  return (
    <Panel title={t.tabs.users}>
      <Filters
        key={JSON.stringify(filter)}
        value={filter}
        onChange={(next) => void navigate({ to: "/operator/users", search: next })}
        fields={[
          { name: "q", label: t.search },
          { name: "tier", label: t.tier, options: [["free", "free"], ["pro", "pro"], ["enterprise", "enterprise"]] },
          { name: "role_profile", label: t.may, options: [["member", "member"], ["operator", "operator"], ["admin", "admin"]] },
        ]}
      />
      <Paged query={query} label={t.tabs.users} keyOf={(account) => account.user_id} row={(account) => <AccountRow account={account} />} />
    </Panel>
  );
}

function AccountRow({ account }: { account: Account }) {
  const t = messages.use();
  const lang = useLanguage();
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 text-sm font-medium [overflow-wrap:anywhere]">{account.email ?? account.user_id}</h3>
        <span className="text-[13px] text-ink-soft">{account.display_name}</span>
        <div className="ml-auto flex flex-wrap gap-2">
          <Link to="/operator/videos" search={{ owner_id: account.user_id }} className={buttonClass("quiet", "sm")}>
            {t.videos}
          </Link>
          <Link to="/operator/audit" search={{ subject_id: account.user_id }} className={buttonClass("quiet", "sm")}>
            {t.tabs.audit}
          </Link>
        </div>
      </div>
      <Facts
        of={[
          [t.tier, account.tier],
          [t.may, account.role_profiles.join(", ")],
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
