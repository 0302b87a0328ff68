-- API keys: only a hash of the secret is kept.
SET lock_timeout = '5s';

GRANT INSERT ON projects TO holdfast_app;

CREATE TABLE api_keys (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL REFERENCES projects (id),
    name        text NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz
);
CREATE INDEX api_keys_project ON api_keys (project_id);
CALL protect_tenant_table('api_keys');
GRANT SELECT, INSERT, UPDATE ON api_keys TO holdfast_app;

-- A credential is looked up before anybody knows whose it is: the one read across projects, by its exact id. The policy lets the
-- function's owner see the rows where that owner is no superuser.
CREATE POLICY lookup ON api_keys FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION find_api_key(wanted uuid)
    RETURNS TABLE (project_id uuid, secret_hash bytea, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT k.project_id, k.secret_hash, k.expires_at FROM api_keys k WHERE k.id = wanted AND k.revoked_at IS NULL $$;
REVOKE ALL ON FUNCTION find_api_key(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(uuid) TO holdfast_app;
