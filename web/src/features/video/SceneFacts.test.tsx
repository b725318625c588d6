import { act, cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { layOut, renderAt } from "@/lib/testing";
import { PlayerClock } from "./player-clock";
import { SceneFacts } from "./SceneFacts";
import { moods, type SeenScene } from "./scene-facts";

const scene = (number: number, rest: Partial<SeenScene>): SeenScene => ({ scene_id: `s${number}`, start_ms: number * 10_000, end_ms: (number + 1) * 10_000, ...rest });
const tag = (tag: string, score = 0.8) => ({ tag, label: tag === "car" ? "자동차" : tag, score });
const scenes = [
  scene(0, { on_screen: [{ text: "HEIMDEX SAMPLE", confidence: 0.97, start_ms: 400, end_ms: 3000 }] }),
  scene(1, { tags: [tag("car", 0.9), tag("tie", 0.6)], people: [{ person_id: "p1", display_name: "Ann" }, { person_id: "p2", display_name: null }] }),
  scene(2, {}),
  scene(3, { tags: [tag("car", 0.7)] }),
];

async function show(of: readonly SeenScene[]) {
  const clock = new PlayerClock();
  const onSeek = vi.fn();
  const { container, at: page } = await renderAt("/", () => <SceneFacts scenes={of} clock={clock} onSeek={onSeek} />);
  return { onSeek, container, page, at: (ms: number) => act(() => clock.set(ms)) };
}

describe("what was seen", () => {
  afterEach(() => {
    cleanup();
    vi.restoreAllMocks();
  });

  it("shows nothing at all where nothing was found, or the server knows no such fields", async () => {
    expect((await show([scene(0, {}), scene(1, { tags: [], on_screen: null, people: [] })])).container.textContent).toBe("");
    expect((await show([])).container.textContent).toBe("");
  });

  it("leads from a tag to the next scene with it, and round to the first", async () => {
    const { onSeek, at } = await show(scenes);
    const car = screen.getByTitle("To the next scene: 자동차");
    await userEvent.click(car);
    expect(onSeek).toHaveBeenLastCalledWith(10_000);
    at(12_000);
    await userEvent.click(car);
    expect(onSeek).toHaveBeenLastCalledWith(30_000);
    at(31_000);
    await userEvent.click(car);
    expect(onSeek).toHaveBeenLastCalledWith(10_000);
  });

  it("goes to a scene by its time, to a person's scene, and to the moment in which something is written", async () => {
    const { onSeek } = await show(scenes);
    await userEvent.click(screen.getByRole("button", { name: "Go to 0:10" }));
    expect(onSeek).toHaveBeenLastCalledWith(10_000);
    await userEvent.click(screen.getByRole("button", { name: "Ann" }));
    expect(onSeek).toHaveBeenLastCalledWith(10_000);
    await userEvent.click(screen.getByRole("button", { name: /HEIMDEX SAMPLE/ }));
    expect(onSeek).toHaveBeenLastCalledWith(400);
    expect(screen.getByRole("button", { name: "Somebody" })).toBeTruthy();
  });

  it("marks the scene that is being played, and none between", async () => {
    const { container, at } = await show(scenes);
    const current = () => container.querySelector("[aria-current]")?.textContent ?? null;
    at(15_000);
    expect(current()).toContain("자동차");
    at(25_000);
    expect(current()).toBeNull();
  });

  it("leads to the page of a person, and of somebody who has no name yet, by keyboard too", async () => {
    const { page, onSeek } = await show(scenes);
    expect(screen.getByRole("link", { name: "To the page of Ann" }).getAttribute("href")).toBe("/people/p1");
    screen.getByRole("button", { name: "Somebody" }).focus();
    await userEvent.tab();
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Who is this at 0:10? Give a name");
    await userEvent.keyboard("{Enter}");
    await vi.waitFor(() => expect(page()).toBe("/people/p2"));
    expect(onSeek).not.toHaveBeenCalled();
  });

  it("follows the player, but not while somebody points at the list or stands in it", async () => {
    const { container, at } = await show(scenes);
    const list = container.querySelector("ol") as HTMLOListElement;
    const scrollTo = vi.spyOn(list, "scrollTo").mockImplementation(() => undefined);
    for (const item of list.children) Object.defineProperty(item, "offsetTop", { value: 500 });
    at(12_000);
    expect(scrollTo).toHaveBeenCalledTimes(1);
    await userEvent.hover(list);
    at(1_000);
    expect(scrollTo).toHaveBeenCalledTimes(1);
    await userEvent.unhover(list);
    screen.getByRole("button", { name: "Ann" }).focus();
    at(12_000);
    expect(scrollTo).toHaveBeenCalledTimes(1);
    act(() => (document.activeElement as HTMLElement).blur());
    at(1_000);
    expect(scrollTo).toHaveBeenCalledTimes(2);
  });

  it("draws of a thousand scenes those near what is seen, and scrolls to one that is not drawn", async () => {
    layOut({ box_px: 320, row_px: 60 });
    const { container, at } = await show(Array.from({ length: 1000 }, (_, number) => scene(number, { tags: [tag("car")] })));
    const drawn = () => [...container.querySelectorAll("[data-seen]")].map((item) => Number(item.getAttribute("data-seen")));
    expect(drawn()[0]).toBe(0);
    expect(drawn().length).toBeLessThan(40);
    at(9_000_000);
    await vi.waitFor(() => expect(container.querySelector("[aria-current]")?.getAttribute("aria-posinset")).toBe("901"));
    expect(drawn().length).toBeLessThan(40);
  });

  it("names a mood only when it stands out and is sure", () => {
    expect(moods(null)).toEqual([]);
    expect(moods({ valence: { value: 0.9, confidence: 0.1 }, arousal: { value: 0.5, confidence: 1 }, energy: null })).toEqual([]);
    expect(moods({ valence: { value: -0.5, confidence: 0.8 }, arousal: { value: 0.8, confidence: 0.6 }, energy: { value: 0.1, confidence: 1 } })).toEqual(["unpleasant", "excited", "quiet"]);
  });
});
