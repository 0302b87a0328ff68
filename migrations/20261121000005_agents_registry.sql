-- The registry of agents.
SET lock_timeout = '5s';

CREATE TABLE agents (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL REFERENCES projects (id),
    did          text NOT NULL,
    public_key   bytea NOT NULL CHECK (octet_length(public_key) = 32),
    name         text NOT NULL,
    capabilities jsonb NOT NULL,
    endpoint     text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    -- Removed agents stay, since intents name them; their DID may be registered again.
    deleted_at   timestamptz,
    CONSTRAINT agents_did UNIQUE (project_id, did)
);
CREATE INDEX agents_live ON agents (project_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX agents_lookup ON agents (did) WHERE deleted_at IS NULL;
CALL protect_tenant_table('agents');
GRANT SELECT, INSERT, UPDATE ON agents TO holdfast_app;
GRANT SELECT ON agents TO holdfast_worker;

-- An agent that signs is looked up by its DID before anybody knows which project it means. See find_api_key.
CREATE POLICY lookup ON agents FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_agents(wanted text, project uuid)
    RETURNS TABLE (id uuid, project_id uuid, public_key bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT a.id, a.project_id, a.public_key
        FROM agents a
        WHERE a.did = wanted AND a.deleted_at IS NULL AND (project IS NULL OR a.project_id = project)
        -- The first to register come first: later ones elsewhere cannot push them out.
        ORDER BY a.id LIMIT 16
    $$;
REVOKE ALL ON FUNCTION find_agents(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_agents(text, uuid) TO holdfast_app;

-- Nonces of signatures that may still be replayed: SHA-256 over key and nonce, unique across projects, since one agent may be registered in
-- several. Kept until the signature is too old anyway.
CREATE TABLE signature_nonces (
    project_id uuid NOT NULL,
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX signature_nonces_expiry ON signature_nonces (expires_at);
CALL protect_tenant_table('signature_nonces');
GRANT INSERT, SELECT ON signature_nonces TO holdfast_app;
GRANT SELECT, DELETE ON signature_nonces TO holdfast_worker;
