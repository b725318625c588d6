-- People, what they may do, and what was done.

-- One row per person. `supabase_user_id` is the `sub` of their tokens; it is null only for a tombstone whose account is
-- gone. Never joined by e-mail: SSO accounts may share one.
CREATE TABLE users (
    user_id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    supabase_user_id uuid UNIQUE,
    email            text,
    email_verified   boolean NOT NULL DEFAULT false,
    display_name     text,
    avatar_url       text,
    tier             user_tier NOT NULL DEFAULT 'free',
    -- A preference (default search weights, home page), never a permission.
    role             text NOT NULL DEFAULT 'creator'
                     CONSTRAINT users_role_known CHECK (role IN ('creator', 'journalist', 'researcher', 'archivist')),
    -- False for a person who arrived without a role: they are asked at the first visit.
    role_chosen      boolean NOT NULL DEFAULT false,
    -- `iat` of the newest token whose claims were applied: an older token never overwrites a newer one.
    claims_issued_at timestamptz,
    -- Set once the person has edited name or picture here: claims stop overwriting them.
    profile_edited_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    last_login_at    timestamptz,
    -- A tombstone: a live token of a deleted account must not bring the person back.
    deleted_at       timestamptz
);
CREATE INDEX users_email ON users (lower(email));
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION heimdex_touch_updated_at();

-- What the person may do; travels in the token as app_metadata.role_profiles.
CREATE TABLE user_role_profiles (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role_type  text NOT NULL CONSTRAINT user_role_profiles_known CHECK (role_type IN ('member', 'operator', 'admin')),
    enabled    boolean NOT NULL DEFAULT true,
    granted_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role_type)
);

-- Everything that changes an account or is done by an operator. Never updated.
CREATE TABLE audit_events (
    event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor_id   uuid REFERENCES users ON DELETE SET NULL,
    subject_id uuid,
    action     text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    ip         inet,
    request_id text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_events_by_subject ON audit_events (subject_id, event_id DESC);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, event_id DESC);

-- Tokens a person makes for scripts. Only the SHA-256 is kept.
CREATE TABLE api_tokens (
    token_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL,
    token_hash   bytea NOT NULL UNIQUE,
    scopes       text[] NOT NULL CONSTRAINT api_tokens_scopes_known CHECK (scopes <@ ARRAY['read', 'upload', 'search']),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at   timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

-- The answer to a creating call, kept so that a repeated Idempotency-Key gets it again. Swept after a day.
CREATE TABLE idempotency_keys (
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key          text NOT NULL,
    -- SHA-256 of method, path and body: the same key with another request is an error.
    request_hash bytea NOT NULL,
    status       smallint,
    response     jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- One row per person, limit and window, counted up by the request that uses it, so that a limit holds under concurrency.
-- `kind`: 'uploads' (window = a UTC day) or 'searches' (window = a minute).
CREATE TABLE quota_usage (
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind         text NOT NULL,
    window_start timestamptz NOT NULL,
    used         integer NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (user_id, kind, window_start)
);
