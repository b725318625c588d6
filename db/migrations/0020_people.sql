-- People: who said yes, the photos a person is known by, what the owner decided about faces, and who is in a scene.

-- Who recorded the consent; when and what they noted is there already.
ALTER TABLE face_profiles ADD COLUMN consent_by uuid REFERENCES users ON DELETE SET NULL;

-- A photo is first kept as it was sent. A worker checks it in the sandbox and puts a copy without metadata in its place.
ALTER TABLE face_photos
    ADD COLUMN owner_id   uuid REFERENCES users ON DELETE CASCADE,
    ADD COLUMN state      text NOT NULL DEFAULT 'checking',
    -- Why it was rejected: a stable code, and a sentence that says what to do.
    ADD COLUMN code       text,
    ADD COLUMN message    text,
    -- As it was sent, with its metadata; null once it has been checked.
    ADD COLUMN sent_key   text,
    -- Of its face, 0 to 1.
    ADD COLUMN quality    real,
    ADD COLUMN checked_at timestamptz,
    ALTER COLUMN object_key DROP NOT NULL,
    ALTER COLUMN face_vec DROP NOT NULL,
    ALTER COLUMN face_model DROP NOT NULL;
UPDATE face_photos f SET state = 'accepted', checked_at = f.created_at, owner_id = p.owner_id
FROM face_profiles p WHERE p.person_id = f.person_id;
ALTER TABLE face_photos
    ALTER COLUMN owner_id SET NOT NULL,
    ADD CONSTRAINT face_photos_state_known CHECK (state IN ('checking', 'accepted', 'rejected')),
    ADD CONSTRAINT face_photos_rejected_says_why CHECK ((state = 'rejected') = (code IS NOT NULL AND message IS NOT NULL)),
    ADD CONSTRAINT face_photos_accepted_has_vector CHECK ((state = 'accepted') = (face_vec IS NOT NULL AND face_model IS NOT NULL)),
    ADD CONSTRAINT face_photos_checking_has_bytes CHECK (state <> 'checking' OR sent_key IS NOT NULL);
CREATE INDEX face_photos_by_owner ON face_photos (owner_id, face_model);

-- What the owner decided about a face: "this is …" (assigned) or "this is not …" (rejected). It belongs to a place in the video,
-- a time and, unless it is about everybody in that time, a part of the picture; so it finds its face again in another run. The
-- newer of two that contradict each other counts.
CREATE TABLE face_decisions (
    decision_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    video_id    uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    person_id   uuid NOT NULL REFERENCES face_profiles ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('assigned', 'rejected')),
    start_ms    bigint NOT NULL,
    end_ms      bigint NOT NULL CHECK (end_ms >= start_ms),
    -- Mean box of the face, in units of the picture: x, y, width, height. Null: whichever faces are there at that time.
    area        real[] CHECK (cardinality(area) = 4),
    -- An assigned face is one the person is known by, as a photo is. Written again by each run of the video.
    face_vec    vector,
    face_model  text,
    quality     real,
    -- Grows with every decision, also within one transaction.
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((face_vec IS NULL) = (face_model IS NULL)),
    CHECK (kind = 'assigned' OR face_vec IS NULL)
);
CREATE INDEX face_decisions_by_video ON face_decisions (video_id, seq);
CREATE INDEX face_decisions_by_person ON face_decisions (person_id);
CREATE INDEX face_decisions_by_owner ON face_decisions (owner_id, face_model);
ALTER TABLE face_decisions ENABLE ROW LEVEL SECURITY;

-- Where a track is: the mean of the boxes of its faces, as in `face_decisions.area`.
CREATE FUNCTION heimdex_mean_box(run uuid, track integer) RETURNS real[] LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN count(*) > 0 THEN ARRAY[avg((box ->> 'x')::float8), avg((box ->> 'y')::float8),
                                             avg((box ->> 'width')::float8), avg((box ->> 'height')::float8)]::real[] END
    FROM face_detections WHERE run_id = run AND track_no = track
$$;
REVOKE ALL ON FUNCTION heimdex_mean_box(uuid, integer) FROM PUBLIC;
CREATE INDEX face_detections_by_track ON face_detections (run_id, track_no);

-- The one place that says who is in a scene: whoever is seen in a fifth of the pictures of it that were looked at, or for a
-- second at a stretch. `share` is the part of those pictures, 0 to 1.
CREATE VIEW scene_people WITH (security_invoker = true) AS
SELECT t.run_id, t.scene_id, t.owner_id, t.person_id,
       least(1, sum(t.faces)::real / max(t.frames))::real AS share,
       min(t.start_ms) AS start_ms, max(t.end_ms) AS end_ms
FROM face_tracks t
WHERE t.person_id IS NOT NULL
GROUP BY t.run_id, t.scene_id, t.owner_id, t.person_id
HAVING sum(t.faces)::real / max(t.frames) >= 0.2 OR max(t.end_ms - t.start_ms) >= 1000;

-- A checked photo, and the search for a person in the library, are told on the owner's event stream.
CREATE FUNCTION heimdex_notify_photo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object(
        'type', 'photo', 'owner_id', NEW.owner_id, 'person_id', NEW.person_id, 'photo_id', NEW.photo_id,
        'state', NEW.state, 'code', NEW.code)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER face_photos_notify AFTER UPDATE ON face_photos FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION heimdex_notify_photo();
REVOKE ALL ON FUNCTION heimdex_notify_photo() FROM PUBLIC;

-- A photo whose check failed for good (no model, a worker that died again and again) must not wait for ever.
CREATE FUNCTION heimdex_photo_not_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE face_photos SET state = 'rejected', code = 'not_checked', checked_at = now(),
        message = 'The photo could not be checked. Please send it again; if it happens again, tell the operator.'
    WHERE photo_id = (NEW.payload ->> 'photo_id')::uuid AND state = 'checking';
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_photo_not_checked AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (NEW.kind = 'check_photo' AND NEW.state = 'failed' AND OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION heimdex_photo_not_checked();
REVOKE ALL ON FUNCTION heimdex_photo_not_checked() FROM PUBLIC;

CREATE FUNCTION heimdex_notify_matching() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object(
        'type', 'matching', 'owner_id', NEW.owner_id, 'person_id', NEW.payload ->> 'person_id', 'task_id', NEW.task_id,
        'state', NEW.state, 'progress', NEW.progress)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_notify_matching AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (NEW.kind = 'match_person' AND NEW.owner_id IS NOT NULL
          AND (OLD.state IS DISTINCT FROM NEW.state OR OLD.progress IS DISTINCT FROM NEW.progress))
    EXECUTE FUNCTION heimdex_notify_matching();
REVOKE ALL ON FUNCTION heimdex_notify_matching() FROM PUBLIC;

DO $$
DECLARE
    t text;
BEGIN
    IF to_regprocedure('auth.uid()') IS NOT NULL THEN
        FOREACH t IN ARRAY ARRAY['face_photos', 'face_decisions'] LOOP
            EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (owner_id IN '
                '(SELECT u.user_id FROM users u WHERE u.supabase_user_id = auth.uid()))', t || '_own', t);
        END LOOP;
    END IF;
END
$$;
