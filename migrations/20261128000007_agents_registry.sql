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
    -- Grows by one with each change of the registration.
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    -- Deleted agents stay, because intents name them. Their DID can be registered again.
    deleted_at   timestamptz,
    CONSTRAINT agents_did UNIQUE (project_id, did)
);
CREATE INDEX agents_live ON agents (project_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX agents_lookup ON agents (did) WHERE deleted_at IS NULL;
CALL protect_tenant_table('agents');
CREATE POLICY lookup ON agents FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE ON agents TO holdfast_app;
GRANT SELECT, UPDATE ON agents TO holdfast_worker;

-- Returns the agents with this DID, each with the plan of its project: in one project, or in all of
-- them when a signed request does not say which project it means.
CREATE FUNCTION find_credential_agents(wanted text, project uuid)
    RETURNS TABLE (id uuid, project_id uuid, public_key bytea, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT a.id, a.project_id, a.public_key, p.plan
        FROM agents a JOIN projects p ON p.id = a.project_id
        WHERE a.did = wanted AND a.deleted_at IS NULL AND (project IS NULL OR a.project_id = project)
        -- Oldest first, so that later registrations elsewhere cannot push one out.
        ORDER BY a.id LIMIT 16
    $$;
REVOKE ALL ON FUNCTION find_credential_agents(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_credential_agents(text, uuid) TO holdfast_app;
