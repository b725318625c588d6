import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { renderAt } from "@/lib/testing";
import { SaveClip } from "./SaveClip";
import { ShareMoment } from "./ShareMoment";

const share = { share_id: "x1", video_id: "v1", start_ms: 60_000, end_ms: 75_000, created_at: "2030-01-01T00:00:00Z", expires_at: "2030-01-08T00:00:00Z" };
const moment = { start_ms: 60_000, end_ms: 75_000 };

describe("sharing a moment", () => {
  afterEach(cleanup);

  it("makes a link that is shown once, and takes one back", async () => {
    let items = [share];
    const { asked } = await renderAt("/", () => <ShareMoment videoId="v1" moment={moment} />, {
      "GET /videos/v1/shares": () => ({ items }),
      "POST /videos/v1/shares": () => ({ ...share, token: "T", path: "/app/s/T" }),
      "DELETE /videos/v1/shares/x1": () => {
        items = [];
      },
    });
    await userEvent.selectOptions(screen.getByLabelText("The link works for"), "1");
    await userEvent.click(screen.getByRole("button", { name: "Make a link" }));
    expect((await screen.findByLabelText<HTMLInputElement>("Link")).value).toMatch(/\/app\/s\/T$/);
    const made = asked.find(({ request }) => request.startsWith("POST"))?.body as { start_ms: number; end_ms: number; expires_at: string };
    expect([made.start_ms, made.end_ms]).toEqual([60_000, 75_000]);
    expect(Math.abs(Date.parse(made.expires_at) - Date.now() - 86_400_000)).toBeLessThan(60_000);
    await userEvent.click(await screen.findByRole("button", { name: "Take back the link to 1:00 – 1:15" }));
    await expect.poll(() => screen.queryByRole("button", { name: /Take back/ })).toBeNull();
  });

  it("hands a clip over when it is ready", async () => {
    const clip = { clip_id: "c1", ...moment, exact: true, progress: 0, size_bytes: null, url: null, failure: null, expires_at: "2030-01-01T00:00:00Z" };
    const { asked } = await renderAt("/", () => <SaveClip videoId="v1" moment={moment} />, {
      "POST /videos/v1/clips": () => ({ ...clip, state: "preparing" }),
      "GET /videos/v1/clips/c1": () => ({ ...clip, state: "ready", url: "http://s3.test/clip", size_bytes: 2_000_000 }),
    });
    await userEvent.click(screen.getByRole("checkbox"));
    await userEvent.click(screen.getByRole("button", { name: "Cut the clip" }));
    const link = await screen.findByRole("link", { name: /Download/ });
    expect(link.getAttribute("href")).toBe("http://s3.test/clip");
    expect(asked[0]?.body).toEqual({ start_ms: 60_000, end_ms: 75_000, exact: true });
  });
});
