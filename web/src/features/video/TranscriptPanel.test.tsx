import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Segment } from "@/lib/api/types";
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
const segments = [segment(0, 1000, "It was the best"), segment(1, 5000, "it was the worst")];

function show() {
  const clock = new PlayerClock();
  const onSeek = vi.fn();
  const { container } = render(<TranscriptPanel segments={segments} clock={clock} onSeek={onSeek} />);
  const at = (ms: number) => act(() => clock.set(ms));
  const lit = () => [...container.querySelectorAll("[data-spoken]")].map((word) => word.textContent);
  const current = () => container.querySelector("[data-current]")?.getAttribute("data-segment") ?? null;
  return { onSeek, at, lit, current };
}

describe("the transcript", () => {
  afterEach(cleanup);

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
});
