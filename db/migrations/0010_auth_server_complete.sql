-- The embedded auth server, complete: refresh tokens that can be made again, one-time tokens, e-mail changes in two halves.

-- Refresh tokens of the first form were random; these are a counter authenticated by a key of the session, so that the
-- newest one can be given again to a tab that missed it. Sessions of the first form end here.
DELETE FROM auth_sessions;
ALTER TABLE auth_sessions
    -- HMAC-SHA-256 key of the session's refresh tokens.
    ADD COLUMN refresh_key bytea NOT NULL CONSTRAINT auth_sessions_refresh_key_length CHECK (octet_length(refresh_key) = 32);
ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_session_id_counter_token_hash_key;
ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_one_a_generation UNIQUE (session_id, counter);
CREATE INDEX auth_sessions_by_refresh ON auth_sessions (refreshed_at);

ALTER TABLE auth_credentials
    ADD COLUMN invited_at timestamptz,
    ADD COLUMN reauthentication_sent_at timestamptz,
    -- One of the two mailboxes has agreed to the change of address.
    ADD COLUMN email_change_half_confirmed boolean NOT NULL DEFAULT false;
CREATE INDEX auth_credentials_newest ON auth_credentials (created_at DESC, id);

-- One token of each kind at a time: a new one spends the old one. `token_hash` is the hexadecimal SHA-224 of the mailbox
-- and the six digits sent to it, with `pkce_` before it where the one who asked holds a code verifier.
DELETE FROM email_verification_tokens;
ALTER TABLE email_verification_tokens
    DROP CONSTRAINT email_verification_tokens_pkey,
    DROP COLUMN used_at,
    DROP COLUMN redirect_to,
    ADD COLUMN challenge_method text,
    ADD CONSTRAINT email_verification_tokens_kind_known
        CHECK (kind IN ('confirmation', 'recovery', 'email_change_current', 'email_change_new', 'reauthentication')),
    ADD CONSTRAINT email_verification_tokens_pkey PRIMARY KEY (credential_id, kind);
DROP INDEX email_verification_tokens_by_credential;
CREATE INDEX email_verification_tokens_by_hash ON email_verification_tokens (token_hash);
CREATE INDEX email_verification_tokens_by_mailbox ON email_verification_tokens (email, kind);

-- `method` is that of the challenge (RFC 7636, 4.2); how the person proved themselves stands beside it.
ALTER TABLE auth_flows ADD COLUMN authentication_method text NOT NULL DEFAULT 'otp';

-- When a mailbox was last written to, whether or not there is an account behind it.
CREATE TABLE auth_mail_times (
    bucket  text PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE auth_mail_times ENABLE ROW LEVEL SECURITY;
CREATE INDEX auth_rate_limits_by_age ON auth_rate_limits (window_start);
