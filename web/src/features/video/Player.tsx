import { Captions, CaptionsOff, Maximize, Minimize, Pause, Play, Volume2, VolumeX } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type Ref } from "react";
import { cx } from "@/components/cx";
import type { Playback, Scene, Segment } from "@/lib/api/types";
import { chapterTitle } from "@/lib/chapters";
import { useLanguage } from "@/lib/i18n/i18n";
import { formatTimecode, spokenTimecode } from "@/lib/time";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";

// Fetched with the first hover, not with the page.
const SpritePreview = lazy(async () => ({ default: (await import("./SpritePreview")).SpritePreview }));

export interface PlayerHandle {
  /** Goes to a position in milliseconds, and plays from there when asked. */
  seek: (at_ms: number, play: boolean) => void;
  toggle: () => void;
  nudge: (by_ms: number) => void;
  toggleMute: () => void;
  toggleCaptions: () => void;
  toggleFullscreen: () => void;
}

interface Props {
  ref: Ref<PlayerHandle>;
  url: string;
  poster: string | null;
  sprite: Playback["sprite"];
  duration_ms: number | null;
  scenes: Scene[];
  segments: Segment[];
  language: string | null;
  clock: PlayerClock;
  /** The URL has expired or the network failed: a new one is wanted. */
  onBroken: () => void;
}

/** Cuts nearer to each other than this part of the bar would cover it, and are not all marked. */
const BETWEEN_MARKS = 1 / 150;
const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const controlClass =
  "grid size-9 shrink-0 place-items-center rounded-lg text-white/90 sm:size-10 hover:bg-white/15 focus-visible:outline-white disabled:opacity-50 [&_svg]:size-5";

/** A cue's text is WebVTT, whose marks nothing that is said may be read as. */
const cueText = (text: string) => text.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");

