import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
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

  it("keeps its place when a new address comes, and goes on from there when the old one has ended", async () => {
    let signed = 0;
    const shared = () => {
      signed += 1;
      return { title: `Rain ${signed}`, shared_by: "Ann", start_ms: 60_000, end_ms: 75_000, expires_at: "2030-01-08T00:00:00Z", state: "ready", progress: 100, url: `http://s3.test/clip?${signed}` };
    };
    const { client } = await renderAt("/s/T", () => <SharedMomentPage />, { "GET /shares/T": shared });
    const clip = await screen.findByTestId<HTMLVideoElement>("shared-clip");
    // Whoever comes back to the tab after ten minutes has it read again.
    await act(() => client.invalidateQueries());
    await screen.findByText("Rain 2");
    expect(clip.getAttribute("src")).toBe("http://s3.test/clip?1");
    clip.currentTime = 7;
    fireEvent.error(clip);
    expect(clip.getAttribute("src")).toBe("http://s3.test/clip?2");
    clip.currentTime = 0;
    fireEvent.loadedMetadata(clip);
    expect(clip.currentTime).toBe(7);
    fireEvent.error(clip);
    await waitFor(() => expect(clip.getAttribute("src")).toBe("http://s3.test/clip?3"));
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
