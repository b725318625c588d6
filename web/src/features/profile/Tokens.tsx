import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { sentence } from "@/lib/api/errors";
import { keys, tokensQuery } from "@/lib/api/queries";
import type { ApiToken } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";
import { NewToken } from "./NewToken";

/** Tokens for scripts: what there is, a new one, and an end to each. */
export function Tokens() {
  const t = messages.use();
  const { api } = useServices();
  const tokens = useQuery(tokensQuery(api));
  const [shown, setShown] = useState<"new" | ApiToken | null>(null);
  const close = () => setShown(null);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      {tokens.data ? (
        tokens.data.length === 0 ? (
          <p className="flex items-center gap-3 rounded-xl bg-sunken px-4 py-3 text-sm text-ink-soft">
            <KeyRound className="size-[18px] shrink-0 text-ink-faint" aria-hidden="true" />
            {t.noTokens}
          </p>
        ) : (
          <ul className="divide-y divide-line">
            {tokens.data.map((token) => (
              <TokenRow key={token.token_id} token={token} onRevoke={() => setShown(token)} />
            ))}
          </ul>
        )
      ) : tokens.error ? (
        <ErrorState error={tokens.error} retry={() => void tokens.refetch()} />
      ) : (
        <>
          <LoadingLabel />
          <Skeleton className="h-14" />
        </>
      )}
      <Button onClick={() => setShown("new")} className="justify-self-start">
        <Plus aria-hidden="true" />
        {t.newToken}
      </Button>
      <Dialog open={shown === "new"} onClose={close} title={t.newToken}>
        <NewToken onClose={close} />
      </Dialog>
      <Dialog open={shown !== null && shown !== "new"} onClose={close} title={t.revokeTitle}>
        {shown !== null && shown !== "new" && <Revoke token={shown} onClose={close} />}
      </Dialog>
    </div>
  );
}

function TokenRow({ token, onRevoke }: { token: ApiToken; onRevoke: () => void }) {
  const t = messages.use();
  const lang = useLanguage();
  return (
    <li data-token={token.name} className="flex items-start justify-between gap-4 py-3.5 first:pt-0">
      <div className="min-w-0 space-y-1">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <span className="text-sm font-semibold [overflow-wrap:anywhere]">{token.name}</span>
          {token.scopes.map((scope) => (
            <span key={scope} className="rounded-md bg-sunken px-1.5 py-0.5 text-xs text-ink-soft">
              {t.scopes[scope]}
            </span>
          ))}
        </p>
        <p className="nums flex flex-wrap gap-x-3 text-[13px] text-ink-faint">
          <span className="font-mono">{token.hint}…</span>
          <span>{token.last_used_at ? t.lastUsed(formatDate(token.last_used_at, lang)) : t.neverUsed}</span>
          <span className={cx(token.expired && "font-medium text-bad")}>
            {token.expires_at === null ? t.neverEnds : token.expired ? t.ended(formatDate(token.expires_at, lang)) : t.ends(formatDate(token.expires_at, lang))}
          </span>
        </p>
      </div>
      <Button size="sm" tone="danger" aria-label={t.revokeNamed(token.name)} onClick={onRevoke}>
        <Trash2 aria-hidden="true" />
        <span className="hidden sm:inline">{t.revoke}</span>
      </Button>
    </li>
  );
}

function Revoke({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.json<void>(`/users/me/tokens/${token.token_id}`, { method: "DELETE" }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: keys.tokens });
      showToast({ tone: "good", text: t.revoked(token.name) });
      onClose();
    },
  });
  return (
    <div className="grid gap-4">
      {revoke.error && <Notice tone="bad">{sentence(revoke.error)}</Notice>}
      <p className="text-[15px] leading-relaxed text-ink-soft">{t.revokeMore(token.name)}</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button tone="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
          {t.revoke}
        </Button>
      </div>
    </div>
  );
}
