// The calls of the secret key.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { admin, assertError, assertUser, client, person, remember, signedIn, sweep } from "./support.mjs";

after(sweep);
const api = admin.auth.admin;

test("createUser, getUserById, updateUserById, deleteUser", async () => {
  const email = `suite-${randomUUID()}@example.org`;
  const made = await api.createUser({ email, password: "correct horse", email_confirm: true, user_metadata: { name: "Ann" }, app_metadata: { plan: "gold" } });
  assert.equal(made.error, null);
  remember(made.data.user);
  assertUser(made.data.user, email);
  assert.equal(made.data.user.app_metadata.plan, "gold");
  assertError((await api.createUser({ email })).error, 422, "email_exists");
  const { id } = made.data.user;
  assertUser((await api.getUserById(id)).data.user, email);
  const changed = await api.updateUserById(id, { email: `x-${email}`, user_metadata: { name: null, colour: "blue" }, ban_duration: "24h" });
  assert.equal(changed.error, null);
  assert.equal(changed.data.user.email, `x-${email}`);
  assert.deepEqual([changed.data.user.user_metadata.colour, "name" in changed.data.user.user_metadata], ["blue", false]);
  assert.ok(new Date(changed.data.user.banned_until) > new Date());
  assertError((await client().auth.signInWithPassword({ email: `x-${email}`, password: "correct horse" })).error, 400, "user_banned");
  assert.equal((await api.updateUserById(id, { ban_duration: "none" })).error, null);
  assert.equal((await client().auth.signInWithPassword({ email: `x-${email}`, password: "correct horse" })).error, null);
  assert.equal((await api.deleteUser(id)).error, null);
  assertError((await api.getUserById(id)).error, 404, "user_not_found");
  assertError((await api.deleteUser(id)).error, 404, "user_not_found");
});

test("listUsers pages, newest first", async () => {
  const people = [await person(), await person(), await person()];
  const { data, error } = await api.listUsers({ page: 1, perPage: 2 });
  assert.equal(error, null);
  assert.equal(data.aud, "authenticated");
  assert.deepEqual(data.users.map(({ id }) => id), [people[2].id, people[1].id]);
  assert.ok(data.total >= 3 && data.nextPage === 2 && data.lastPage >= 1, JSON.stringify({ total: data.total, next: data.nextPage, last: data.lastPage }));
});

test("inviteUserByEmail", async () => {
  const email = `suite-${randomUUID()}@example.org`;
  const { data, error } = await api.inviteUserByEmail(email, { data: { name: "Bob" } });
  assert.equal(error, null);
  remember(data.user);
  assert.ok(data.user.invited_at);
  assert.equal(data.user.user_metadata.name, "Bob");
  assertError((await api.inviteUserByEmail((await person()).email)).error, 422, "email_exists");
});

test("generateLink says what a mail would say, and refuses what makes no sense", async () => {
  const who = await person();
  const { data, error } = await api.generateLink({ type: "recovery", email: who.email });
  assert.equal(error, null);
  assert.deepEqual(Object.keys(data.properties).sort(), ["action_link", "email_otp", "hashed_token", "redirect_to", "verification_type"]);
  assert.equal(data.user.id, who.id);
  assert.ok(data.properties.action_link.includes("/auth/v1/verify?"));
  assertError((await api.generateLink({ type: "recovery", email: `x-${who.email}` })).error, 404, "user_not_found");
  assertError((await api.generateLink({ type: "signup", email: who.email, password: "correct horse" })).error, 422, "email_exists");
});

test("nobody else may call them", async () => {
  const tab = await signedIn(await person());
  const { data } = await tab.auth.getSession();
  const asPerson = client({ key: data.session.access_token });
  assertError((await asPerson.auth.admin.listUsers()).error, 403, "not_admin");
  assert.ok([401, 403].includes((await client().auth.admin.listUsers()).error.status));
});