export function Player({ ref, url, poster, sprite, duration_ms, scenes, segments, language, clock, onBroken }: Props) {
  const t = messages.use();
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  /** Waits for the metadata: where to go, and whether to play. */
  const pending = useRef<{ at_ms: number; play: boolean } | null>(null);
  const [playing, setPlaying] = useState(false);
  const [muted, setMuted] = useState(false);
  const [captions, setCaptions] = useState(false);
  const [full, setFull] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [length_ms, setLength] = useState(duration_ms ?? 0);

  const seek = useCallback(
    (at_ms: number, play: boolean) => {
      const element = video.current;
      if (!element) return;
      clock.set(at_ms);
      if (element.readyState < HTMLMediaElement.HAVE_METADATA) {
        pending.current = { at_ms, play };
        // Where a browser saves data it loads nothing before it must.
        if (play) element.play().catch(() => undefined);
        return;
      }
      element.currentTime = at_ms / 1000;
      // A browser may refuse to start sound without a gesture; the person then presses play at the right place.
      if (play) element.play().catch(() => undefined);
    },
    [clock],
  );

  const toggle = useCallback(() => {
    const element = video.current;
    if (!element) return;
    if (element.paused) element.play().catch(() => undefined);
    else element.pause();
  }, []);

  const toggleFullscreen = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void frame.current?.requestFullscreen?.();
  }, []);

  useImperativeHandle(
    ref,
    () => ({
      seek,
      toggle,
      nudge: (by_ms) => {
        const element = video.current;
        if (element) seek(Math.max(0, Math.min(element.duration * 1000 || Infinity, element.currentTime * 1000 + by_ms)), false);
      },
      toggleMute: () => setMuted((value) => !value),
      toggleCaptions: () => setCaptions((value) => !value),
      toggleFullscreen,
    }),
    [seek, toggle, toggleFullscreen],
  );

  // A renewed URL replaces the old one without losing the place. What is wholly buffered needs no new URL.
  const source = useRef<string | null>(null);
  useEffect(() => {
    const element = video.current;
    if (!element || source.current === url) return;
    const buffered = element.buffered.length === 1 && element.buffered.start(0) < 0.1 && element.buffered.end(0) >= element.duration - 0.1;
    if (source.current !== null && buffered && !element.error) return;
    if (source.current !== null) pending.current ??= { at_ms: element.currentTime * 1000, play: !element.paused };
    source.current = url;
    element.src = url;
    element.load();
  }, [url]);

  // The time is read at every frame while it moves, so that the words light up when they are spoken.
  useEffect(() => {
    if (!playing) return;
    let handle = 0;
    const tick = () => {
      if (video.current && !video.current.seeking) clock.set(video.current.currentTime * 1000);
      handle = requestAnimationFrame(tick);
    };
    handle = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(handle);
  }, [playing, clock]);

  useEffect(() => {
    if (video.current) video.current.playbackRate = speed;
  }, [speed, url]);

  useEffect(() => {
    const changed = () => setFull(document.fullscreenElement === frame.current);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);

  // Captions are made from the transcript at hand: nothing more to fetch, nothing to sign.
  const track = useRef<TextTrack | null>(null);
  useEffect(() => {
    const element = video.current;
    if (!element || segments.length === 0) return;
    track.current ??= element.addTextTrack("captions", "Heimdex", language?.slice(0, 2) ?? "en");
    const text = track.current;
    for (const cue of [...(text.cues ?? [])]) text.removeCue(cue);
    for (const segment of segments) {
      if (segment.end_ms > segment.start_ms) text.addCue(new VTTCue(segment.start_ms / 1000, segment.end_ms / 1000, cueText(segment.text)));
    }
    text.mode = captions ? "showing" : "hidden";
  }, [segments, language, captions]);

  return (
    <div ref={frame} role="group" aria-label={t.player} className="flex flex-col overflow-hidden rounded-2xl bg-[#0b1114] shadow-card">
      <div className={cx("relative grid min-h-0 place-items-center", full ? "flex-1" : "aspect-video max-h-[70dvh]")}>
        <video
          ref={video}
          data-testid="player"
          playsInline
          preload="metadata"
          poster={poster ?? undefined}
          muted={muted}
          className="absolute inset-0 size-full object-contain"
          onClick={toggle}
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onEnded={() => setPlaying(false)}
          onSeeking={(event) => clock.set(event.currentTarget.currentTime * 1000)}
          onTimeUpdate={(event) => clock.set(event.currentTarget.currentTime * 1000)}
          onVolumeChange={(event) => setMuted(event.currentTarget.muted)}
          onLoadedMetadata={(event) => {
            const element = event.currentTarget;
            if (Number.isFinite(element.duration)) setLength(element.duration * 1000);
            element.playbackRate = speed;
            const next = pending.current;
            pending.current = null;
            if (next) seek(next.at_ms, next.play);
          }}
          onError={onBroken}
        />
        {!playing && (
          <span aria-hidden="true" className="pointer-events-none grid size-16 place-items-center rounded-full bg-black/55 text-white backdrop-blur-sm">
            <Play className="ml-1 size-7 fill-current" />
          </span>
        )}
      </div>
      <div className="px-2 pt-1 pb-1.5 sm:px-3">
        <Timeline clock={clock} length_ms={length_ms} scenes={scenes} sprite={sprite} onSeek={(at_ms) => seek(at_ms, false)} />
        <div className="flex items-center gap-0.5 text-white">
          <button type="button" className={controlClass} aria-label={playing ? t.pause : t.play} onClick={toggle}>
            {playing ? <Pause className="fill-current" /> : <Play className="fill-current" />}
          </button>
          <button type="button" className={controlClass} aria-label={muted ? t.unmute : t.mute} aria-pressed={muted} onClick={() => setMuted(!muted)}>
            {muted ? <VolumeX /> : <Volume2 />}
          </button>
          <Position clock={clock} length_ms={length_ms} />
          <Chapter clock={clock} scenes={scenes} />
          <select
            aria-label={t.speed}
            value={speed}
            onChange={(event) => setSpeed(Number(event.target.value))}
            className="nums h-9 cursor-pointer appearance-none rounded-lg bg-transparent px-2 text-center text-[13px] font-medium text-white hover:bg-white/15 focus-visible:outline-white [&_option]:text-black"
          >
            {SPEEDS.map((value) => (
              <option key={value} value={value}>
                {value}×
              </option>
            ))}
          </select>
          {segments.length > 0 && (
            <button type="button" className={controlClass} aria-label={t.captions} aria-pressed={captions} onClick={() => setCaptions(!captions)}>
              {captions ? <Captions /> : <CaptionsOff />}
            </button>
          )}
          <button type="button" className={controlClass} aria-label={full ? t.leaveFullscreen : t.fullscreen} onClick={toggleFullscreen}>
            {full ? <Minimize /> : <Maximize />}
          </button>
        </div>
      </div>
    </div>
  );
}

