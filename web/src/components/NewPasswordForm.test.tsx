import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AuthTrouble } from "@/lib/auth-error";
import { NewPasswordForm, type NewPassword } from "./NewPasswordForm";

afterEach(cleanup);

const refusal = (code: string): AuthTrouble => ({ code, message: code, status: 400, name: "AuthApiError" });

/** The form before an auth server that gives these answers, one after the other, and then agrees. */
function before(...answers: (AuthTrouble | null)[]) {
  const save = vi.fn<(values: NewPassword) => Promise<AuthTrouble | null>>(async () => answers.shift() ?? null);
  const sendCode = vi.fn(async (): Promise<AuthTrouble | null> => null);
  render(<NewPasswordForm email="ann@example.org" askCurrent={false} save={save} sendCode={sendCode} />);
  return { save, sendCode, user: userEvent.setup() };
}
const press = (user: ReturnType<typeof userEvent.setup>) => user.click(screen.getByRole("button", { name: "Save password" }));

describe("choosing a new password", () => {
  it("asks for one thing only where the server does, and is empty afterwards", async () => {
    const { save, user } = before();
    await user.type(screen.getByLabelText("New password"), "a new password");
    await press(user);
    expect(save).toHaveBeenCalledWith({ password: "a new password" });
    expect(screen.getByLabelText("New password")).toHaveProperty("value", "");
  });

  it("does not bother the server with a short one", async () => {
    const { save, user } = before();
    await user.type(screen.getByLabelText("New password"), "short");
    await press(user);
    expect(save).not.toHaveBeenCalled();
    expect(screen.getByText(/at least 8 characters\.$/i, { selector: "p" })).toBeDefined();
    expect(document.activeElement).toBe(screen.getByLabelText("New password"));
  });

  it("asks for the current one when the server wants it, and says when it is wrong", async () => {
    const { save, user } = before(refusal("current_password_required"), refusal("current_password_invalid"));
    await user.type(screen.getByLabelText("New password"), "a new password");
    await press(user);
    const current = await screen.findByLabelText("Current password");
    expect(document.activeElement).toBe(current);
    await user.type(current, "guessed");
    await press(user);
    expect(await screen.findByText("This is not your current password.")).toBeDefined();
    await user.clear(current);
    await user.type(current, "known");
    await press(user);
    expect(save).toHaveBeenLastCalledWith({ password: "a new password", current_password: "known" });
    expect(screen.queryByLabelText("Current password")).toBeNull();
  });

  it("has a code mailed when the server wants the person to prove themselves once more", async () => {
    const { save, sendCode, user } = before(refusal("reauthentication_needed"), refusal("reauthentication_not_valid"));
    await user.type(screen.getByLabelText("New password"), "a new password");
    await press(user);
    const code = await screen.findByLabelText("Code from the mail");
    expect(sendCode).toHaveBeenCalledTimes(1);
    await user.type(code, "12 34 56");
    await press(user);
    expect(await screen.findByText(/This code is not right/)).toBeDefined();
    await user.clear(code);
    await user.type(code, "654321");
    await press(user);
    expect(save).toHaveBeenLastCalledWith({ password: "a new password", nonce: "654321" });
    expect(sendCode).toHaveBeenCalledTimes(1);
  });

  it("says why no code could be mailed", async () => {
    const { sendCode, user } = before(refusal("reauthentication_needed"));
    sendCode.mockResolvedValueOnce({ ...refusal("over_email_send_rate_limit"), status: 429, message: "only request this after 12 seconds" });
    await user.type(screen.getByLabelText("New password"), "a new password");
    await press(user);
    expect(await screen.findByRole("alert")).toHaveProperty("textContent", expect.stringContaining("12 seconds"));
    expect(screen.queryByLabelText("Code from the mail")).toBeNull();
  });
});
