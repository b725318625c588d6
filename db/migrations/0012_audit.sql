-- The history of accounts says who did it in what capacity, to whom, and what it was before and after. Never with secrets.

ALTER TABLE audit_events
    -- In what capacity: a signed-in person, a command on the host, the Supabase project, or somebody not signed in.
    ADD COLUMN actor_kind text NOT NULL DEFAULT 'person'
        CONSTRAINT audit_events_actor_known CHECK (actor_kind IN ('person', 'command', 'project', 'nobody')),
    -- What it was done to, beside the person: a token's id, a key's id, an account that has no row in `users`.
    ADD COLUMN target text,
    ADD COLUMN before jsonb,
    ADD COLUMN after jsonb;
UPDATE audit_events SET after = detail WHERE detail <> '{}';
ALTER TABLE audit_events DROP COLUMN detail;
CREATE INDEX audit_events_by_action ON audit_events (action, event_id DESC);
