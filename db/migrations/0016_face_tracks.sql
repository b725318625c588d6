-- A face seen through neighbouring pictures of one scene. Its vector is the mean of the good faces in it, of length 1; whose face it is
-- is decided for the track as a whole.
CREATE TABLE face_tracks (
    run_id     uuid NOT NULL,
    track_no   integer NOT NULL CHECK (track_no >= 0),
    scene_id   uuid NOT NULL,
    owner_id   uuid NOT NULL REFERENCES users,
    start_ms   bigint NOT NULL,
    end_ms     bigint NOT NULL CHECK (end_ms >= start_ms),
    -- Pictures in which it was found, and of how many of the scene's that were looked at.
    faces      integer NOT NULL CHECK (faces > 0),
    frames     integer NOT NULL CHECK (frames >= faces),
    -- Of its best face, 0 to 1.
    quality    real NOT NULL,
    -- No vector: no face in it was good enough to tell whose it is.
    face_vec   vector,
    face_model text NOT NULL,
    -- Its best face, cut out.
    cover_key  text,
    -- Whose it is: a named person or a cluster that waits for a name.
    person_id  uuid REFERENCES face_profiles ON DELETE SET NULL,
    similarity real,
    PRIMARY KEY (run_id, track_no),
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE
);
CREATE INDEX face_tracks_by_scene ON face_tracks (run_id, scene_id);
CREATE INDEX face_tracks_by_person ON face_tracks (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX face_tracks_by_owner ON face_tracks (owner_id, face_model);
ALTER TABLE face_tracks ENABLE ROW LEVEL SECURITY;

-- Single faces say where in which picture; what they have in common is the track's.
ALTER TABLE face_detections DROP COLUMN person_id, DROP COLUMN similarity, ALTER COLUMN track_no SET NOT NULL, ALTER COLUMN face_vec DROP NOT NULL;
ALTER TABLE face_detections ADD FOREIGN KEY (run_id, track_no) REFERENCES face_tracks ON DELETE CASCADE;

DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NOT NULL THEN
        CREATE POLICY face_tracks_own ON face_tracks FOR SELECT
            USING (owner_id IN (SELECT u.user_id FROM users u WHERE u.supabase_user_id = auth.uid()));
    END IF;
END
$$;
