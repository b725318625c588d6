import { act, cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Video } from "@/lib/api/types";
import { renderAt } from "@/lib/testing";
import { VideoList } from "./VideoList";

const drawn: string[] = [];
vi.mock("./Poster", () => ({
  Poster: ({ video }: { video: Video }) => {
    drawn.push(video.title);
    return null;
  },
  PosterFacts: () => null,
}));

const videos = Array.from({ length: 200 }, (_, number) => ({ video_id: `v${number}`, title: `Film ${number}`, tags: [], state: "indexed", duration_ms: 1000, poster_url: null, created_at: "2026-01-01T00:00:00Z" }) as unknown as Video);
const nothing = () => undefined;
const none: ReadonlySet<string> = new Set();

/** As high as a row of the list is: 4.75 rem. */
const ROW_PX = 76;
let scrolled = 0;

const Page = () => <VideoList videos={videos} view="list" more={false} onMore={nothing} chosen={none} selecting={false} onSelect={nothing} onTags={nothing} onRemove={nothing} onReprocess={nothing} onExpired={nothing} />;
const inDocument = () => document.querySelectorAll("[data-video]").length;
const scrollTo = (y: number) =>
  act(async () => {
    scrolled = y;
    drawn.length = 0;
    window.dispatchEvent(new Event("scroll"));
  });

describe("a long list of videos", () => {
  beforeEach(() => {
    scrolled = 0;
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(private readonly changed: () => void) {}
        observe() {
          this.changed();
        }
        disconnect() {}
      },
    );
    vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockImplementation(() => ({ top: -scrolled, width: 1000 }) as DOMRect);
    vi.stubGlobal("innerHeight", 760);
  });
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it("draws the cards that come into sight and no other", async () => {
    await renderAt("/library", Page);
    await screen.findByRole("link", { name: "Film 0" });
    const shown = inDocument();
    expect(shown).toBeLessThan(20);
    await scrollTo(50 * ROW_PX);
    expect(screen.queryByRole("link", { name: "Film 0" })).toBeNull();
    screen.getByRole("link", { name: "Film 50" });
    const full = inDocument();
    // A pixel shows nothing new, a row one card.
    await scrollTo(50 * ROW_PX + 1);
    expect(drawn.length).toBeLessThanOrEqual(1);
    const last = 50 + full - 3;
    await scrollTo(51 * ROW_PX + 1);
    expect(drawn).toHaveLength(1);
    expect(Number(drawn[0]?.split(" ")[1])).toBeGreaterThan(last - 3);
    expect(inDocument()).toBeLessThanOrEqual(full + 1);
  });
});
