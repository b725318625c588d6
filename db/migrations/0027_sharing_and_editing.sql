-- Parts of videos that leave a library, and what people correct in what was heard.

-- A part of a video as a file of its own, made by a task and removed when its time is over.
CREATE TABLE clips (
    clip_id    uuid PRIMARY KEY,
    owner_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    video_id   uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    start_ms   bigint NOT NULL CHECK (start_ms >= 0),
    end_ms     bigint NOT NULL,
    -- Cut at the picture, not at the keyframe before it.
    exact      boolean NOT NULL,
    -- Made for a share: it is not handed out as a download, and goes with the share.
    for_share  boolean NOT NULL DEFAULT false,
    -- The task that makes it. A task may be gone before its clip is.
    task_id    uuid NOT NULL,
    -- Null until it is made.
    object_key text,
    size_bytes bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CHECK (end_ms > start_ms)
);
CREATE INDEX clips_by_video ON clips (video_id);
CREATE INDEX clips_by_owner ON clips (owner_id, expires_at);
CREATE INDEX clips_to_expire ON clips (expires_at);
ALTER TABLE clips ENABLE ROW LEVEL SECURITY;

-- Whoever gets a link sees the clip, never the source.
ALTER TABLE shares
    ADD COLUMN clip_id uuid REFERENCES clips ON DELETE SET NULL,
    ADD CONSTRAINT shares_range CHECK (start_ms >= 0 AND end_ms > start_ms);
CREATE INDEX shares_by_video ON shares (video_id, created_at DESC);
CREATE INDEX shares_by_clip ON shares (clip_id) WHERE clip_id IS NOT NULL;

-- What was recognised, where a person has corrected it: {"text": …, "words": [[start_ms, end_ms, text, probability], …]}.
ALTER TABLE transcript_segments ADD COLUMN original jsonb;

-- One correction for one stretch of speech: a later one takes its place.
CREATE UNIQUE INDEX video_edits_one_text ON video_edits (video_id, start_ms, end_ms) WHERE kind = 'segment_text';
