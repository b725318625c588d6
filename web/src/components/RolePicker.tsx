import { Archive, Clapperboard, FlaskConical, Newspaper } from "lucide-react";
import { ROLES, type Role } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { cx } from "./cx";

const icons = { creator: Clapperboard, journalist: Newspaper, researcher: FlaskConical, archivist: Archive };

/** Four radio cards. `name` must be unique on the page. */
export function RolePicker({ legend, name, value, onChange, roles = ROLES, error }: {
  legend: string;
  name: string;
  value: Role | null;
  onChange: (role: Role) => void;
  roles?: readonly Role[];
  error?: string | undefined;
}) {
  const t = common.use();
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1.5 text-[13px] font-medium text-ink-soft">{legend}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {roles.map((role) => {
          const Icon = icons[role];
          return (
            <label
              key={role}
              className={cx(
                "relative flex gap-3 rounded-xl border p-3 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
                value === role ? "border-accent bg-accent-wash" : "border-line bg-surface hover:border-line-strong",
              )}
            >
              <input type="radio" name={name} value={role} checked={value === role} onChange={() => onChange(role)} className="sr-only" />
              <Icon aria-hidden="true" className={cx("mt-0.5 size-[18px] shrink-0", value === role ? "text-accent" : "text-ink-faint")} />
              <span className="grid gap-0.5">
                <span className="text-sm font-semibold">{t.roles[role]}</span>
                <span className="text-[13px] leading-snug text-ink-soft">{t.roleHints[role]}</span>
              </span>
            </label>
          );
        })}
      </div>
      {error && <p className="text-[13px] text-bad">{error}</p>}
    </fieldset>
  );
}
