import { act, cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
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
const place = (y: number) => {
  scrolled = y;
  vi.stubGlobal("scrollY", y);
};

const Page = () => <VideoList videos={videos} view="list" more={false} onMore={nothing} chosen={none} selecting={false} onSelect={nothing} onTags={nothing} onRemove={nothing} onReprocess={nothing} onExpired={nothing} />;
const inDocument = () => document.querySelectorAll("[data-video]").length;
const scrollDownTo = (y: number) =>
  act(async () => {
    place(y);
    drawn.length = 0;
    window.dispatchEvent(new Event("scroll"));
  });

describe("a long list of videos", () => {
  beforeEach(() => {
    place(0);
    vi.stubGlobal("scrollTo", ({ top }: { top: number }) => {
      place(top);
      // As in a browser, after what has scrolled it.
      queueMicrotask(() => window.dispatchEvent(new Event("scroll")));
    });
    vi.spyOn(Element.prototype, "scrollHeight", "get").mockReturnValue(videos.length * ROW_PX);
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
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(() => ({ top: -scrolled, width: 1000 }) as DOMRect);
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
    await scrollDownTo(50 * ROW_PX + 1);
    expect(screen.queryByRole("link", { name: "Film 0" })).toBeNull();
    screen.getByRole("link", { name: "Film 50" });
    const full = inDocument();
    await scrollDownTo(50 * ROW_PX + 2);
    expect(drawn, "by a pixel nothing new comes").toEqual([]);
    await scrollDownTo(51 * ROW_PX + 2);
    expect(drawn, "by a row the one that is two below the window").toEqual(["Film 63"]);
    expect(inDocument()).toBe(full);
  });

  it("is walked through by the keyboard, also to cards that are not drawn yet", async () => {
    await renderAt("/library", Page);
    (await screen.findByRole("link", { name: "Film 0" })).focus();
    await userEvent.keyboard("{End}");
    await vi.waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toBe("Film 199"));
    expect(screen.queryByRole("link", { name: "Film 0" })).toBeNull();
    await userEvent.keyboard("{ArrowUp}");
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Film 198");
    await userEvent.keyboard("{Home}");
    await vi.waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toBe("Film 0"));
  });
});
