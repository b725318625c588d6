import { cleanup, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "@/lib/api/errors";
import { renderAt } from "@/lib/testing";
import { SharedMomentPage } from "./SharedMomentPage";

describe("a shared moment", () => {
  afterEach(cleanup);

  it("plays its clip and says from whom it is", async () => {
    const shared = { title: "Rain", shared_by: "Ann", start_ms: 60_000, end_ms: 75_000, expires_at: "2030-01-08T00:00:00Z", state: "ready", progress: 100, url: "http://s3.test/clip" };
    await renderAt("/s/T", () => <SharedMomentPage />, { "GET /shares/T": () => shared });
    expect((await screen.findByTestId("shared-clip")).getAttribute("src")).toBe("http://s3.test/clip");
    expect(screen.getByText("Ann shares this moment with you.")).toBeTruthy();
  });

  it("says so when the link is over", async () => {
    await renderAt("/s/T", () => <SharedMomentPage />, {
      "GET /shares/T": () => {
        throw new ApiError(404, {});
      },
    });
    expect(await screen.findByText("This link does not work any more")).toBeTruthy();
  });
});
