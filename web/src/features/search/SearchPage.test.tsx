import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { Toaster } from "@/components/Toaster";
import { ApiError } from "@/lib/api/errors";
import type { Hit, PastSearch, SavedSearch } from "@/lib/api/types";
import { renderAt, type Answers } from "@/lib/testing";
import { refusal, setPicture } from "./picture";
import { SearchBox } from "./SearchBox";
import { SearchPage } from "./SearchPage";

const hit = (number: number, more: Partial<Hit> = {}): Hit => ({
  scene_id: `s${number}`, video_id: "v", video_title: "Rain", run_id: "r", start_ms: 0, end_ms: 1000, at_ms: 500, score: 1, confidence: 0.9, text: `rain ${number}`,
  highlights: [], thumbnail_url: null, matches: [{ channel: "words", rank: 1, score: 1, detail: "", quote: null, at_ms: null, box: null }], more_in_video: 0, ...more,
});
const answer = (items: Hit[], more = {}) => ({ query: "", parsed: {}, notes: [], items, next_cursor: null, took_ms: 3, channels: [], ...more });
const saved = { saved_id: "1", name: "Wet days", request: { query: "tag:rain" }, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" } as SavedSearch;
const past: PastSearch = { query: "soup", searched_at: "2026-01-01T00:00:00Z", hits: 1, times: 1 };
const page = (items: unknown[]) => () => ({ items, next_cursor: null });

const show = (at: string, answers: Answers = {}) =>
  renderAt(at, () => <><SearchBox /><main id="content"><SearchPage /></main><Toaster /></>, {
    "POST /search": () => answer([hit(1), hit(2)]),
    "GET /search/suggest": page([]),
    "GET /searches/saved": page([]),
    "GET /searches/history": page([]),
    ...answers,
  });
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));
const queries = (asked: { request: string; body: unknown }[]) =>
  asked.filter(({ request }) => request === "POST /search").map(({ body }) => (body as { query: string }).query);
const box = () => screen.getByRole<HTMLInputElement>("combobox", { name: "Search your videos" });

afterEach(() => {
  act(() => setPicture(null));
  cleanup();
});

describe("what was found", () => {
  it("says plainly why, and how much more its video has", async () => {
    const { asked } = await show("/search?q=rain", { "POST /search": () => answer([hit(1, { more_in_video: 3 }), hit(2, { more_in_video: 3 })]) });
    expect((await screen.findAllByTestId("why"))[0]?.textContent).toBe("It is said word for word");
    // Once for the video.
    await press("3 more in this video");
    await waitFor(() => expect(asked.at(-1)?.body).toMatchObject({ query: "rain", filters: { video_ids: ["v"] } }));
    expect((await screen.findByTestId("chip")).textContent).toBe("only in “Rain”");
    expect(screen.queryByRole("button", { name: /more in this video/ })).toBeNull();
    await press("Remove the filter only in “Rain”");
    await waitFor(() => expect(screen.queryByTestId("chip")).toBeNull());
  });

  it("leads to scenes that are alike", async () => {
    await show("/search?q=rain", { "GET /scenes/s2/similar": () => ({ items: [hit(7, { text: "drizzle" })] }) });
    const second = (await screen.findAllByTestId("hit"))[1] as HTMLElement;
    await userEvent.click(within(second).getByRole("button", { name: "More like this" }));
    await screen.findByRole("heading", { name: "Scenes like this one" });
    await screen.findByText("drizzle");
  });

  it("is reached from the box and left for it by key", async () => {
    await show("/search?q=rain");
    const [first, second] = (await screen.findAllByTestId("hit")).map((each) => within(each).getByRole("link"));
    act(() => box().focus());
    await userEvent.keyboard("{ArrowDown}");
    expect(document.activeElement).toBe(first);
    await userEvent.keyboard("{ArrowDown}");
    expect(document.activeElement).toBe(second);
    await userEvent.keyboard("{Escape}");
    expect(document.activeElement).toBe(box());
  });

  it("leaves the keys to whoever composes a syllable", async () => {
    await show("/search?q=rain");
    await screen.findAllByTestId("hit");
    act(() => box().focus());
    fireEvent.keyDown(box(), { key: "ArrowDown", isComposing: true });
    expect(document.activeElement).toBe(box());
    fireEvent.keyDown(box(), { key: "Escape", isComposing: true });
    expect(document.activeElement).toBe(box());
  });

  it("stays in the one video when another query is sent, and calls it by its own title while its hits are on their way", async () => {
    let open = () => {};
    const { asked } = await show("/search?q=rain", {
      "POST /search": async ({ body }) => {
        if ((body as { filters?: unknown }).filters) await new Promise<void>((resolve) => (open = resolve));
        return answer([hit(1, { video_id: "other", video_title: "Sun" }), hit(2, { more_in_video: 3 })]);
      },
    });
    await press("3 more in this video");
    expect((await screen.findByTestId("chip")).textContent).toBe("only in “Rain”");
    open();
    await userEvent.clear(box());
    await userEvent.type(box(), "snow{Enter}");
    await waitFor(() => expect(asked.at(-1)?.body).toMatchObject({ query: "snow", filters: { video_ids: ["v"] } }));
    open();
  });

  it("comes while somebody types, once for all letters, and not in the middle of an operator", async () => {
    const { asked } = await show("/search");
    await userEvent.click(box());
    await userEvent.paste("rain tag:");
    await userEvent.paste("car");
    await waitFor(() => expect(queries(asked)).toEqual(["rain tag:car"]));
    expect(box().value).toBe("rain tag:car");
  });
});

