import { RotateCw, Tag, Trash2, X } from "lucide-react";
import { Button, IconButton } from "@/components/Button";
import { messages } from "./messages";

/** What can be done with the chosen videos; it stays in sight while the list scrolls. */
export function SelectionBar({ count, busy, onAll, onTags, onReprocess, onRemove, onClear }: {
  count: number;
  busy: boolean;
  onAll: () => void;
  onTags: () => void;
  onReprocess: () => void;
  onRemove: () => void;
  onClear: () => void;
}) {
  const t = messages.use();
  return (
    <div role="toolbar" aria-label={t.selection} className="sticky top-16 z-20 mb-4 flex flex-wrap items-center gap-2 rounded-2xl border border-line bg-raised p-2 shadow-float">
      <IconButton label={t.clearSelection} onClick={onClear}>
        <X />
      </IconButton>
      <p role="status" className="nums text-sm font-medium">
        {t.selected(count)}
      </p>
      <Button size="sm" tone="quiet" onClick={onAll}>
        {t.selectAll}
      </Button>
      <div className="ml-auto flex flex-wrap gap-2">
        <Button size="sm" disabled={busy} onClick={onTags}>
          <Tag aria-hidden="true" />
          {t.tags}
        </Button>
        <Button size="sm" disabled={busy} onClick={onReprocess}>
          <RotateCw aria-hidden="true" />
          {t.reprocess}
        </Button>
        <Button size="sm" tone="danger" disabled={busy} onClick={onRemove}>
          <Trash2 aria-hidden="true" />
          {t.remove}
        </Button>
      </div>
    </div>
  );
}
