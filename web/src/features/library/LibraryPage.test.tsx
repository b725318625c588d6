import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Toaster } from "@/components/Toaster";
import type { RequestOptions } from "@/lib/api/client";
import type { Video } from "@/lib/api/types";
import { renderAt } from "@/lib/testing";
import { LibraryPage } from "./LibraryPage";

const film = (number: number) =>
  ({ video_id: `v${number}`, title: `Film ${number}`, tags: [], state: "indexed", duration_ms: 1000, poster_url: null, created_at: "2026-01-01T00:00:00Z", failure: null, progress: null }) as unknown as Video;

/** A library of five films that really loses and gets back what it is told to. */
function server() {
  const gone = new Set<string>();
  const titles = new Map<string, string>();
  const shown = () => [1, 2, 3, 4, 5].map(film).filter(({ video_id }) => !gone.has(video_id)).map((video) => ({ ...video, title: titles.get(video.video_id) ?? video.title }));
  return {
    "GET /videos": () => ({ items: shown(), next_cursor: null }),
    "GET /videos/ids": () => ({ items: shown().map((video) => video.video_id), next_cursor: null }),
    "GET /users/me/usage": () => ({ video_count: 5, storage_bytes: 5_000_000, uploads_today: { used: 1, limit: 3, resets_at: "2026-01-02T00:00:00Z" } }),
    "PATCH /videos/v1": ({ body }: RequestOptions) => {
      titles.set("v1", (body as { title: string }).title);
      return { ...film(1), title: (body as { title: string }).title };
    },
    "POST /videos/bulk": ({ body }: RequestOptions) => {
      const { ids, action } = body as { ids: string[]; action: string };
      for (const id of ids) {
        if (action === "delete") gone.add(id);
        else gone.delete(id);
      }
      return { items: ids.map((video_id) => ({ video_id, error: null })) };
    },
  };
}

const Page = () => (
  <>
    <LibraryPage />
    <Toaster />
  </>
);
const box = (number: number) => screen.getByRole("checkbox", { name: `Select Film ${number}` });
const titles = () => screen.queryAllByRole("checkbox").map((each) => each.getAttribute("aria-label")?.replace("Select ", ""));

describe("the library", () => {
  beforeEach(() => {
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    localStorage.clear();
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
  });

  it("says calmly what is used, and chooses one, a range, and all", async () => {
    const user = userEvent.setup();
    await renderAt("/library", Page, server());
    await screen.findByText(/5 videos · 5 MB · 2 uploads left today/);
    await user.click(box(2));
    screen.getByText("1 selected");
    await user.keyboard("{Shift>}");
    await user.click(box(4));
    await user.keyboard("{/Shift}");
    screen.getByText("3 selected");
    await user.click(screen.getByRole("button", { name: "Select all" }));
    await screen.findByText("5 selected");
    await user.keyboard("{Escape}");
    expect(screen.queryByText("5 selected")).toBeNull();
  });

  it("chooses with the keyboard from the card, and moves with the arrows", async () => {
    await renderAt("/library", Page, server());
    const first = await screen.findByRole("link", { name: "Film 1" });
    first.focus();
    fireEvent.keyDown(first, { key: " " });
    fireEvent.keyDown(first, { key: "ArrowRight" });
    await waitFor(() => expect(document.activeElement?.getAttribute("data-card")).toBe("1"));
    fireEvent.keyDown(document.activeElement as Element, { key: "End" });
    await waitFor(() => expect(document.activeElement?.getAttribute("data-card")).toBe("4"));
    fireEvent.keyDown(document.activeElement as Element, { key: " ", shiftKey: true });
    screen.getByText("5 selected");
  });

  it("deletes many in one call and brings them back", async () => {
    const user = userEvent.setup();
    const { asked } = await renderAt("/library", Page, server());
    await screen.findByRole("link", { name: "Film 1" });
    await user.click(box(1));
    await user.click(box(3));
    await user.click(within(screen.getByRole("toolbar")).getByRole("button", { name: "Delete" }));
    await screen.findByText("2 videos deleted.");
    expect(titles()).toEqual(["Film 2", "Film 4", "Film 5"]);
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await waitFor(() => expect(titles()).toEqual(["Film 1", "Film 2", "Film 3", "Film 4", "Film 5"]));
    expect(asked.filter(({ request }) => request === "POST /videos/bulk").map(({ body }) => body)).toEqual([
      { ids: ["v1", "v3"], action: "delete" },
      { ids: ["v1", "v3"], action: "restore" },
    ]);
  });

  it("renames where the title stands, and leaves it with Escape", async () => {
    const user = userEvent.setup();
    await renderAt("/library", Page, server());
    const first = await screen.findByRole("link", { name: "Film 1" });
    fireEvent.keyDown(first, { key: "F2" });
    await user.clear(screen.getByLabelText("New title of Film 1"));
    await user.type(screen.getByLabelText("New title of Film 1"), "Rain{Enter}");
    const renamed = await screen.findByRole("link", { name: "Rain" });
    fireEvent.keyDown(renamed, { key: "F2" });
    await user.type(screen.getByLabelText("New title of Rain"), "Snow{Escape}");
    screen.getByRole("link", { name: "Rain" });
    expect(screen.queryByLabelText("New title of Rain")).toBeNull();
  });

  it("keeps a filter that is chosen before the title is looked for, and what was typed", async () => {
    const user = userEvent.setup();
    const answers = server();
    const seen: unknown[] = [];
    await renderAt("/library", Page, {
      ...answers,
      "GET /videos": ({ query }: RequestOptions) => {
        seen.push(query);
        return answers["GET /videos"]();
      },
    });
    await user.type(await screen.findByRole("searchbox", { name: "Find by title" }), "film");
    await user.click(screen.getByRole("button", { name: "Ready" }));
    await waitFor(() => expect(seen.at(-1)).toMatchObject({ q: "film", state: "indexed" }));
    expect(screen.getByRole<HTMLInputElement>("searchbox", { name: "Find by title" }).value).toBe("film");
  });

  it("chooses nothing of another filter when the answer comes late", async () => {
    const user = userEvent.setup();
    let answer: (page: unknown) => void = () => undefined;
    await renderAt("/library", Page, { ...server(), "GET /videos/ids": () => new Promise((resolve) => (answer = resolve)) });
    await screen.findByRole("link", { name: "Film 1" });
    await user.click(box(1));
    await user.click(screen.getByRole("button", { name: "Select all" }));
    await user.click(screen.getByRole("button", { name: "Failed" }));
    await waitFor(() => expect(screen.queryByText("1 selected")).toBeNull());
    await act(async () => answer({ items: ["v1", "v2"], next_cursor: null }));
    expect(screen.queryByText("2 selected")).toBeNull();
  });

  it("keeps the view that was chosen", async () => {
    const user = userEvent.setup();
    await renderAt("/library", Page, server());
    await user.click(await screen.findByRole("button", { name: "List" }));
    cleanup();
    await renderAt("/library", Page, server());
    expect((await screen.findByRole("button", { name: "List" })).getAttribute("aria-pressed")).toBe("true");
  });
});
