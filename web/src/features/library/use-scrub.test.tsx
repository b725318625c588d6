import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Video } from "@/lib/api/types";
import { renderAt } from "@/lib/testing";
import { Poster } from "./Poster";
import { useScrub } from "./use-scrub";

const rain = { video_id: "v", title: "Rain", state: "indexed", duration_ms: 20_000, poster_url: null } as Video;
const VTT = "WEBVTT\n\n00:00.000 --> 00:10.000\ns.webp#xywh=0,0,160,90\n\n00:10.000 --> 00:20.000\ns.webp#xywh=160,0,160,90\n";
const sprite = { "GET /videos/v/sprite": () => ({ url: "https://s3/s.webp?x", vtt_url: "https://s3/s.vtt?x" }) };
let reduced = false;

function Card() {
  const scrub = useScrub(rain);
  return (
    <a href="/" data-testid="card" onKeyDown={(event) => scrub.step(event.key === "." ? 1 : -1)}>
      <Poster video={rain} scrub={scrub} small={false} onExpired={() => undefined} />
    </a>
  );
}

beforeEach(() => {
  reduced = false;
  vi.stubGlobal("fetch", async () => new Response(VTT));
  vi.stubGlobal("matchMedia", () => ({ matches: reduced }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const shown = () => document.querySelector("[data-scrub]")?.getAttribute("data-scrub");

it("steps through the small pictures by the keyboard, also for people who asked for less motion", async () => {
  reduced = true;
  await renderAt("/", Card, sprite);
  const card = screen.getByTestId("card");
  fireEvent.keyDown(card, { key: "." });
  await waitFor(() => expect(shown()).toBe("0"));
  fireEvent.keyDown(card, { key: "." });
  expect(shown()).toBe("1000");
  fireEvent.keyDown(card, { key: "," });
  expect(shown()).toBe("0");
});

it("follows a mouse, but no finger, and no mouse of people who asked for less motion", async () => {
  const { asked } = await renderAt("/", Card, sprite);
  const poster = screen.getByTestId("card").firstElementChild as HTMLElement;
  expect(asked).toEqual([]);
  fireEvent.keyDown(screen.getByTestId("card"), { key: "." });
  await waitFor(() => expect(shown()).toBe("0"));
  fireEvent.pointerMove(poster, { pointerType: "touch", clientX: 10 });
  expect(shown()).toBe("0");
  reduced = true;
  fireEvent.pointerMove(poster, { pointerType: "mouse", clientX: 10 });
  expect(shown()).toBe("0");
  reduced = false;
  // Nothing has a size here, so every place is the end.
  fireEvent.pointerMove(poster, { pointerType: "mouse", clientX: 10 });
  expect(shown()).toBe("20000");
  fireEvent.pointerLeave(poster, { pointerType: "mouse" });
  expect(shown()).toBeUndefined();
});
