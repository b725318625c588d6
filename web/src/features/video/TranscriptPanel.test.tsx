import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Segment } from "@/lib/api/types";
import { layOut } from "@/lib/testing";
import { PlayerClock } from "./player-clock";
import { TranscriptPanel } from "./TranscriptPanel";

const segment = (segment_no: number, start_ms: number, text: string): Segment => ({
  segment_no,
  start_ms,
  end_ms: start_ms + 2000,
  text,
  edited: false,
  words: text.split(" ").map((word, index) => ({ start_ms: start_ms + index * 400, end_ms: start_ms + index * 400 + 390, text: ` ${word}`, probability: 1 })),
});
const short = [segment(0, 1000, "It was the best"), segment(1, 5000, "it was the worst")];

function show(segments = short) {
  const clock = new PlayerClock();
  const onSeek = vi.fn();
  const { container } = render(<TranscriptPanel segments={segments} clock={clock} onSeek={onSeek} />);
  const at = (ms: number) => act(() => clock.set(ms));
  const lit = () => [...container.querySelectorAll("[data-spoken]")].map((word) => word.textContent);
  const current = () => container.querySelector("[data-current]")?.getAttribute("data-segment") ?? null;
  const drawn = () => [...container.querySelectorAll("[data-segment]")].map((row) => Number(row.getAttribute("data-segment")));
  return { container, onSeek, at, lit, current, drawn };
}

describe("the transcript", () => {
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
  });

  it("lights up the word that is being said", () => {
    const { at, lit, current } = show();
    expect([lit(), current()]).toEqual([[], null]);
    at(1850);
    expect([lit(), current()]).toEqual([["the"], "0"]);
    at(5000);
    expect([lit(), current()]).toEqual([["it"], "1"]);
    at(20_000);
    expect([lit(), current()]).toEqual([[], null]);
  });

  it("goes to the word that is clicked, and to the sentence by its time", async () => {
    const { onSeek } = show();
    await userEvent.click(screen.getByText("worst"));
    expect(onSeek).toHaveBeenLastCalledWith(6200);
    await userEvent.click(screen.getByRole("button", { name: "Go to 0:05" }));
    expect(onSeek).toHaveBeenLastCalledWith(5000);
  });

  it("stops following when the person scrolls, and starts again when asked", async () => {
    const { at } = show();
    at(1500);
    expect(screen.queryByRole("button", { name: "Follow" })).toBeNull();
    await act(async () => screen.getByTestId("transcript").dispatchEvent(new WheelEvent("wheel", { bubbles: true })));
    await userEvent.click(screen.getByRole("button", { name: "Follow" }));
    expect(screen.queryByRole("button", { name: "Follow" })).toBeNull();
  });

  it("is whole in the document up to 120 sentences, so that the browser finds all of them", () => {
    const { drawn } = show(Array.from({ length: 120 }, (_, number) => segment(number, number * 4000, "the sea was calm")));
    expect(drawn().length).toBe(120);
  });

  it("of three hours has those in the document that are near, and goes to what is said or found far away", async () => {
    layOut({ box_px: 600, row_px: 62 });
    const { container, at, current, drawn } = show(Array.from({ length: 2700 }, (_, number) => segment(number, number * 4000, number === 1350 ? "a lighthouse in the fog" : "the sea was calm")));
    expect(drawn()[0]).toBe(0);
    expect(drawn().length).toBeLessThan(50);
    at(2000 * 4000);
    await vi.waitFor(() => expect(current()).toBe("2000"));
    expect(drawn().length).toBeLessThan(50);
    await userEvent.type(screen.getByRole("textbox", { name: "Find in the transcript" }), "lighthouse");
    await vi.waitFor(() => expect(container.querySelector("[data-segment='1350'] [data-found]")?.textContent).toBe("lighthouse"));
    expect(drawn().length).toBeLessThan(50);
  });
});
