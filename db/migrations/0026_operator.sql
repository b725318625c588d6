-- The operator's console: indexes for what it asks over all owners, and the changes it is told of besides those of videos.

-- Counts by stage and state, from the index alone.
CREATE INDEX jobs_by_stage ON jobs (stage, state) INCLUDE (ready, run_at);
-- Throughput of the last hour.
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_finished ON tasks (finished_at) WHERE finished_at IS NOT NULL;
-- Failures by their code.
CREATE INDEX jobs_failed ON jobs (error_code, finished_at DESC) WHERE state = 'failed';
CREATE INDEX tasks_failed ON tasks (error_code, finished_at DESC) WHERE state = 'failed';
-- What a worker is at, and what it has been at.
CREATE INDEX job_attempts_by_worker ON job_attempts (worker, started_at DESC);
-- Everybody's videos, newest first.
CREATE INDEX videos_newest ON videos (created_at DESC, video_id DESC);

-- A change of the installation that belongs to nobody: a stage was paused, a worker came or went, work of the house ended.
-- It only says where to look.
CREATE FUNCTION heimdex_notify_operations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('heimdex_events', json_build_object('type', 'operations', 'what', TG_ARGV[0])::text);
    RETURN NULL;
END
$$;
-- Functions are everybody's by default; a trigger runs whoever may call its function.
REVOKE ALL ON FUNCTION heimdex_notify_operations() FROM PUBLIC;

CREATE TRIGGER stage_controls_notify AFTER UPDATE ON stage_controls FOR EACH ROW
    WHEN (OLD.paused IS DISTINCT FROM NEW.paused)
    EXECUTE FUNCTION heimdex_notify_operations('stages');
CREATE TRIGGER workers_notify AFTER INSERT OR DELETE ON workers FOR EACH ROW
    EXECUTE FUNCTION heimdex_notify_operations('workers');
-- Tasks about a person's video tell of themselves.
CREATE TRIGGER tasks_notify_operations AFTER UPDATE ON tasks FOR EACH ROW
    WHEN ((NEW.owner_id IS NULL OR NEW.video_id IS NULL) AND OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION heimdex_notify_operations('tasks');
