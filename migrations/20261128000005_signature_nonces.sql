-- Nonces of request signatures, kept until the signature itself is too old to be accepted.
SET lock_timeout = '5s';

CREATE TABLE signature_nonces (
    project_id uuid NOT NULL,
    -- SHA-256 over key and nonce. Unique across projects, because one agent may be registered in
    -- several of them.
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX signature_nonces_expiry ON signature_nonces (expires_at);
CALL protect_tenant_table('signature_nonces');
GRANT SELECT, INSERT ON signature_nonces TO holdfast_app;
GRANT SELECT, DELETE ON signature_nonces TO holdfast_worker;
