import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { Segment } from "@/lib/api/types";
import { layOut } from "@/lib/testing";
import { PlayerClock } from "./player-clock";
import { TranscriptPanel } from "./TranscriptPanel";

const segment = (segment_no: number, text: string): Segment => ({
  segment_no,
  start_ms: segment_no * 5000,
  end_ms: segment_no * 5000 + 2000,
  text,
  edited: false,
  words: text.split(" ").map((word, index) => ({ start_ms: segment_no * 5000 + index * 400, end_ms: segment_no * 5000 + index * 400 + 390, text: ` ${word}`, probability: 1 })),
});

function show(segments: Segment[], onCorrect: (segment: Segment, text: string) => Promise<void> = vi.fn(async () => undefined)) {
  const clock = new PlayerClock();
  const panel = (of: Segment[]) => <TranscriptPanel segments={of} clock={clock} onSeek={vi.fn()} onCorrect={onCorrect} />;
  const { container, rerender } = render(panel(segments));
  return { onCorrect, container, again: (of: Segment[]) => rerender(panel(of)), found: () => [...container.querySelectorAll("[data-found]")].map((word) => word.textContent) };
}

describe("correcting a sentence", () => {
  afterEach(cleanup);
  const said = [segment(0, "It wuz the best"), segment(1, "it was the worst")];

  it("saves with Enter, what is written, with single spaces", async () => {
    const { onCorrect } = show(said);
    await userEvent.click(screen.getByRole("button", { name: "Correct what is said at 0:00" }));
    const field = screen.getByRole("textbox", { name: "Correct what is said at 0:00" });
    await userEvent.clear(field);
    await userEvent.type(field, "It was  the best{Enter}");
    expect(onCorrect).toHaveBeenCalledExactlyOnceWith(said[0], "It was the best");
    await waitFor(() => expect(screen.queryByRole("textbox", { name: /Correct/ })).toBeNull());
  });

  it("gives up with Escape, and sends nothing that has not changed", async () => {
    const { onCorrect } = show(said);
    await userEvent.click(screen.getByRole("button", { name: "Correct what is said at 0:05" }));
    await userEvent.keyboard(" never{Escape}");
    expect(screen.queryByRole("textbox", { name: /Correct/ })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Correct what is said at 0:05" }));
    await userEvent.keyboard("{Enter}");
    expect(screen.queryByRole("textbox", { name: /Correct/ })).toBeNull();
    expect(onCorrect).not.toHaveBeenCalled();
  });

  it("keeps what was written when it cannot be saved, and says why", async () => {
    show(said, () => Promise.reject(new Error("broken")));
    await userEvent.click(screen.getByRole("button", { name: "Correct what is said at 0:00" }));
    await userEvent.keyboard(" of times{Enter}");
    await screen.findByRole("alert");
    expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: /Correct/ }).value).toBe("It wuz the best of times");
  });
});

describe("a correction that is not saved yet", () => {
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
  });
  const pencil = (at: string) => screen.getByRole("button", { name: `Correct what is said at ${at}` });
  const field = (at: string) => screen.getByRole<HTMLTextAreaElement>("textbox", { name: `Correct what is said at ${at}` });

  it("is still there when its sentence was scrolled away", async () => {
    layOut({ box_px: 600, row_px: 40 });
    const { container } = show(Array.from({ length: 400 }, (_, place) => segment(place, "it wuz the best")));
    await userEvent.click(pencil("0:00"));
    await userEvent.keyboard(" of times");
    const scroller = screen.getByTestId("transcript");
    const scrollTo = async (top: number) => {
      scroller.scrollTop = top;
      fireEvent.scroll(scroller);
      await waitFor(() => expect(container.querySelector('[data-segment="0"]') === null).toBe(top > 0));
    };
    await scrollTo(8000);
    await scrollTo(0);
    expect(field("0:00").value).toBe("it wuz the best of times");
  });

  it("is still there when another sentence was corrected meanwhile, where the keyboard stays", async () => {
    show([segment(0, "It wuz the best"), segment(1, "it was the wurst")]);
    await userEvent.click(pencil("0:00"));
    await userEvent.keyboard(" of times");
    await userEvent.click(pencil("0:05"));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    expect(document.activeElement).toBe(field("0:05"));
    await userEvent.click(pencil("0:00"));
    expect(field("0:00").value).toBe("It wuz the best of times");
  });

  it("does not close the one that was begun while it was being saved", async () => {
    let saved = () => {};
    show([segment(0, "It wuz the best"), segment(1, "it was the wurst")], () => new Promise((resolve) => (saved = resolve)));
    await userEvent.click(pencil("0:00"));
    await userEvent.keyboard(" of times{Enter}");
    await userEvent.click(pencil("0:05"));
    await act(async () => saved());
    expect(field("0:05").value).toBe("it was the wurst");
  });

  it("never lands on another sentence: what it says by now is shown, and is replaced only after that", async () => {
    const onCorrect = vi.fn<(segment: Segment, text: string) => Promise<void>>().mockRejectedValueOnce(new ApiError(409, { detail: "It says something else by now." }));
    const { again } = show([segment(0, "It wuz the best")], onCorrect);
    await userEvent.click(pencil("0:00"));
    await userEvent.keyboard(" of times{Enter}");
    await screen.findByText("It says something else by now.");
    expect(onCorrect.mock.calls[0]?.[0].text).toBe("It wuz the best");
    again([segment(0, "Once upon a time")]);
    screen.getByText("Meanwhile it says: “Once upon a time”. Saving puts yours in its place.");
    onCorrect.mockResolvedValueOnce(undefined);
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(onCorrect.mock.calls[1]?.map((each) => (typeof each === "string" ? each : each.text))).toEqual(["Once upon a time", "It wuz the best of times"]);
  });
});

describe("finding in the transcript", () => {
  afterEach(cleanup);

  it("goes from place to place with Enter, round and back, and says which", async () => {
    const { found } = show([segment(0, "rain and rain"), segment(1, "the sun"), segment(2, "Rain again")]);
    const box = screen.getByRole("textbox", { name: "Find in the transcript" });
    await userEvent.type(box, "rain");
    expect([screen.getByRole("status").textContent, found()]).toEqual(["1 of 3", ["rain"]]);
    await userEvent.keyboard("{Enter}{Enter}");
    expect([screen.getByRole("status").textContent, found()]).toEqual(["3 of 3", ["Rain"]]);
    await userEvent.keyboard("{Enter}");
    expect(screen.getByRole("status").textContent).toBe("1 of 3");
    await userEvent.keyboard("{Shift>}{Enter}{/Shift}");
    expect(screen.getByRole("status").textContent).toBe("3 of 3");
    await userEvent.keyboard("{Escape}");
    expect([screen.getByRole("status").textContent, found()]).toEqual(["", []]);
  });
});
