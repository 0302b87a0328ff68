-- The job queue, the worker's lease and its schedules. See docs/adr/0002-the-job-queue.md.
SET lock_timeout = '5s';

CREATE TABLE jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- When the job may run. While a worker holds it, the end of that worker's lease: an abandoned
    -- job is simply due again, and one index finds new and abandoned jobs alike.
    run_at       timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- Set when the job is given up. Such rows stay for inspection until they are pruned; success
    -- deletes the row.
    dead_at      timestamptz,
    -- The fencing token. It grows with every claim and every settlement and never returns to an
    -- older value, so a late acknowledgment or renewal of an older claim cannot touch a newer one.
    lease        integer NOT NULL DEFAULT 0,
    timeout_ms   integer NOT NULL CHECK (timeout_ms > 0),
    -- Runs that count: those that failed, those that vanished with their worker, and the current
    -- one.
    attempts     smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts smallint NOT NULL CHECK (max_attempts > 0),
    queue        text NOT NULL,
    kind         text NOT NULL,
    payload      jsonb NOT NULL,
    traceparent  text,
    last_error   text
) WITH (
    -- Every row is written about three times and then deleted: vacuum early, often and without
    -- pauses.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_threshold = 5000
);
CREATE INDEX jobs_due ON jobs (queue, run_at, id) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;
-- Requests add jobs and never read them: payloads hold other tenants' data.
GRANT INSERT ON jobs TO holdfast_app, holdfast_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO holdfast_worker;

-- One row: which worker is active. The epoch grows whenever the lease changes hands.
CREATE TABLE worker_lease (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder     text NOT NULL,
    epoch      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
INSERT INTO worker_lease (holder, epoch, expires_at) VALUES ('', 0, '-infinity');
GRANT SELECT, UPDATE ON worker_lease TO holdfast_worker;

-- The periodic tasks, and the newest slot of each that a worker has taken.
CREATE TABLE schedules (
    name        text PRIMARY KEY,
    slot        timestamptz NOT NULL,
    finished_at timestamptz,
    last_error  text
);
GRANT SELECT, INSERT, UPDATE ON schedules TO holdfast_worker;
