-- Intents, and their way to the recipient.
--
-- The tables that every intent writes have no foreign keys to projects and agents: each would lock the tenant's and the agents' rows
-- in share mode for every intent, one hot row for all of them. Projects and agents are never deleted, and row-level security binds
-- project_id to the caller's.
SET lock_timeout = '5s';

CREATE TABLE intents (
    id             uuid PRIMARY KEY,
    project_id     uuid NOT NULL,
    sender_id      uuid NOT NULL,
    sender_did     text NOT NULL,
    recipient_id   uuid NOT NULL,
    recipient_did  text NOT NULL,
    type           text NOT NULL,
    -- The request's body, byte for byte: what the Content-Digest under the signature is of. The payload is read from it.
    body           bytea NOT NULL,
    correlation_id text,
    reply_to       text,
    -- With these the recipient verifies the sender itself (RFC 9421, section 2.5), trusting nobody in between.
    signature_base text NOT NULL,
    signature      bytea NOT NULL CHECK (octet_length(signature) = 64),
    public_key     bytea NOT NULL CHECK (octet_length(public_key) = 32),
    traceparent    text,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);
CALL protect_tenant_table('intents');
GRANT SELECT, INSERT ON intents TO holdfast_app;
GRANT SELECT, DELETE ON intents TO holdfast_worker;

CREATE TABLE deliveries (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL,
    intent_id    uuid NOT NULL CONSTRAINT deliveries_intent UNIQUE REFERENCES intents (id),
    recipient_id uuid NOT NULL,
    state        text NOT NULL CHECK (state IN ('accepted', 'leased', 'acked', 'expired', 'dead')),
    -- How often it was leased, by a pull or for a push.
    attempts     integer NOT NULL DEFAULT 0,
    -- How many of those were pushes that failed.
    failed_pushes integer NOT NULL DEFAULT 0,
    -- Nobody may lease it before: the end of the lease while leased, of the recipient's wish after a nack.
    visible_at   timestamptz NOT NULL,
    -- Fences a settlement to the newest lease.
    lease_token  uuid,
    expires_at   timestamptz NOT NULL,
    settled_at   timestamptz,
    last_error   text,
    -- Bytes of the intent's body: an inbox answers with so many and no more.
    size         integer NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX deliveries_due ON deliveries (recipient_id, visible_at, id) WHERE state IN ('accepted', 'leased');
CREATE INDEX deliveries_expiry ON deliveries (expires_at) WHERE state IN ('accepted', 'leased');
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
CALL protect_tenant_table('deliveries');
GRANT SELECT, INSERT, UPDATE ON deliveries TO holdfast_app;
GRANT SELECT, UPDATE, DELETE ON deliveries TO holdfast_worker;
