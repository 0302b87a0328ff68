-- Intents, and their delivery to the recipient.
--
-- These tables have no foreign keys to projects and agents, because every intent would lock the
-- project's and the agents' rows in share mode: one hot row for all intents of a project. Projects
-- and agents are never deleted, and row-level security ties project_id to the caller's.
SET lock_timeout = '5s';

CREATE TABLE intents (
    id             uuid PRIMARY KEY,
    project_id     uuid NOT NULL,
    sender_id      uuid NOT NULL,
    recipient_id   uuid NOT NULL,
    type           text NOT NULL,
    -- The request's body, byte for byte, because the signature covers its Content-Digest. Payload
    -- and reply_to are read from it.
    body           bytea NOT NULL,
    correlation_id text,
    -- With these three the recipient can verify the sender itself (RFC 9421, section 2.5), without
    -- trusting anybody in between.
    signature_base text NOT NULL,
    signature      bytea NOT NULL CHECK (octet_length(signature) = 64),
    public_key     bytea NOT NULL CHECK (octet_length(public_key) = 32),
    traceparent    text,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX intents_project ON intents (project_id, id DESC);
CALL protect_tenant_table('intents');
GRANT SELECT, INSERT ON intents TO holdfast_app;
GRANT SELECT, DELETE ON intents TO holdfast_worker;

CREATE TABLE deliveries (
    id            uuid PRIMARY KEY,
    project_id    uuid NOT NULL,
    intent_id     uuid NOT NULL CONSTRAINT deliveries_intent UNIQUE REFERENCES intents (id),
    recipient_id  uuid NOT NULL,
    state         text NOT NULL CHECK (state IN ('accepted', 'leased', 'acked', 'expired', 'dead')),
    -- Size of the intent's body in bytes: it limits how much one inbox response holds.
    size          integer NOT NULL,
    -- How often it was leased, by a pull or for a push.
    attempts      integer NOT NULL DEFAULT 0,
    -- How many of these attempts were pushes that failed.
    failed_pushes integer NOT NULL DEFAULT 0,
    -- Nobody may lease it before this time: the end of the current lease, or the delay that the
    -- recipient asked for with a nack.
    visible_at    timestamptz NOT NULL,
    -- Fences a settlement to the newest lease.
    lease_token   uuid,
    expires_at    timestamptz NOT NULL,
    settled_at    timestamptz,
    last_error    text
) WITH (fillfactor = 80);
CREATE INDEX deliveries_due ON deliveries (recipient_id, visible_at, id)
    WHERE state IN ('accepted', 'leased');
CREATE INDEX deliveries_expiry ON deliveries (expires_at) WHERE state IN ('accepted', 'leased');
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
CALL protect_tenant_table('deliveries');
GRANT SELECT, INSERT, UPDATE ON deliveries TO holdfast_app;
GRANT SELECT, UPDATE, DELETE ON deliveries TO holdfast_worker;
