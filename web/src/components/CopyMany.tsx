import { Link as LinkIcon } from "lucide-react";
import { useState } from "react";
import { showToast } from "@/lib/toast";
import { Button } from "./Button";
import { Dialog } from "./Dialog";

/** Copies some lines. Where a browser keeps the clipboard shut (without TLS it does) they are shown, selected, to be copied by hand. */
export function CopyMany({ label, lines, done }: { label: string; lines: string; done: string }) {
  const [shown, setShown] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(lines);
      showToast({ tone: "good", text: done });
    } catch {
      setShown(true);
    }
  };
  return (
    <>
      <Button size="sm" disabled={lines === ""} onClick={() => void copy()}>
        <LinkIcon aria-hidden="true" />
        {label}
      </Button>
      {shown && (
        <Dialog open onClose={() => setShown(false)} title={label}>
          <textarea
            readOnly
            autoFocus
            aria-label={label}
            value={lines}
            rows={Math.min(10, lines.split("\n").length + 1)}
            onFocus={(event) => event.currentTarget.select()}
            className="w-full rounded-xl border border-line bg-surface p-3 font-mono text-xs text-ink"
          />
        </Dialog>
      )}
    </>
  );
}
