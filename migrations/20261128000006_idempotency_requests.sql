-- The first responses to requests with an Idempotency-Key.
SET lock_timeout = '5s';

CREATE TABLE idempotent_requests (
    -- The project, or the person where there is none.
    tenant      uuid NOT NULL,
    -- SHA-256 over the actor and the key.
    key_digest  bytea NOT NULL CHECK (octet_length(key_digest) = 32),
    -- SHA-256 over method, path and body.
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- Encrypted under a key that Postgres does not have, because some responses hold secrets.
    response    bytea NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT idempotent_requests_key PRIMARY KEY (tenant, key_digest)
);
CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at);
ALTER TABLE idempotent_requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY caller ON idempotent_requests TO holdfast_app, holdfast_auth
    USING (tenant IN (current_project(), current_person()));
CREATE POLICY job ON idempotent_requests TO holdfast_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON idempotent_requests TO holdfast_app, holdfast_auth;
GRANT SELECT, DELETE ON idempotent_requests TO holdfast_worker;
