import { cx } from "@/components/cx";
import { setLanguage, useLanguage, type Language } from "@/lib/i18n/i18n";
import { setTheme, useThemeChoice, type ThemeChoice } from "@/lib/theme";
import { messages } from "./messages";

export function Appearance() {
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