describe("a mistake in the query", () => {
  it("is underlined where it is", async () => {
    await show("/search?q=%F0%9F%8E%AC%20after%3Asoon%20rain", {
      "POST /search": () => {
        throw new ApiError(400, { code: "invalid_request", detail: "That is no day.", column: 9, column_end: 13 });
      },
    });
    expect((await screen.findByTestId("wrong")).textContent).toBe("soon");
    expect(screen.getByRole("alert").textContent).toContain("That is no day.");
  });
});

describe("the filters", () => {
  it("are pieces of the query, and are taken out of it", async () => {
    const { asked } = await show('/search?q=rain%20tag%3Acar%20-person%3A%22Minji%20Kim%22');
    await screen.findAllByTestId("hit");
    expect(screen.getAllByTestId("chip").map((chip) => chip.textContent)).toEqual(["Tag: car", "not Person: Minji Kim"]);
    await press("Remove the filter Tag: car");
    await waitFor(() => expect(queries(asked).at(-1)).toBe('rain -person:"Minji Kim"'));
    expect(box().value).toBe('rain -person:"Minji Kim"');
  });

  it("are put into it", async () => {
    const { asked } = await show("/search?q=rain");
    await press("Add a filter");
    await userEvent.selectOptions(screen.getByLabelText("Kind of filter"), "On screen");
    await userEvent.type(screen.getByLabelText("Value"), "on air{Enter}");
    await waitFor(() => expect(queries(asked).at(-1)).toBe('rain text:"on air"'));
    expect(screen.queryByLabelText("Value")).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add a filter" })));
  });
});

describe("a picture", () => {
  it("is searched with, beside the filters, until it is put away", async () => {
    const asked: unknown[] = [];
    const sent = new File(["picture"], "cat.png", { type: "image/png" });
    await show("/search?q=tag%3Acat", {
      "POST /search/image": ({ body, query }) => {
        asked.push([body, query?.q]);
        return answer([hit(5, { text: "the cat", matches: [{ channel: "seen", rank: 1, score: 0.9, detail: "", quote: null, at_ms: null, box: null }] })]);
      },
    });
    await userEvent.upload(await screen.findByTestId("picture-input"), sent);
    await screen.findByText("the cat");
    expect(asked).toEqual([[sent, "tag:cat"]]);
    expect(screen.getByTestId("picture").textContent).toContain("cat.png");
    await press("Put the picture away");
    await screen.findByText("rain 1");
    expect(screen.queryByTestId("picture")).toBeNull();
  });

  it("is asked for when something else is dropped", async () => {
    await show("/search?q=rain");
    await screen.findAllByTestId("hit");
    const drop = new Event("drop", { cancelable: true });
    Object.assign(drop, { dataTransfer: { types: ["Files"], files: [new File(["words"], "words.pdf", { type: "application/pdf" })] } });
    act(() => void window.dispatchEvent(drop));
    await screen.findByText("JPEG, PNG and WebP pictures can be searched with.");
    expect(screen.queryByTestId("picture")).toBeNull();
  });

  it("of a kind or a size that is not read is refused before it is sent", () => {
    expect(refusal({ type: "image/png", size: 10 << 20 })).toBeNull();
    expect(refusal({ type: "image/png", size: (10 << 20) + 1 })).toBe("size");
    expect(refusal({ type: "image/gif", size: 10 })).toBe("type");
  });
});

