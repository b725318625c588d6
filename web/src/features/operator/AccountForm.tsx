import { useState } from "react";
import type { Account, Tier } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { ActionDialog } from "./ActionDialog";
import { messages } from "./messages";

/** `member` is what everybody is; these are given. */
const GIVEN = ["operator", "admin"] as const;
const TIERS: readonly Tier[] = ["free", "pro", "enterprise"];

/** What a person may do and which limits hold for them. For admins; the server says so again. */
export function AccountForm({ account, onClose }: { account: Account; onClose: () => void }) {
  const t = messages.use();
  const { api } = useServices();
  const [may, setMay] = useState<ReadonlySet<string>>(() => new Set(account.role_profiles));
  const [tier, setTier] = useState<Tier>(account.tier);
  const toggle = (profile: string) =>
    setMay((now) => {
      const next = new Set(now);
      if (!next.delete(profile)) next.add(profile);
      return next;
    });
  const run = async () => {
    // Only what was changed is sent: the rest may have changed elsewhere meanwhile.
    const changed = GIVEN.filter((profile) => may.has(profile) !== account.role_profiles.includes(profile));
    await api.json(`/admin/users/${account.user_id}`, {
      method: "PATCH",
      body: { role_profiles: Object.fromEntries(changed.map((profile) => [profile, may.has(profile)])), ...(tier === account.tier ? {} : { tier }) },
    });
    return t.accountChanged(account.email ?? account.user_id);
  };
  return (
    <ActionDialog ask={{ title: t.changeAccount, text: account.email ?? account.user_id, action: t.saveAccount, run }} onClose={onClose}>
      <fieldset className="grid gap-3">
        <legend className="mb-2 text-[13px] font-medium text-ink-soft">{t.may}</legend>
        {GIVEN.map((profile) => (
          <label key={profile} className="flex items-start gap-3 text-sm text-ink">
            <input type="checkbox" checked={may.has(profile)} onChange={() => toggle(profile)} className="mt-0.5 size-4 accent-accent" />
            <span>
              {t.profiles[profile]}
              <span className="block text-[13px] text-ink-soft">{t.profileHints[profile]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="grid gap-1.5 text-[13px] font-medium text-ink-soft">
        {t.tier}
        <select value={tier} onChange={(event) => setTier(event.target.value as Tier)} className="h-10 rounded-xl border border-line bg-surface px-3 text-sm font-normal text-ink">
          {TIERS.map((each) => (
            <option key={each} value={each}>
              {t.tiers[each]}
            </option>
          ))}
        </select>
      </label>
    </ActionDialog>
  );
}
