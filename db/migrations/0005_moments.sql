-- What was found in a video. Everything here belongs to a run, carries its owner, and goes when the run goes.
--
-- Vectors are untyped with the model's id beside them; each registered model gets its own partial HNSW expression index
-- (`heimdex_db::vectors`), so that models of any dimension live side by side.

-- `scene_id` is UUIDv5 of (video, start_ms, end_ms): a link survives a re-index that finds the same scene.
CREATE TABLE scenes (
    run_id        uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    scene_id      uuid NOT NULL,
    video_id      uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    owner_id      uuid NOT NULL REFERENCES users,
    ordinal       integer NOT NULL CHECK (ordinal >= 0),
    start_ms      bigint NOT NULL CHECK (start_ms >= 0),
    end_ms        bigint NOT NULL,
    -- Mean change between neighbouring frames, 0 (still) to 1.
    motion        real,
    -- How the scene begins: 'start', 'cut', 'fade', 'dissolve'.
    transition    text NOT NULL DEFAULT 'cut',
    -- The words spoken in it, put there by `align_merge`.
    text          text NOT NULL DEFAULT '',
    language      text,
    text_tsv      tsvector NOT NULL DEFAULT ''::tsvector,
    thumbnail_key       text,
    thumbnail_large_key text,
    keyframe_ms   bigint,
    image_vec     vector,
    image_model   text,
    -- {valence, arousal, energy} with their sources
    affect        jsonb,
    PRIMARY KEY (run_id, scene_id),
    UNIQUE (run_id, ordinal),
    CHECK (end_ms > start_ms)
);
CREATE INDEX scenes_by_id ON scenes (scene_id);
CREATE INDEX scenes_by_owner ON scenes (owner_id, video_id);
CREATE INDEX scenes_text_tsv ON scenes USING gin (text_tsv);
CREATE INDEX scenes_text_trgm ON scenes USING gin (text gin_trgm_ops);

CREATE TABLE transcript_segments (
    run_id            uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    segment_no        integer NOT NULL,
    video_id          uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    start_ms          bigint NOT NULL,
    end_ms            bigint NOT NULL,
    text              text NOT NULL,
    avg_logprob       real,
    no_speech_prob    real,
    compression_ratio real,
    temperature       real,
    PRIMARY KEY (run_id, segment_no)
);

CREATE TABLE transcript_words (
    run_id      uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    word_no     integer NOT NULL,
    segment_no  integer NOT NULL,
    start_ms    bigint NOT NULL,
    end_ms      bigint NOT NULL,
    -- As written, with its leading space where there is one.
    text        text NOT NULL,
    probability real NOT NULL,
    -- Set by `align_merge`.
    scene_id    uuid,
    PRIMARY KEY (run_id, word_no)
);
CREATE INDEX transcript_words_by_scene ON transcript_words (run_id, scene_id);

-- Scene text in windows that fit the text model.
CREATE TABLE text_windows (
    window_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     uuid NOT NULL,
    scene_id   uuid NOT NULL,
    owner_id   uuid NOT NULL REFERENCES users,
    ordinal    integer NOT NULL,
    start_ms   bigint NOT NULL,
    end_ms     bigint NOT NULL,
    text       text NOT NULL,
    text_vec   vector NOT NULL,
    text_model text NOT NULL,
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE,
    UNIQUE (run_id, scene_id, ordinal)
);
CREATE INDEX text_windows_by_owner ON text_windows (owner_id, text_model);

-- Pictures of a scene: every candidate of the single decode; those chosen as sharp and distinct are `sampled`.
CREATE TABLE frames (
    run_id      uuid NOT NULL,
    scene_id    uuid NOT NULL,
    at_ms       bigint NOT NULL,
    owner_id    uuid NOT NULL REFERENCES users,
    object_key  text NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    -- Variance of the Laplacian; higher is sharper.
    sharpness   real NOT NULL,
    -- Mean luma, 0 to 1.
    brightness  real NOT NULL,
    -- 64-bit perceptual hash, as a signed integer.
    phash       bigint NOT NULL,
    sampled     boolean NOT NULL DEFAULT false,
    image_vec   vector,
    image_model text,
    PRIMARY KEY (run_id, at_ms),
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE
);
CREATE INDEX frames_by_scene ON frames (run_id, scene_id) WHERE sampled;

-- Writing seen on screen, merged over neighbouring frames.
CREATE TABLE screen_texts (
    text_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     uuid NOT NULL,
    scene_id   uuid NOT NULL,
    owner_id   uuid NOT NULL REFERENCES users,
    start_ms   bigint NOT NULL,
    end_ms     bigint NOT NULL,
    text       text NOT NULL,
    confidence real NOT NULL,
    -- Four corners in units of the picture's width and height.
    box        jsonb NOT NULL,
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE
);
CREATE INDEX screen_texts_trgm ON screen_texts USING gin (text gin_trgm_ops);
CREATE INDEX screen_texts_by_scene ON screen_texts (run_id, scene_id);

CREATE TABLE scene_tags (
    run_id   uuid NOT NULL,
    scene_id uuid NOT NULL,
    tag      text NOT NULL,
    score    real NOT NULL,
    source   text NOT NULL,
    PRIMARY KEY (run_id, scene_id, tag),
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE
);
CREATE INDEX scene_tags_by_tag ON scene_tags (tag);

-- People the owner has named (or a cluster that waits for a name).
CREATE TABLE face_profiles (
    person_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    display_name text,
    -- Biometric consent, recorded per person.
    consent_at   timestamptz,
    consent_note text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX face_profiles_by_owner ON face_profiles (owner_id);
CREATE TRIGGER face_profiles_touch BEFORE UPDATE ON face_profiles FOR EACH ROW EXECUTE FUNCTION heimdex_touch_updated_at();

CREATE TABLE face_photos (
    photo_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    person_id  uuid NOT NULL REFERENCES face_profiles ON DELETE CASCADE,
    object_key text NOT NULL,
    face_vec   vector NOT NULL,
    face_model text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX face_photos_by_person ON face_photos (person_id);

CREATE TABLE face_detections (
    detection_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id       uuid NOT NULL,
    scene_id     uuid NOT NULL,
    owner_id     uuid NOT NULL REFERENCES users,
    at_ms        bigint NOT NULL,
    track_no     integer,
    -- {x, y, width, height} in units of the picture
    box          jsonb NOT NULL,
    quality      real NOT NULL,
    face_vec     vector NOT NULL,
    face_model   text NOT NULL,
    person_id    uuid REFERENCES face_profiles ON DELETE SET NULL,
    similarity   real,
    FOREIGN KEY (run_id, scene_id) REFERENCES scenes ON DELETE CASCADE
);
CREATE INDEX face_detections_by_scene ON face_detections (run_id, scene_id);
CREATE INDEX face_detections_by_person ON face_detections (person_id) WHERE person_id IS NOT NULL;

-- What people did belongs to the video and is applied again to each run.
CREATE TABLE video_edits (
    edit_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id   uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users,
    -- 'segment_text', 'scene_tag', 'person_rejected', …
    kind       text NOT NULL,
    start_ms   bigint,
    end_ms     bigint,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX video_edits_by_video ON video_edits (video_id, created_at);

-- Every model whose vectors may be in the tables above: what search embeds a query with.
CREATE TABLE vector_models (
    model      text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('text', 'image', 'face')),
    dimension  integer NOT NULL CHECK (dimension BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now()
);