describe("before anything is asked", () => {
  it("what was kept is there to be carried out, renamed and deleted", async () => {
    let kept = [saved];
    const { asked } = await show("/search", {
      "GET /searches/saved": () => ({ items: kept, next_cursor: null }),
      "PATCH /searches/saved/1": ({ body }) => (kept = [{ ...saved, name: (body as { name: string }).name }])[0],
      "DELETE /searches/saved/1": () => void (kept = []),
    });
    await press("Rename “Wet days”");
    const name = await screen.findByLabelText("Name");
    await userEvent.clear(name);
    await userEvent.type(name, "Rainy days{Enter}");
    await screen.findByRole("link", { name: "Rainy days" });
    await press("Delete “Rainy days”");
    await waitFor(() => expect(screen.queryByTestId("saved-search")).toBeNull());
    expect(asked.filter(({ request }) => request.startsWith("DELETE"))).toHaveLength(1);
  });

  it("what was looked for before can be asked again, and be forgotten", async () => {
    const forgotten: unknown[] = [];
    let asked = [past, { ...past, query: "cake" }];
    await show("/search", {
      "GET /searches/history": () => ({ items: asked, next_cursor: null }),
      "DELETE /searches/history": ({ query }) => {
        forgotten.push(query?.query);
        asked = query?.query ? [past] : [];
      },
    });
    await press("Forget “cake”");
    await waitFor(() => expect(screen.getAllByTestId("past-search")).toHaveLength(1));
    await press("Forget all");
    await waitFor(() => expect(screen.queryByTestId("past-search")).toBeNull());
    expect(forgotten).toEqual(["cake", null]);
  });

  it("a search is kept by a name that is free", async () => {
    let tries = 0;
    const { asked } = await show("/search?q=tag%3Arain", {
      "POST /searches/saved": () => {
        tries += 1;
        if (tries === 1) throw new ApiError(409, { detail: "There is a saved search of this name." });
        return saved;
      },
    });
    await press("Save this search");
    await userEvent.click(await screen.findByRole("button", { name: "Save" }));
    await screen.findByText("There is a saved search of this name.");
    await userEvent.type(screen.getByLabelText("Name"), " 2");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(asked.at(-1)?.body ?? asked.at(-2)?.body).toEqual({ name: "tag:rain 2", request: { query: "tag:rain" } });
  });

  it("lets several moments be chosen, and copies their links", async () => {
    const user = userEvent.setup();
    await show("/search?q=rain", { "POST /search": () => answer([hit(1), hit(2, { video_id: "w", video_title: "Snow", at_ms: 61_000 })]) });
    await user.click(await screen.findByRole("button", { name: "Choose several" }));
    await user.click(screen.getByRole("checkbox", { name: "Choose Snow at 1:01" }));
    // The card itself chooses too, and leads nowhere meanwhile.
    await user.click(screen.getByText("rain 1"));
    screen.getByText("2 moments");
    await user.click(screen.getByRole("button", { name: "Copy links" }));
    await screen.findByText("2 links are copied.");
    const [snow, rain] = (await navigator.clipboard.readText()).split("\n");
    expect(snow).toMatch(/^1:01 Snow – rain 2 \S+\/videos\/w\?t=61000$/);
    expect(rain).toMatch(/^0:00 Rain – rain 1 \S+\/videos\/v\?t=500$/);
    await user.click(screen.getByRole("button", { name: "Choose no longer" }));
    expect(screen.queryByRole("checkbox")).toBeNull();
  });
});
