import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { configure, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import type { ApiClient, RequestOptions } from "./api/client";
import { ServicesProvider, type Services } from "./services";

// What comes in the end is waited for: how fast a busy machine is, is not what is tested.
configure({ asyncUtilTimeout: 10_000 });

/** What the server answers, by `METHOD /path`; what is thrown is how a request fails. */
export type Answers = Record<string, (options: RequestOptions) => unknown>;

const PATHS = ["/", "/search", "/people", "/people/$personId", "/videos/$videoId", "/operator", "/operator/jobs", "/operator/jobs/$jobId", "/library", "/profile", "/s/$token", "/upload"] as const;

/** A layout, of which the document of tests has none: every box is as high as `box_px` and scrolls as far as it is told to, every row in it
 *  is as high as `row_px`. Until `vi.restoreAllMocks()`. */
export function layOut({ box_px, row_px }: { box_px: number; row_px: number }) {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(box_px);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(row_px);
  vi.spyOn(Element.prototype, "scrollHeight", "get").mockReturnValue(Number.MAX_SAFE_INTEGER);
  vi.spyOn(Element.prototype, "scrollTo").mockImplementation(function (this: Element, to?: number | ScrollToOptions) {
    this.scrollTop = (to as ScrollToOptions).top ?? this.scrollTop;
    // As in a browser, after what has scrolled it.
    queueMicrotask(() => this.dispatchEvent(new Event("scroll")));
  });
}

/** Renders a page or a part of one at `path`, with a server that gives `answers`. Of the paths of the app those are there that
 *  tests have led to so far, and all show the same. */
export async function renderAt(path: string, page: () => ReactNode, answers: Answers = {}) {
  const asked: { request: string; body: unknown }[] = [];
  const json = async (to: string, options: RequestOptions = {}) => {
    const request = `${options.method ?? "GET"} ${to}`;
    asked.push({ request, body: options.body });
    const answer = answers[request];
    if (!answer) throw new Error(`no answer to ${request}`);
    return answer(options);
  };
  const services = { api: { json } as unknown as ApiClient, config: { features: { faces: true } } } as unknown as Services;
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const root = createRootRoute();
  const routes = PATHS.map((known) => createRoute({ getParentRoute: () => root, path: known, component: page }));
  const router = createRouter({ routeTree: root.addChildren(routes), history: createMemoryHistory({ initialEntries: [path] }) });
  await router.load();
  const view = render(
    <ServicesProvider value={services}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </ServicesProvider>,
  );
  return { ...view, client, asked, at: () => router.state.location.pathname };
}
