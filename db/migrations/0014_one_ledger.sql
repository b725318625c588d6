-- One ledger behind jobs and tasks: what becomes of work, whatever kind of work it is, is said once.
--
-- `work` has no rows of its own. It is the parent (PostgreSQL's table inheritance) of `jobs` and `tasks`, so that a statement
-- on `work` by the id of the current attempt finds the row wherever it lies; triggers and indexes are those of the children.

CREATE TABLE work (
    state              job_state NOT NULL,
    progress           smallint NOT NULL,
    attempts           integer NOT NULL,
    max_attempts       integer NOT NULL,
    run_at             timestamptz NOT NULL,
    pushed_at          timestamptz,
    current_attempt_id uuid,
    outage_since       timestamptz,
    note               text,
    error_code         text,
    error_message      text,
    error_chain        text,
    created_at         timestamptz NOT NULL,
    started_at         timestamptz,
    finished_at        timestamptz,
    CONSTRAINT work_lies_in_jobs_and_tasks CHECK (false) NO INHERIT
);
ALTER TABLE work ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs INHERIT work;
ALTER TABLE tasks INHERIT work;

-- By which a statement on `work` finds its row.
CREATE UNIQUE INDEX jobs_current_attempt ON jobs (current_attempt_id) WHERE current_attempt_id IS NOT NULL;
CREATE UNIQUE INDEX tasks_current_attempt ON tasks (current_attempt_id) WHERE current_attempt_id IS NOT NULL;
