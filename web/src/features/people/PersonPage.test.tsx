import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { Toaster } from "@/components/Toaster";
import { ApiError } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { PersonScene, PersonWithPhotos, Photo } from "@/lib/api/types";
import { onPerson } from "@/lib/live";
import { renderAt, type Answers } from "@/lib/testing";
import { PersonPage } from "./PersonPage";

const person = (id: string, more: Partial<PersonWithPhotos>): PersonWithPhotos => ({
  person_id: id, display_name: null, state: "unknown", consent: null, cover_url: null, created_at: "2026-01-01T00:00:00Z", is_matched: false,
  photos_accepted: 0, photos_checking: 0, photos_missing: 3, scenes: 2, videos: 1, photos: [], ...more,
});
const agreed = { at: "2026-01-01T00:00:00Z", note: "asked" };
const stranger = person("u", {});
const minji = person("m", { display_name: "Minji", state: "enrolled", consent: agreed });
const scene = (number: number): PersonScene => ({
  scene_id: `s${number}`, video_id: "v", video_title: "Rain", run_id: "r", ordinal: number, start_ms: number * 10_000, end_ms: number * 10_000 + 9_000, text: "", share: 1, thumbnail_url: null, tracks: [],
});
const photo = (id: string): Photo => ({ photo_id: id, state: "accepted", url: "https://s3/photo.jpg", code: null, message: null, created_at: "2026-01-01T00:00:00Z" } as unknown as Photo);
const page = (items: unknown[]) => () => ({ items, next_cursor: null });
const refused = () => {
  throw new ApiError(500, { detail: "It did not work." });
};

const show = (at: PersonWithPhotos, answers: Answers = {}) =>
  renderAt(`/people/${at.person_id}`, () => <><PersonPage /><Toaster /></>, {
    "GET /people/u": () => stranger,
    "GET /people/m": () => minji,
    "GET /people/u/scenes": page([scene(1), scene(2)]),
    "GET /people/m/scenes": page([]),
    "GET /people": page([minji, person("j", { display_name: "Jun", consent: agreed }), person("n", { display_name: "Never asked" })]),
    ...answers,
  });
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));

afterEach(cleanup);

describe("a face without a name", () => {
  it("that is given the name of somebody known is asked about, and joined to them", async () => {
    const { asked, at, client } = await show(stranger, { "POST /people/m/merge": () => minji });
    client.setQueryData(keys.scenes("v"), []);
    await press("Give a name");
    await userEvent.type(screen.getByLabelText("Name"), " minji{Enter}");
    const question = await screen.findByRole("group", { name: "Is this the same Minji?" });
    expect(document.activeElement).toBe(within(question).getByRole("radio"));
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(at()).toBe("/people/m"));
    expect(asked.find(({ request }) => request.endsWith("/merge"))?.body).toEqual({ from: ["u"] });
    expect(asked.some(({ request }) => request.startsWith("PATCH"))).toBe(false);
    await waitFor(() => expect(client.getQueryState(keys.scenes("v"))?.isInvalidated).toBe(true));
    await screen.findByRole("heading", { name: "Minji" });
  });

  it("becomes another one of the same name when that is the answer", async () => {
    let now = stranger;
    const { asked } = await show(stranger, { "GET /people/u": () => now, "PATCH /people/u": () => (now = person("u", { display_name: "Minji", consent: agreed })) });
    await press("Give a name");
    await userEvent.click(screen.getByRole("checkbox"));
    await userEvent.type(screen.getByLabelText("How they agreed"), "asked her");
    await userEvent.type(screen.getByLabelText("Name"), "Minji{Enter}");
    await press("No, somebody else");
    await screen.findByRole("heading", { name: "Minji" });
    expect(asked.find(({ request }) => request === "PATCH /people/u")?.body).toEqual({ display_name: "Minji", consent: true, consent_note: "asked her" });
  });

  it("is merged with one of those who have a name and agreed; what fails is said in the dialog", async () => {
    const { asked } = await show(stranger, { "POST /people/j/merge": refused });
    await press("Merge…");
    const dialog = screen.getByRole("dialog");
    await within(dialog).findAllByRole("radio");
    expect(within(dialog).queryByText("Never asked")).toBeNull();
    await userEvent.click(within(dialog).getByRole("radio", { name: /Jun/ }));
    await userEvent.click(within(dialog).getByRole("button", { name: "Merge" }));
    expect((await within(dialog).findByRole("alert")).textContent).toBe("It did not work.");
    expect(asked.at(-1)).toEqual({ request: "POST /people/j/merge", body: { from: ["u"] } });
  });
});

