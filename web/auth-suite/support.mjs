// What the auth suite works with: the unmodified supabase-js against any server that speaks Supabase Auth.
//   SUPABASE_URL              http://127.0.0.1:8480 for an embedded server, https://….supabase.co for a real one
//   SUPABASE_PUBLISHABLE_KEY
//   SUPABASE_SECRET_KEY       opens the admin calls; every account the suite makes is deleted again by it
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createClient } from "@supabase/supabase-js";

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const url = required("SUPABASE_URL").replace(/\/+$/, "");
export const publishableKey = required("SUPABASE_PUBLISHABLE_KEY");
const secretKey = required("SUPABASE_SECRET_KEY");
export const auth = `${url}/auth/v1`;
export const settings = await (await fetch(`${auth}/settings`, { headers: { apikey: publishableKey } })).json();

/** Node before 22 has no WebSocket; nothing here opens one. */
class NoSocket {}

/** A browser's local storage; two clients with the same one are two tabs. */
export function memory() {
  const kept = new Map();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** A client, its events, and every answer it got. */
export function client({ key = publishableKey, storage = memory(), flowType = "implicit", answers = [] } = {}) {
  const supabase = createClient(url, key, {
    auth: { storage, flowType, autoRefreshToken: false, persistSession: true, detectSessionInUrl: false },
    realtime: { transport: NoSocket },
    global: {
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        answers.push({ method: init?.method ?? "GET", path: new URL(String(input)).pathname, status: response.status, headers: response.headers });
        return response;
      },
    },
  });
  const events = [];
  supabase.auth.onAuthStateChange((event) => void events.push(event));
  return { supabase, auth: supabase.auth, events, storage, answers, last: () => answers.at(-1) };
}

export const admin = client({ key: secretKey });

const made = new Set();

/** Somebody with a confirmed address. */
export async function person(extra = {}) {
  const email = `suite-${randomUUID()}@example.org`;
  const password = `correct horse ${randomUUID()}`;
  const { data, error } = await admin.auth.admin.createUser({ email, password, email_confirm: true, ...extra });
  assert.equal(error, null);
  made.add(data.user.id);
  return { id: data.user.id, email, password };
}

/** Remembers an account for the sweep at the end. */
export function remember(user) {
  if (user?.id) made.add(user.id);
  return user;
}

export async function sweep() {
  for (const id of made) await admin.auth.admin.deleteUser(id);
}

export async function signedIn(who, options) {
  const tab = client(options);
  const { error } = await tab.auth.signInWithPassword({ email: who.email, password: who.password });
  assert.equal(error, null);
  return tab;
}

/** What a mail would say. */
export async function link(type, email, extra = {}) {
  const { data, error } = await admin.auth.admin.generateLink({ type, email, ...extra });
  assert.equal(error, null, `${type}: ${error?.message}`);
  remember(data.user);
  return data.properties;
}

export function assertError(error, status, code) {
  assert.ok(error, `an error ${code} was expected`);
  assert.deepEqual({ status: error.status, code: error.code }, { status, code }, error.message);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A user as the contract says. */
export function assertUser(user, email) {
  assert.match(user.id, UUID);
  assert.equal(user.email, email);
  assert.equal(user.aud, "authenticated");
  assert.equal(user.role, "authenticated");
  assert.equal(user.phone, "");
  assert.equal(user.is_anonymous, false);
  assert.equal(user.app_metadata.provider, "email");
  assert.deepEqual(user.app_metadata.providers, ["email"]);
  assert.equal(typeof user.user_metadata, "object");
  assert.match(user.created_at, TIME);
  assert.match(user.updated_at, TIME);
  assert.equal(user.identities.length, 1);
  const [identity] = user.identities;
  assert.equal(identity.provider, "email");
  assert.equal(identity.user_id, user.id);
  assert.equal(identity.id, user.id);
  assert.match(identity.identity_id, UUID);
  assert.equal(identity.identity_data.email, email);
}

export function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

/** A session as the contract says, its token included. */
export function assertSession(session, email) {
  assert.equal(session.token_type, "bearer");
  assert.ok(session.expires_in > 0 && Math.abs(session.expires_at - session.expires_in - Date.now() / 1000) < 60);
  assert.ok(session.refresh_token.length >= 12);
  assertUser(session.user, email);
  const token = claims(session.access_token);
  assert.equal(token.sub, session.user.id);
  assert.equal(token.aud, "authenticated");
  assert.equal(token.role, "authenticated");
  assert.equal(token.email, email);
  assert.equal(token.phone, "");
  assert.equal(token.aal, "aal1");
  assert.equal(token.is_anonymous, false);
  assert.match(token.session_id, UUID);
  assert.ok(Number.isInteger(token.iat) && Number.isInteger(token.exp));
  assert.ok(token.amr.length > 0 && Number.isInteger(token.amr[0].timestamp));
  return token;
}
