-- A version of a video for browsers that cannot play the source: made on demand by a task, kept beside the source.

ALTER TABLE videos ADD COLUMN proxy_key text;

-- FFmpeg's name of the pixel format, for example yuv420p: two H.264 files differ by it in whether browsers play them. Null for
-- files that were looked at before this column was there.
ALTER TABLE video_metadata ADD COLUMN pixel_format text;

-- The newest task of a kind for a video.
CREATE INDEX tasks_by_video ON tasks (video_id, kind, created_at DESC) WHERE video_id IS NOT NULL;

-- Tasks about a person's video tell of their progress as jobs do.
CREATE FUNCTION heimdex_notify_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object(
        'type', 'task', 'owner_id', NEW.owner_id, 'video_id', NEW.video_id, 'task_id', NEW.task_id,
        'kind', NEW.kind, 'state', NEW.state, 'progress', NEW.progress, 'error_code', NEW.error_code)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_notify AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (NEW.owner_id IS NOT NULL AND NEW.video_id IS NOT NULL
          AND (OLD.state IS DISTINCT FROM NEW.state OR OLD.progress IS DISTINCT FROM NEW.progress))
    EXECUTE FUNCTION heimdex_notify_task();
-- Functions are everybody's by default; a trigger runs whoever may call its function.
REVOKE ALL ON FUNCTION heimdex_notify_task() FROM PUBLIC;
