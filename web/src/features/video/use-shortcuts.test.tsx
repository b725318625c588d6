import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { PlayerHandle } from "./Player";
import { useShortcuts } from "./use-shortcuts";

const player = { seek: vi.fn(), toggle: vi.fn(), nudge: vi.fn(), toggleMute: vi.fn(), toggleCaptions: vi.fn(), toggleFullscreen: vi.fn() } satisfies PlayerHandle;
function Page() {
  useShortcuts({ current: player }, () => undefined);
  return <input aria-label="words" />;
}

afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

it("knows the keys of the player also while Korean is switched on", () => {
  render(<Page />);
  fireEvent.keyDown(document.body, { key: "ㅏ", code: "KeyK" });
  expect(player.toggle).toHaveBeenCalledTimes(1);
  fireEvent.keyDown(document.body, { key: "Process", code: "KeyL" });
  expect(player.nudge).toHaveBeenCalledExactlyOnceWith(10_000);
  // Where letters lie elsewhere, what is written on the key counts.
  fireEvent.keyDown(document.body, { key: "m", code: "KeyK" });
  expect(player.toggleMute).toHaveBeenCalledTimes(1);
});

it("leaves what is typed alone", () => {
  render(<Page />);
  fireEvent.keyDown(screen.getByLabelText("words"), { key: "ㅏ", code: "KeyK" });
  expect(player.toggle).not.toHaveBeenCalled();
});