function Position({ clock, length_ms }: { clock: PlayerClock; length_ms: number }) {
  const now = useClock(clock, formatTimecode);
  return (
    <span className="nums px-1 text-[13px] whitespace-nowrap text-white/90 sm:px-1.5">
      {now} <span className="text-white/65">/ {formatTimecode(length_ms)}</span>
    </span>
  );
}

/** What the scene that is played is called. */
function Chapter({ clock, scenes }: { clock: PlayerClock; scenes: Scene[] }) {
  const starts = useMemo(() => scenes.map((scene) => scene.start_ms), [scenes]);
  const current = scenes[useClock(clock, (at_ms) => indexAt(starts, at_ms))];
  const title = current && chapterTitle(current);
  return (
    <span data-testid="chapter" className="min-w-0 flex-1 truncate px-1 text-[13px] text-white/65 max-sm:invisible">
      {title && <span aria-hidden="true">· </span>}
      {title}
    </span>
  );
}

function Timeline({ clock, length_ms, scenes, sprite, onSeek }: {
  clock: PlayerClock;
  length_ms: number;
  scenes: Scene[];
  sprite: Playback["sprite"];
  onSeek: (at_ms: number) => void;
}) {
  const t = messages.use();
  const lang = useLanguage();
  const at_ms = useClock(clock, (ms) => Math.round(ms / 50) * 50);
  /** Where the pointer is, 0 to 1 of the bar. */
  const [hover, setHover] = useState<number | null>(null);
  const marks = useMemo(() => {
    const marked: number[] = [];
    for (const { start_ms } of scenes) {
      if (start_ms - (marked.at(-1) ?? 0) >= length_ms * BETWEEN_MARKS) marked.push(start_ms);
    }
    return marked;
  }, [scenes, length_ms]);
  const starts = useMemo(() => scenes.map((scene) => scene.start_ms), [scenes]);
  const titleAt = (ms: number) => {
    const scene = scenes[indexAt(starts, ms)];
    return scene ? chapterTitle(scene) : null;
  };
  const hovered = hover === null ? null : titleAt(hover * length_ms);
  const share = length_ms > 0 ? Math.min(100, (at_ms / length_ms) * 100) : 0;
  return (
    <div
      className="relative flex h-5 items-center"
      onPointerMove={(event) => {
        if (event.pointerType !== "mouse") return;
        const { left, width } = event.currentTarget.getBoundingClientRect();
        setHover(Math.max(0, Math.min(1, (event.clientX - left) / width)));
      }}
      onPointerLeave={() => setHover(null)}
    >
      {hover !== null && length_ms > 0 && (
        <div
          aria-hidden="true"
          className="pointer-events-none absolute bottom-full z-10 mb-2 grid -translate-x-1/2 justify-items-center gap-1"
          style={{ left: `clamp(5.5rem, ${hover * 100}%, calc(100% - 5.5rem))` }}
        >
          {sprite && (
            <Suspense fallback={null}>
              <SpritePreview sprite={sprite} at_ms={hover * length_ms} />
            </Suspense>
          )}
          <span className="nums max-w-44 truncate rounded-md bg-black/80 px-1.5 py-0.5 text-xs font-medium text-white">
            {[formatTimecode(hover * length_ms), hovered].filter(Boolean).join(" · ")}
          </span>
        </div>
      )}
      <div aria-hidden="true" className="pointer-events-none absolute inset-x-0 h-1.5 overflow-hidden rounded-full bg-white/20">
        <div className="h-full bg-[#5cc4cc]" style={{ width: `${share}%` }} />
        {length_ms > 0 &&
          marks.map((start_ms) => <span key={start_ms} className="absolute inset-y-0 w-0.5 bg-[#0b1114]" style={{ left: `${(start_ms / length_ms) * 100}%` }} />)}
      </div>
      <input
        type="range"
        min={0}
        max={Math.max(0.1, length_ms / 1000)}
        step="any"
        value={at_ms / 1000}
        aria-label={t.position}
        aria-valuetext={[t.positionOf(spokenTimecode(at_ms, lang), spokenTimecode(length_ms, lang)), titleAt(at_ms)].filter(Boolean).join(", ")}
        onChange={(event) => onSeek(Number(event.target.value) * 1000)}
        className="seekbar relative h-5 w-full cursor-pointer appearance-none bg-transparent focus-visible:outline-white"
      />
    </div>
  );
}
