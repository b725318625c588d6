import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useId, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { keys, ownTagsQuery } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { changeMany } from "./bulk";
import { messages } from "./messages";

const SUGGESTED = 12;
const same = (a: string, b: string) => a.localeCompare(b, undefined, { sensitivity: "accent" }) === 0;

/** Tags of one video or of several. Of several those are shown that all of the loaded ones have. */
export function TagsDialog({ ids, known, onClose, onChanged }: { ids: readonly string[]; known: readonly Video[]; onClose: () => void; onChanged: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const listId = useId();
  const own = useQuery(ownTagsQuery(api)).data ?? [];
  const shared = known[0]?.tags.filter((tag) => known.every((video) => video.tags.includes(tag))) ?? [];
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const [typed, setTyped] = useState("");
  const shown = [...shared.filter((tag) => !remove.includes(tag)), ...add];

  const put = (tag: string) => {
    const word = tag.trim();
    setTyped("");
    if (word === "" || shown.some((each) => same(each, word))) return;
    const taken = remove.find((each) => same(each, word));
    if (taken !== undefined) setRemove(remove.filter((each) => each !== taken));
    // The spelling that is in use already: two that differ in case only are one tag.
    else setAdd([...add, own.find((each) => same(each.tag, word))?.tag ?? word]);
  };
  const take = (tag: string) => (add.includes(tag) ? setAdd(add.filter((each) => each !== tag)) : setRemove([...remove, tag]));

  const save = useMutation({
    mutationFn: async () => {
      const last = typed.trim() === "" || shown.some((each) => same(each, typed.trim())) ? add : [...add, typed.trim()];
      const first = last.length > 0 ? await changeMany(api, ids, "add_tags", last) : null;
      const second = remove.length > 0 ? await changeMany(api, ids, "remove_tags", remove) : null;
      const refused = first?.refused[0] ?? second?.refused[0];
      if (refused) throw new Error(refused.detail);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.ownTags });
      for (const id of ids) void client.invalidateQueries({ queryKey: keys.video(id) });
      onChanged();
    },
    onSuccess: onClose,
  });

  const suggestions = own.filter(({ tag }) => !shown.includes(tag) && tag.toLowerCase().includes(typed.trim().toLowerCase())).slice(0, SUGGESTED);
  return (
    <Dialog open onClose={onClose} title={ids.length === 1 ? t.tagsOfOne : t.tagsOf(ids.length)}>
      <div className="grid gap-4">
        {save.error && <Notice tone="bad">{sentence(save.error)}</Notice>}
        <form
          className="flex gap-2"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            put(typed);
          }}
        >
          <label className="sr-only" htmlFor={`${listId}-field`}>
            {t.newTag}
          </label>
          <input
            id={`${listId}-field`}
            value={typed}
            maxLength={60}
            placeholder={t.newTag}
            onChange={(event) => setTyped(event.target.value)}
            className="h-10 min-w-0 flex-1 rounded-xl border border-line bg-surface px-3 text-sm placeholder:text-ink-faint hover:border-line-strong"
          />
          <Button type="submit">{t.addTag}</Button>
        </form>
        <ul className="flex min-h-8 flex-wrap gap-2" aria-label={t.tags}>
          {shown.map((tag) => (
            <li key={tag}>
              <button type="button" onClick={() => take(tag)} aria-label={t.removeTag(tag)} className="inline-flex h-8 max-w-full items-center gap-1.5 rounded-full bg-accent-wash px-3 text-[13px] font-medium text-accent">
                <span className="truncate">{tag}</span>
                <X className="size-3.5 shrink-0" aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
        {suggestions.length > 0 && (
          <div>
            <p className="mb-2 text-[13px] text-ink-faint">{t.suggestions}</p>
            <ul className="flex flex-wrap gap-2">
              {suggestions.map(({ tag }) => (
                <li key={tag}>
                  <button type="button" onClick={() => put(tag)} className="inline-flex h-8 items-center gap-1.5 rounded-full border border-line px-3 text-[13px] text-ink-soft hover:border-line-strong hover:text-ink">
                    <Plus className="size-3.5" aria-hidden="true" />
                    {tag}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        <Button tone="primary" busy={save.isPending} onClick={() => save.mutate()} className="justify-self-end">
          {words.save}
        </Button>
      </div>
    </Dialog>
  );
}
