-- The audit log: append-only, since nobody holds UPDATE or DELETE on it.
SET lock_timeout = '5s';

CREATE TABLE audit_events (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    request_id text NOT NULL
);
CREATE INDEX audit_events_project ON audit_events (project_id, id);
CALL protect_tenant_table('audit_events');
GRANT SELECT, INSERT ON audit_events TO holdfast_app, holdfast_worker;
