import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RequestOptions } from "@/lib/api/client";
import type { Scene, Video } from "@/lib/api/types";
import { renderAt, type Answers } from "@/lib/testing";
import { PlayerClock } from "./player-clock";
import { ScenesSection } from "./ScenesSection";

const scene = (number: number, text: string) =>
  ({ scene_id: `s${number}`, ordinal: number - 1, start_ms: (number - 1) * 10_000, end_ms: number * 10_000, text, tags: [], people: [], thumbnail_url: null }) as unknown as Scene;
const scenes = [scene(1, "It was the best of times"), scene(2, ""), scene(3, "it was the worst of times"), scene(4, "")];
const video = { video_id: "v", title: "Rain" } as Video;

async function show(answers: Answers = {}) {
  const onSeek = vi.fn();
  const clock = new PlayerClock();
  const Page = () => <ScenesSection video={video} scenes={scenes} clock={clock} onSeek={onSeek} onExpired={() => undefined} />;
  const view = await renderAt("/", Page, answers);
  return { ...view, onSeek };
}
const strip = (number: number) => screen.getByRole("button", { name: new RegExp(`^Scene ${number}, at`) });

describe("the scenes of a video", () => {
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
  });

  it("lead to their moment, until several are to be chosen", async () => {
    const user = userEvent.setup();
    const { onSeek } = await show();
    await user.click(strip(2));
    expect(onSeek).toHaveBeenLastCalledWith(10_000);
    await user.click(screen.getByRole("button", { name: "Choose scenes" }));
    await user.click(strip(2));
    expect(onSeek).toHaveBeenCalledTimes(1);
    expect(strip(2).getAttribute("aria-pressed")).toBe("true");
    await screen.findByText("1 scene · 0:10");
    fireEvent.click(strip(4), { shiftKey: true });
    screen.getByText("3 scenes · 0:30");
    await user.click(strip(3));
    screen.getByText("2 scenes · 0:20");
    strip(3).focus();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("toolbar")).toBeNull();
  });

  it("are copied as links with their names, or shown where the clipboard is shut", async () => {
    const user = userEvent.setup();
    await show();
    await user.click(screen.getByRole("button", { name: "Choose scenes" }));
    expect((await screen.findByRole<HTMLButtonElement>("button", { name: "Copy links" })).disabled).toBe(true);
    await user.click(strip(3));
    await user.click(strip(1));
    await user.click(screen.getByRole("button", { name: "Copy links" }));
    // The clipboard is user-event's.
    await waitFor(async () => expect(await navigator.clipboard.readText()).not.toBe(""));
    const copied = await navigator.clipboard.readText();
    const [first, second] = copied.split("\n");
    expect(first).toMatch(/^0:00 It was the best of times \S+\?t=0$/);
    expect(second).toMatch(/^0:20 it was the worst of times \S+\?t=20000$/);
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("shut"));
    await user.click(screen.getByRole("button", { name: "Copy links" }));
    expect((await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Copy links" })).value).toBe(copied);
  });

  it("are cut one after the other, and after a failure only the rest", async () => {
    const user = userEvent.setup();
    let broken = true;
    const made: unknown[] = [];
    await show({
      "POST /videos/v/clips": ({ body }: RequestOptions) => {
        const { start_ms } = body as { start_ms: number };
        if (start_ms > 0 && broken) throw new Error("away");
        made.push(start_ms);
        return { clip_id: `c${start_ms}`, state: "preparing", progress: 0, url: null, size_bytes: null, failure: null };
      },
      "GET /videos/v/clips/c0": () => ({ clip_id: "c0", state: "ready", progress: 100, url: "https://s3/c0.mp4", size_bytes: 1_000_000, failure: null }),
      "GET /videos/v/clips/c10000": () => ({ clip_id: "c10000", state: "failed", progress: 0, url: null, size_bytes: null, failure: "The disk is full." }),
    });
    await user.click(screen.getByRole("button", { name: "Choose scenes" }));
    await user.click(strip(1));
    await user.click(strip(2));
    await user.click(await screen.findByRole("button", { name: "Clips" }));
    const dialog = within(document.querySelector("dialog[open]") as HTMLElement);
    await user.click(await dialog.findByRole("button", { name: "Cut 2 clips" }));
    await dialog.findByRole("alert");
    broken = false;
    await user.click(dialog.getByRole("button", { name: "Cut 2 clips" }));
    expect((await dialog.findByRole("link", { name: /^Download/ })).getAttribute("href")).toBe("https://s3/c0.mp4");
    await dialog.findByText("The disk is full.");
    expect(made).toEqual([0, 10_000]);
  });
});
