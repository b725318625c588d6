-- Indexes: those no query uses go, those that deleting a video and knowing a person walk along come.

-- Faces are compared within one library, and exactly; `heimdex_db::vectors` makes none for them any more.
DO $$
DECLARE
    i record;
BEGIN
    FOR i IN SELECT c.oid::regclass AS name FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
             WHERE x.indrelid = 'face_tracks'::regclass AND c.relname LIKE 'face\_tracks\_%\_hnsw' LOOP
        EXECUTE format('DROP INDEX %s', i.name);
    END LOOP;
END
$$;

-- A video that is purged takes these rows along (ON DELETE CASCADE).
CREATE INDEX scenes_by_video ON scenes (video_id);
CREATE INDEX transcript_segments_by_video ON transcript_segments (video_id);

-- The best faces that the owner said are a person's, in the space of one model.
CREATE INDEX face_decisions_known ON face_decisions (person_id, face_model, quality DESC NULLS LAST, seq) WHERE kind = 'assigned';

-- When it was said, not when its transaction began: that may have waited for the one in which a run of the video began.
ALTER TABLE face_decisions ALTER COLUMN created_at SET DEFAULT clock_timestamp();
