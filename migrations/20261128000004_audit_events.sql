-- The audit log. Append-only: no role holds UPDATE or DELETE on it.
SET lock_timeout = '5s';

CREATE TABLE audit_events (
    id              uuid PRIMARY KEY,
    -- An event concerns a project, an organization, a person, or several of them.
    project_id      uuid,
    organization_id uuid,
    user_id         uuid,
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    action          text NOT NULL,
    subject         text NOT NULL,
    -- SHA-256 over the subject's JSON, before and after the change.
    before_digest   bytea CHECK (octet_length(before_digest) = 32),
    after_digest    bytea CHECK (octet_length(after_digest) = 32),
    request_id      text NOT NULL,
    address         text,
    user_agent      text
);
CREATE INDEX audit_events_project ON audit_events (project_id, id);
CREATE INDEX audit_events_organization ON audit_events (organization_id, id DESC)
    WHERE organization_id IS NOT NULL;
CREATE INDEX audit_events_user ON audit_events (user_id, id DESC) WHERE user_id IS NOT NULL;
CALL protect_tenant_table('audit_events');
CREATE POLICY auth ON audit_events FOR INSERT TO holdfast_auth WITH CHECK (true);
CREATE POLICY person ON audit_events TO holdfast_app USING (user_id = current_person());
CREATE POLICY member ON audit_events TO holdfast_app
    USING (organization_id = (SELECT member_organization()));
GRANT SELECT, INSERT ON audit_events TO holdfast_app, holdfast_worker;
GRANT INSERT ON audit_events TO holdfast_auth;
