-- What leaves a library, and what was looked for in it.

-- A moment, to a signed-in person, expiring. Only the hash of the token is kept.
CREATE TABLE shares (
    share_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    video_id   uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,
    start_ms   bigint NOT NULL,
    end_ms     bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX shares_by_owner ON shares (owner_id);

CREATE TABLE webhooks (
    webhook_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    url        text NOT NULL,
    secret     text NOT NULL,
    events     text[] NOT NULL,
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_by_owner ON webhooks (owner_id);

CREATE TABLE search_log (
    search_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    query      text NOT NULL,
    hits       integer NOT NULL,
    took_ms    integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX search_log_by_user ON search_log (user_id, search_id DESC);

CREATE TABLE saved_searches (
    saved_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name       text NOT NULL,
    request    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);
