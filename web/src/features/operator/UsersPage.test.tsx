import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import type { RequestOptions } from "@/lib/api/client";
import { ApiError } from "@/lib/api/errors";
import type { Account } from "@/lib/api/types";
import { renderAt } from "@/lib/testing";
import { UsersPage } from "./UsersPage";

const ben = {
  user_id: "u2",
  email: "ben@example.org",
  display_name: "Ben",
  tier: "free",
  role: "creator",
  role_profiles: ["member"],
  video_count: 1,
  storage_bytes: 17_000,
  duration_ms: 0,
  uploads_today: 0,
  created_at: "2026-05-03T10:00:00Z",
  last_login_at: null,
} as unknown as Account;

/** A server with one account that keeps what it is told. */
function server(profiles: string[]) {
  let account = ben;
  return {
    "GET /users/me": () => ({ role_profiles: profiles }),
    "GET /admin/users": () => ({ items: [account], next_cursor: null }),
    "PATCH /admin/users/u2": ({ body }: RequestOptions) => {
      const edit = body as { role_profiles: Record<string, boolean>; tier?: Account["tier"] };
      if (edit.tier === "enterprise") throw new ApiError(503, { detail: "The database is away." });
      account = { ...account, tier: edit.tier ?? account.tier, role_profiles: [...account.role_profiles, ...Object.keys(edit.role_profiles)] };
      return account;
    },
  };
}
const question = () => document.querySelector<HTMLDialogElement>("dialog[open]") as HTMLDialogElement;

describe("the accounts", () => {
  afterEach(cleanup);

  it("are changed by an admin, who hears when it cannot be done", async () => {
    const user = userEvent.setup();
    const { asked } = await renderAt("/operator", UsersPage, server(["member", "admin"]));
    await user.click(await screen.findByRole("button", { name: "Change the account of ben@example.org" }));
    await user.click(within(question()).getByRole("checkbox", { name: /^Operator/ }));
    await user.selectOptions(within(question()).getByLabelText("Plan"), "Enterprise");
    await user.click(within(question()).getByRole("button", { name: "Save" }));
    expect((await within(question()).findByRole("alert")).textContent).toBe("The database is away.");
    await user.selectOptions(within(question()).getByLabelText("Plan"), "Pro");
    await user.click(within(question()).getByRole("button", { name: "Save" }));
    await waitFor(() => expect(question()).toBeNull());
    expect(asked.filter(({ request }) => request.startsWith("PATCH")).at(-1)?.body).toEqual({ role_profiles: { operator: true }, tier: "pro" });
    await screen.findByText("Member, Operator");
  });

  it("are only looked at by an operator", async () => {
    await renderAt("/operator", UsersPage, server(["member", "operator"]));
    await screen.findByText("ben@example.org");
    expect(screen.queryByRole("button", { name: /^Change/ })).toBeNull();
  });
});
