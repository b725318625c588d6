import { LogOut, MonitorX, ShieldX } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { authSentence } from "@/lib/auth-error";
import { useServices } from "@/lib/services";
import { signOut } from "@/lib/session";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

const icons = { local: LogOut, others: MonitorX, global: ShieldX };
type Scope = keyof typeof icons;

/** Here, everywhere else, everywhere. After the first and the last the app goes to the login page by itself. */
export function Sessions() {
  const t = messages.use();
  const { supabase } = useServices();
  const [busy, setBusy] = useState<Scope | null>(null);
  const [error, setError] = useState<string | null>(null);

  const run = async (scope: Scope) => {
    setBusy(scope);
    setError(null);
    const trouble = await signOut(supabase, scope);
    setBusy(null);
    if (trouble) setError(authSentence(trouble));
    else if (scope === "others") showToast({ tone: "good", text: t.othersOut });
  };

  return (
    <div className="grid gap-4">
      {error && <Notice tone="bad">{error}</Notice>}
      <ul className="grid divide-y divide-line">
        {(["local", "others", "global"] as const).map((scope) => {
          const Icon = icons[scope];
          return (
            <li key={scope} className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 py-3 first:pt-0 last:pb-0">
              <p id={`sign-out-${scope}`} className="min-w-0 flex-1 basis-56 text-sm text-ink-soft">
                {t.signOutHints[scope]}
              </p>
              <Button tone={scope === "global" ? "danger" : "plain"} size="sm" busy={busy === scope} disabled={busy !== null} aria-describedby={`sign-out-${scope}`} onClick={() => void run(scope)}>
                <Icon aria-hidden="true" />
                {t.signOuts[scope]}
              </Button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
