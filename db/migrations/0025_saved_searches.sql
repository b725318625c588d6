-- Searches that people keep by name. What is kept has passed the checks of a search, and is bounded like one.

ALTER TABLE saved_searches
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD CONSTRAINT saved_searches_name_is_short CHECK (char_length(name) BETWEEN 1 AND 100),
    ADD CONSTRAINT saved_searches_request_is_an_object CHECK (jsonb_typeof(request) = 'object');

-- The list, newest first.
CREATE INDEX saved_searches_by_age ON saved_searches (user_id, created_at DESC, saved_id DESC);
