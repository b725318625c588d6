-- The ledger: what is to be done, what was tried, by whom. apalis delivers; this is the truth.
--
--   pending ──begin──▶ running ──complete──▶ completed
--      ▲                 │ ├──reject───────▶ failed
--      └──retry/lost─────┘ └──cancel───────▶ cancelled
--
-- A stage becomes ready when all its needs are completed; finishing one and pushing what became ready is one transaction.

CREATE TABLE jobs (
    job_id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id             uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    video_id           uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    stage              job_stage NOT NULL,
    state              job_state NOT NULL DEFAULT 'pending',
    -- True once its needs are met: it has been pushed to the stage's queue (again after a retry).
    ready              boolean NOT NULL DEFAULT false,
    progress           smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    -- Attempts that count; one ended by an outage of PostgreSQL or S3, or handed back at shutdown, does not.
    attempts           integer NOT NULL DEFAULT 0,
    max_attempts       integer NOT NULL DEFAULT 3,
    -- Not before: the ledger's back-off.
    run_at             timestamptz NOT NULL DEFAULT now(),
    -- When it was last handed to the queue; again when that is before `run_at`.
    pushed_at          timestamptz,
    priority           smallint NOT NULL DEFAULT 0,
    -- The attempt that may write. A worker whose attempt is not this one can finish nothing.
    current_attempt_id uuid,
    -- Since when PostgreSQL or S3 has been out of reach for this job; it ends after an hour.
    outage_since       timestamptz,
    -- Why a completed job did what it did: 'no model', 'no audio', 'inherited', …
    note               text,
    error_code         text,
    -- A sentence for the owner.
    error_message      text,
    -- The whole chain, for the operator.
    error_chain        text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz,
    finished_at        timestamptz,
    UNIQUE (run_id, stage)
);
CREATE INDEX jobs_by_video ON jobs (video_id, run_id);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'pending' AND ready;
CREATE INDEX jobs_running ON jobs (stage) WHERE state = 'running';

-- Work that is no stage (purge, proxy, export, mail, …) under the same rules, on the queue `maintenance`.
CREATE TABLE tasks (
    task_id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind               text NOT NULL,
    owner_id           uuid REFERENCES users ON DELETE CASCADE,
    video_id           uuid REFERENCES videos ON DELETE CASCADE,
    payload            jsonb NOT NULL DEFAULT '{}',
    state              job_state NOT NULL DEFAULT 'pending',
    progress           smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    attempts           integer NOT NULL DEFAULT 0,
    max_attempts       integer NOT NULL DEFAULT 5,
    run_at             timestamptz NOT NULL DEFAULT now(),
    -- When it was last handed to the queue; again when that is before `run_at`.
    pushed_at          timestamptz,
    current_attempt_id uuid,
    outage_since       timestamptz,
    note               text,
    error_code         text,
    error_message      text,
    error_chain        text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz,
    finished_at        timestamptz
);
CREATE INDEX tasks_due ON tasks (run_at) WHERE state = 'pending';
-- One purge, one proxy of a video at a time.
CREATE UNIQUE INDEX tasks_one_active ON tasks (kind, video_id) WHERE state IN ('pending', 'running') AND video_id IS NOT NULL;

-- Written before work begins, with the worker's name.
CREATE TABLE job_attempts (
    attempt_id       uuid PRIMARY KEY,
    job_id           uuid REFERENCES jobs ON DELETE CASCADE,
    task_id          uuid REFERENCES tasks ON DELETE CASCADE,
    number           integer NOT NULL,
    worker           text NOT NULL,
    -- running → completed | failed (the stage said so) | lost (lease ran out) | outage | released (shutdown) | cancelled
    state            text NOT NULL DEFAULT 'running'
                     CHECK (state IN ('running', 'completed', 'failed', 'lost', 'outage', 'released', 'cancelled')),
    lease_expires_at timestamptz NOT NULL,
    started_at       timestamptz NOT NULL DEFAULT now(),
    finished_at      timestamptz,
    error_code       text,
    error_message    text,
    error_chain      text,
    -- {cpu_s, max_rss_bytes, …} of the work and its children
    stats            jsonb NOT NULL DEFAULT '{}',
    CHECK (num_nonnulls(job_id, task_id) = 1)
);
CREATE INDEX job_attempts_by_job ON job_attempts (job_id, number);
CREATE INDEX job_attempts_by_task ON job_attempts (task_id, number);
CREATE INDEX job_attempts_leases ON job_attempts (lease_expires_at) WHERE state = 'running';

-- Per-stage switches of the operator. A paused stage takes nothing new; what runs goes on.
CREATE TABLE stage_controls (
    stage      job_stage PRIMARY KEY,
    paused     boolean NOT NULL DEFAULT false,
    updated_by uuid REFERENCES users ON DELETE SET NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO stage_controls (stage) SELECT unnest(enum_range(NULL::job_stage));

-- Who is at work. A row lives as long as its heartbeat.
CREATE TABLE workers (
    worker       text PRIMARY KEY,
    host         text NOT NULL,
    pid          integer NOT NULL,
    version      text NOT NULL,
    stages       job_stage[] NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