describe("the scenes somebody is in", () => {
  it("are taken away one by one, each button by its own name, and the keyboard goes on from the heading", async () => {
    let left = [scene(1), scene(2)];
    const { asked } = await show(stranger, {
      "GET /people/u/scenes": () => ({ items: left, next_cursor: null }),
      "POST /people/u/reject": () => void (left = [scene(2)]),
    });
    const button = await screen.findByRole("button", { name: "Not this person: Rain, 0:10" });
    button.focus();
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Not this person: Rain, 0:10" })).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Seen in" })));
    expect(asked.find(({ request }) => request.endsWith("/reject"))?.body).toEqual({ scene_id: "s1" });
  });

  it("say when taking one away fails, and keep the keyboard where it was", async () => {
    await show(stranger, { "POST /people/u/reject": refused });
    const button = await screen.findByRole("button", { name: "Not this person: Rain, 0:20" });
    button.focus();
    await userEvent.keyboard("{Enter}");
    await screen.findByText("It did not work.");
    expect(document.activeElement).toBe(button);
  });

  it("can be of somebody else, whose page is offered", async () => {
    const { asked, at } = await show(stranger, { "POST /people/u/split": () => person("m", {}) });
    await press(/^Somebody else.*Rain, 0:10$/);
    await userEvent.click(await within(screen.getAllByRole("status").at(-1) as HTMLElement).findByRole("button", { name: "Give a name" }));
    await waitFor(() => expect(at()).toBe("/people/m"));
    expect(asked.find(({ request }) => request.endsWith("/split"))?.body).toEqual({ faces: [{ scene_id: "s1" }] });
  });

  it("say that they could not be read", async () => {
    await show(stranger, { "GET /people/u/scenes": refused });
    expect((await screen.findByRole("alert")).textContent).toContain("It did not work.");
  });
});

describe("a person", () => {
  it("who cannot be deleted is still there, and the dialog says why", async () => {
    const { at } = await show(minji, { "DELETE /people/m": refused });
    await press("Delete this person");
    const dialog = screen.getByRole("dialog");
    await userEvent.click(within(dialog).getByRole("button", { name: "Delete this person" }));
    expect((await within(dialog).findByRole("alert")).textContent).toBe("It did not work.");
    expect(at()).toBe("/people/m");
  });

  it("whose photo cannot be deleted keeps it, and that is said; a deleted one gives the keyboard to the heading", async () => {
    let photos = [photo("a"), photo("b")];
    let works = false;
    await show(minji, {
      "GET /people/m": () => ({ ...minji, photos }),
      "DELETE /people/m/photos/a": () => (works ? void (photos = [photo("b")]) : refused()),
    });
    const button = await screen.findByRole("button", { name: "Delete photo 1" });
    button.focus();
    await userEvent.keyboard("{Enter}");
    await screen.findAllByText("It did not work.");
    expect(document.activeElement).toBe(button);
    works = true;
    await waitFor(() => expect(button.getAttribute("aria-disabled")).toBeNull());
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(screen.queryByRole("button", { name: "Delete photo 2" })).toBeNull());
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("heading", { name: "Photos" })));
  });

  it("is said to be looked for while that goes on", async () => {
    const { client } = await show(minji);
    await screen.findByRole("heading", { name: "Minji" });
    act(() => onPerson(client, { person_id: "m", state: "running", progress: 40 }));
    expect((await screen.findByRole("progressbar")).getAttribute("aria-valuenow")).toBe("40");
    act(() => onPerson(client, { person_id: "m", state: "completed", progress: 100 }));
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
  });

  it("who is gone is said to be, also after having been shown", async () => {
    let here = true;
    const { client } = await show(stranger, { "GET /people/u": () => (here ? stranger : (() => { throw new ApiError(404, {}); })()) });
    await screen.findByRole("heading", { name: "No name" });
    here = false;
    void client.invalidateQueries({ queryKey: keys.person("u") });
    await screen.findByText("This person is not here");
  });
});
