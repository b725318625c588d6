-- Live progress: every change of a job or a video is told on one channel, in the transaction that made it.
-- The API listens and passes on to the owner's event streams; nothing polls.

CREATE FUNCTION heimdex_notify_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object(
        'type', 'job',
        'owner_id', (SELECT owner_id FROM videos WHERE video_id = NEW.video_id),
        'video_id', NEW.video_id, 'run_id', NEW.run_id, 'job_id', NEW.job_id,
        'stage', NEW.stage, 'state', NEW.state, 'progress', NEW.progress,
        'note', NEW.note, 'error_code', NEW.error_code)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER jobs_notify AFTER UPDATE ON jobs FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.progress IS DISTINCT FROM NEW.progress)
    EXECUTE FUNCTION heimdex_notify_job();

CREATE FUNCTION heimdex_notify_video() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object(
        'type', 'video', 'owner_id', NEW.owner_id, 'video_id', NEW.video_id, 'state', NEW.state,
        'run_id', NEW.current_run_id, 'failure_code', NEW.failure_code)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER videos_notify_insert AFTER INSERT ON videos FOR EACH ROW EXECUTE FUNCTION heimdex_notify_video();
CREATE TRIGGER videos_notify_update AFTER UPDATE ON videos FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.current_run_id IS DISTINCT FROM NEW.current_run_id
          OR OLD.title IS DISTINCT FROM NEW.title OR OLD.poster_key IS DISTINCT FROM NEW.poster_key)
    EXECUTE FUNCTION heimdex_notify_video();
