import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { PreparingPlayer } from "./PreparingPlayer";

afterEach(cleanup);

it("says what is being waited for, and how far it is", () => {
  const { rerender } = render(<PreparingPlayer preparing={{ state: "pending", progress: 0 }} poster={null} />);
  expect(screen.getByRole("status").textContent).toContain("will be made shortly");
  rerender(<PreparingPlayer preparing={{ state: "running", progress: 40 }} poster={null} />);
  expect(screen.getByRole("status").textContent).toContain("Making a version your browser can play");
  expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("40");
});
