-- Search over a million scenes of many people.

-- Text is looked for in one person's library: the owner leads each of its indexes, so that what others say costs nobody anything.
-- Without a list of pending entries, which every search would read through.
CREATE EXTENSION IF NOT EXISTS btree_gin;
DROP INDEX scenes_text_tsv;
CREATE INDEX scenes_text_tsv ON scenes USING gin (owner_id, text_tsv) WITH (fastupdate = off);
DROP INDEX scenes_text_trgm;
CREATE INDEX scenes_text_trgm ON scenes USING gin (owner_id, text gin_trgm_ops) WITH (fastupdate = off);
DROP INDEX screen_texts_trgm;
CREATE INDEX screen_texts_trgm ON screen_texts USING gin (owner_id, text gin_trgm_ops) WITH (fastupdate = off);

-- A small library is compared vector by vector: they stay in their rows instead of a place of their own, one look-up each.
ALTER TABLE scenes SET (toast_tuple_target = 4080);
ALTER TABLE text_windows SET (toast_tuple_target = 4080);

-- Whether a row's run is the one that is shown.
CREATE INDEX videos_by_current_run ON videos (current_run_id) WHERE current_run_id IS NOT NULL;

-- Where a person is seen most, for one who is in very many scenes. It serves what the index by person alone served.
CREATE INDEX face_tracks_by_share ON face_tracks (person_id, ((faces::real / frames)) DESC) WHERE person_id IS NOT NULL;
DROP INDEX face_tracks_by_person;
