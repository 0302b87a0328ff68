-- Jobs: one lean table. See docs/adr on the job queue.
SET lock_timeout = '5s';

CREATE TABLE jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL,
    payload      jsonb NOT NULL,
    max_attempts smallint NOT NULL CHECK (max_attempts > 0),
    timeout_ms   integer NOT NULL CHECK (timeout_ms > 0),
    run_at       timestamptz NOT NULL
);
GRANT INSERT ON jobs TO holdfast_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO holdfast_worker;
