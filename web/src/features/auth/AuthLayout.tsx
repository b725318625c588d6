import { Play, Search } from "lucide-react";
import type { ReactNode } from "react";
import { Logo } from "@/components/Logo";
import { useTitle } from "@/lib/title";
import { messages } from "./messages";

export const linkClass = "font-semibold text-accent underline-offset-4 hover:underline";

/** The form on one side; on a wide screen, what Heimdex does on the other. */
export function AuthLayout({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  const t = messages.use();
  useTitle(title);
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)]">
      <main className="flex flex-col px-5 py-8 sm:px-10">
        <div className="flex items-center gap-2.5">
          <Logo />
          <span className="text-lg font-semibold tracking-tight">Heimdex</span>
        </div>
        <div className="mx-auto my-auto w-full max-w-[27rem] animate-rise py-10">
          <h1 className="text-[28px] leading-tight font-semibold tracking-tight text-balance">{title}</h1>
          <p className="mt-2 mb-8 text-[15px] text-ink-soft">{lead}</p>
          {children}
        </div>
      </main>
      <aside aria-hidden="true" className="relative hidden overflow-hidden border-l border-line bg-sunken lg:block">
        <div className="absolute inset-0 [background:radial-gradient(60rem_40rem_at_75%_15%,var(--accent-wash),transparent_70%)]" />
        <div className="relative grid h-full content-center gap-10 px-14 xl:px-20">
          <div className="max-w-md">
            <p className="text-4xl leading-[1.1] font-semibold tracking-tight text-balance">{t.motto}</p>
            <p className="mt-4 text-[17px] leading-relaxed text-pretty text-ink-soft">{t.mottoMore}</p>
          </div>
          <div className="max-w-md rounded-2xl border border-line bg-surface p-4 shadow-float">
            <div className="flex h-11 items-center gap-3 rounded-xl bg-sunken px-4 text-[15px] text-ink-soft">
              <Search className="size-4 text-ink-faint" />
              {t.exampleQuery}
            </div>
            <div className="mt-4 flex gap-1.5">
              {[28, 52, 40, 74, 60, 34, 48].map((lightness, index) => (
                <div
                  key={lightness}
                  className="relative h-14 flex-1 overflow-hidden rounded-md"
                  style={{ background: `linear-gradient(150deg, hsl(${185 + index * 6} 28% ${lightness}%), hsl(${200 + index * 8} 34% ${lightness * 0.55}%))` }}
                >
                  {index === 3 && (
                    <span className="absolute inset-0 grid place-items-center rounded-md ring-[3px] ring-mark ring-inset">
                      <Play className="size-4 fill-white text-white" />
                    </span>
                  )}
                </div>
              ))}
            </div>
            <p className="mt-4 text-[15px] leading-relaxed text-ink-soft">
              <span className="nums mr-2 text-[13px] font-medium text-accent">0:41</span>
              {t.exampleBefore}
              <mark className="rounded bg-mark px-0.5 text-on-mark">{t.exampleQuery}</mark>
              {t.exampleAfter}
            </p>
          </div>
        </div>
      </aside>
    </div>
  );
}
