-- A video, what is known of its file, and each indexing of it.

CREATE TABLE videos (
    video_id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id            uuid NOT NULL REFERENCES users,
    title               text NOT NULL,
    description         text NOT NULL DEFAULT '',
    tags                text[] NOT NULL DEFAULT '{}',
    state               video_state NOT NULL DEFAULT 'uploading',
    original_filename   text NOT NULL,
    mime_type           text NOT NULL,
    -- What the person announced; `upload_validate` holds the object against it.
    declared_size_bytes bigint NOT NULL CHECK (declared_size_bytes > 0),
    size_bytes          bigint,
    sha256              bytea,
    -- The multipart upload in S3; null once completed, aborted or given up.
    upload_id           text,
    part_size_bytes     bigint NOT NULL CHECK (part_size_bytes > 0),
    part_count          integer NOT NULL CHECK (part_count BETWEEN 1 AND 10000),
    -- The UTC day the upload was counted on; given back when it is aborted or rejected.
    counted_on          date,
    -- The run whose scenes are visible. First set when `align_merge` ends, replaced in `commit`.
    current_run_id      uuid,
    poster_key          text,
    failure_code        text,
    failure_message     text,
    -- [{code, message}]: indexed, but the owner should know.
    warnings            jsonb NOT NULL DEFAULT '[]',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    uploaded_at         timestamptz,
    indexed_at          timestamptz,
    -- Set with state 'deleted': hidden at once, restorable until `purge_after`, then everything derived is removed.
    deleted_at          timestamptz,
    state_before_delete video_state,
    purge_after         timestamptz,
    title_tsv           tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', description), 'B')
    ) STORED
);
CREATE INDEX videos_by_owner ON videos (owner_id, created_at DESC, video_id DESC) WHERE state <> 'deleted';
CREATE INDEX videos_by_sha256 ON videos (owner_id, sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX videos_uploading ON videos (created_at) WHERE state = 'uploading';
CREATE INDEX videos_to_purge ON videos (purge_after) WHERE state = 'deleted';
CREATE INDEX videos_title_tsv ON videos USING gin (title_tsv);
CREATE TRIGGER videos_touch BEFORE UPDATE ON videos FOR EACH ROW EXECUTE FUNCTION heimdex_touch_updated_at();

-- What `upload_validate` read from the file. Widths and heights are as displayed (after rotation).
CREATE TABLE video_metadata (
    video_id       uuid PRIMARY KEY REFERENCES videos ON DELETE CASCADE,
    container      text NOT NULL,
    duration_ms    bigint NOT NULL CHECK (duration_ms >= 0),
    width          integer NOT NULL,
    height         integer NOT NULL,
    fps            double precision NOT NULL,
    variable_fps   boolean NOT NULL DEFAULT false,
    rotation       smallint NOT NULL DEFAULT 0,
    video_codec    text NOT NULL,
    bit_depth      smallint,
    bit_rate       bigint,
    audio_codec    text,
    -- [{index, codec, channels, sample_rate, language, start_ms}]
    audio_tracks   jsonb NOT NULL DEFAULT '[]',
    -- Integrated loudness by ITU-R BS.1770, in LUFS; null when there is no sound.
    loudness_lufs  double precision,
    creation_time  timestamptz,
    probed_at      timestamptz NOT NULL DEFAULT now()
);

-- One indexing of one video with the versions of every model used.
CREATE TABLE runs (
    run_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    video_id    uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    reason      text NOT NULL CHECK (reason IN ('initial', 'reprocess')),
    state       job_state NOT NULL DEFAULT 'pending',
    -- {kind: model id}: what the run was made with.
    models      jsonb NOT NULL DEFAULT '{}',
    language    text,
    -- Artifacts in S3 by name, written by the stage that makes them: {"audio": key, "sidecar": key, ...}
    artifacts   jsonb NOT NULL DEFAULT '{}',
    -- Which stages the person asked to redo; empty for an initial run.
    redo        job_stage[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    visible_at  timestamptz,
    finished_at timestamptz,
    UNIQUE (video_id, run_id)
);
-- At most one run of a video is under way: two people pressing "reprocess" get one.
CREATE UNIQUE INDEX runs_one_active ON runs (video_id) WHERE state IN ('pending', 'running');

ALTER TABLE videos ADD CONSTRAINT videos_current_run
    FOREIGN KEY (video_id, current_run_id) REFERENCES runs (video_id, run_id) DEFERRABLE INITIALLY DEFERRED;
