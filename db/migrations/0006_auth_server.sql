-- The embedded auth server: used only when no SUPABASE_URL is set. No policy ever opens these tables.

CREATE TABLE auth_credentials (
    -- The `sub` of the tokens; users.supabase_user_id points here.
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email              text NOT NULL,
    -- Argon2id, PHC string.
    password_hash      text,
    email_confirmed_at timestamptz,
    user_metadata      jsonb NOT NULL DEFAULT '{}',
    app_metadata       jsonb NOT NULL DEFAULT '{}',
    new_email          text,
    banned_until       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at    timestamptz,
    confirmation_sent_at timestamptz,
    recovery_sent_at   timestamptz,
    email_change_sent_at timestamptz,
    deleted_at         timestamptz
);
CREATE UNIQUE INDEX auth_credentials_email ON auth_credentials (lower(email)) WHERE deleted_at IS NULL;
CREATE TRIGGER auth_credentials_touch BEFORE UPDATE ON auth_credentials FOR EACH ROW EXECUTE FUNCTION heimdex_touch_updated_at();

CREATE TABLE auth_sessions (
    session_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    credential_id   uuid NOT NULL REFERENCES auth_credentials ON DELETE CASCADE,
    -- Generation of the newest refresh token.
    refresh_counter bigint NOT NULL DEFAULT 0,
    aal             text NOT NULL DEFAULT 'aal1',
    -- [{method, timestamp}], newest first
    amr             jsonb NOT NULL DEFAULT '[]',
    user_agent      text,
    ip              inet,
    created_at      timestamptz NOT NULL DEFAULT now(),
    refreshed_at    timestamptz NOT NULL DEFAULT now(),
    not_after       timestamptz
);
CREATE INDEX auth_sessions_by_credential ON auth_sessions (credential_id);

-- Every generation issued in a session, hashed (SHA-256). A token two or more generations behind, outside the reuse
-- interval, ends the session: it was stolen.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES auth_sessions ON DELETE CASCADE,
    counter    bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, counter, token_hash)
);

-- One-time tokens: sign-up confirmation, recovery, e-mail change, magic link, invitation, reauthentication.
CREATE TABLE email_verification_tokens (
    token_hash    text PRIMARY KEY,
    credential_id uuid NOT NULL REFERENCES auth_credentials ON DELETE CASCADE,
    kind          text NOT NULL,
    email         text NOT NULL,
    code_challenge text,
    redirect_to   text,
    attempts      integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX email_verification_tokens_by_credential ON email_verification_tokens (credential_id, kind);

CREATE TABLE auth_flows (
    auth_code      text PRIMARY KEY,
    credential_id  uuid NOT NULL REFERENCES auth_credentials ON DELETE CASCADE,
    code_challenge text NOT NULL,
    method         text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL
);

-- Signing keys: exactly one in use; standby and previous ones are published too.
CREATE TABLE auth_signing_keys (
    kid         text PRIMARY KEY,
    alg         text NOT NULL DEFAULT 'ES256',
    private_pem text NOT NULL,
    public_jwk  jsonb NOT NULL,
    state       text NOT NULL CHECK (state IN ('standby', 'in_use', 'previous', 'revoked')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX auth_signing_keys_one_in_use ON auth_signing_keys ((true)) WHERE state = 'in_use';

-- Mail that waits for SMTP, or, without SMTP, for someone to read it here.
CREATE TABLE mail_outbox (
    mail_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz
);

-- Attempts per address and account, in fixed windows.
CREATE TABLE auth_rate_limits (
    bucket       text NOT NULL,
    window_start timestamptz NOT NULL,
    used         integer NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, window_start)
);
