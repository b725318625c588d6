-- Titles and descriptions are searched by stems too: "tram" finds "Trams of Lisbon".
ALTER TABLE videos DROP COLUMN title_tsv;
ALTER TABLE videos ADD COLUMN title_tsv tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', title) || to_tsvector('english', title), 'A')
    || setweight(to_tsvector('simple', description) || to_tsvector('english', description), 'B')
) STORED;
CREATE INDEX videos_title_tsv ON videos USING gin (title_tsv);

-- Writing on screen is found by its words too, in one person's library.
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE INDEX screen_texts_words ON screen_texts USING gin (owner_id, to_tsvector('english', text)) WITH (fastupdate = off);
