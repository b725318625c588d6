import { Link, useSearch } from "@tanstack/react-router";
import { Bookmark, SearchX, SquareCheckBig } from "lucide-react";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { useTitle } from "@/lib/title";
import { Chips } from "./Chips";
import { ChosenHits, useChosenHits } from "./ChosenHits";
import { columnsOf, FaultyQuery } from "./FaultyQuery";
import { messages } from "./messages";
import { usePicture } from "./picture";
import { PictureBar } from "./PictureBar";
import { Results } from "./Results";
import { SaveSearch } from "./SaveSearch";
import { SearchStart } from "./SearchStart";
import { isAsked, useResults, type Asked } from "./use-results";

export function SearchPage() {
  const t = messages.use();
  const { q = "", video, like } = useSearch({ strict: false }) as { q?: string; video?: string; like?: string };
  const picture = usePicture();
  // Scenes like another one have no filters, and a picture that is still there has nothing to do with them.
  const asked: Asked = like ? { q: "", video: undefined, like, picture: null } : { q, video, like, picture };
  const heading = like ? t.likeTitle : picture ? t.pictureResults : t.results(q);
  useTitle(isAsked(asked) ? `${like || picture ? heading : q} · ${t.title}` : t.title);
  const found = useResults(asked);
  const [saving, setSaving] = useState(false);
  return (
    <div className="mx-auto w-full max-w-4xl px-4 py-8 sm:px-6">
      <h1 className={isAsked(asked) ? "text-xl font-semibold tracking-tight text-balance [overflow-wrap:anywhere]" : "sr-only"}>
        {isAsked(asked) ? heading : t.title}
      </h1>
      <div className="mt-4 mb-5 flex flex-wrap items-center gap-2">
        {!like && <Chips q={q} video={video} only={found.hits.find((hit) => hit.video_id === video)?.video_title ?? ""} />}
        <PictureBar />
        {q !== "" && !like && !picture && (
          <Button size="sm" onClick={() => setSaving(true)}>
            <Bookmark aria-hidden="true" />
            {t.saved.save}
          </Button>
        )}
      </div>
      {isAsked(asked) ? <Found asked={asked} found={found} /> : <SearchStart />}
      {saving && <SaveSearch what={{ q, video }} onClose={() => setSaving(false)} />}
    </div>
  );
}

function Found({ asked, found: { query, hits, first, onExpired } }: { asked: Asked; found: ReturnType<typeof useResults> }) {
  const t = messages.use();
  const { q, video, like, picture } = asked;
  const { chosen, start, stop, toggle } = useChosenHits(JSON.stringify([q, video, like, picture?.id]));
  const degraded = first?.channels.some((channel) => channel.status === "timeout" || channel.status === "error") ?? false;
  const wrong = query.error instanceof ApiError ? columnsOf(query.error) : null;
  return (
    <>
      <div className="mb-4 flex min-h-8 flex-wrap items-center justify-between gap-2">
        <p className="nums text-[13px] text-ink-faint" role="status">
          {!like && first && hits.length > 0 && t.count(hits.length, query.hasNextPage, Math.round(first.took_ms))}
        </p>
        {hits.length > 0 && chosen === null && (
          <Button size="sm" tone="quiet" onClick={start} className="-mr-3">
            <SquareCheckBig aria-hidden="true" />
            {t.chosen.start}
          </Button>
        )}
      </div>
      {chosen !== null && <ChosenHits hits={[...chosen.values()]} onStop={stop} />}
      {degraded && (
        <Notice tone="warn" className="mb-4">
          {t.degraded}
        </Notice>
      )}
      {first?.notes.map((note) => (
        <Notice key={`${note.code} ${note.value ?? ""}`} tone="info" className="mb-4">
          {t.notes[note.code]?.(note.value ?? "") ?? note.detail}
        </Notice>
      ))}
      {query.error instanceof ApiError && wrong && hits.length === 0 ? (
        <FaultyQuery q={q} error={query.error} columns={wrong} />
      ) : query.error && hits.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <div className="grid gap-3">
          <LoadingLabel />
          {[0, 1, 2].map((index) => (
            <Skeleton key={index} className="h-36 rounded-2xl" />
          ))}
        </div>
      ) : hits.length === 0 ? (
        <EmptyState
          icon={<SearchX />}
          title={t.noneTitle}
          action={
            <Link to="/library" className={buttonClass()}>
              {t.toLibrary}
            </Link>
          }
        >
          <p>{like ? t.likeNone : picture ? t.pictureNone : t.none(q)}</p>
          {!like && <p className="mt-1">{t.noneLibrary}</p>}
        </EmptyState>
      ) : (
        <>
          <Results hits={hits} q={picture ? "" : q} inVideo={video !== undefined} stale={query.isPlaceholderData} chosen={chosen} onChoose={toggle} onExpired={onExpired} />
          {query.hasNextPage && (
            <div className="mt-6 grid place-items-center">
              <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t.more}
              </Button>
            </div>
          )}
        </>
      )}
    </>
  );
}
