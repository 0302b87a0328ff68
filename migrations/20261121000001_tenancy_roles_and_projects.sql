-- Roles, extensions and the tenants. Forward only; see README.md for the rules.
SET lock_timeout = '5s';

CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Roles belong to the cluster, migrations to one database: another database's migration may have made them already, or be making
-- them now.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['holdfast_app', 'holdfast_worker'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        -- A superuser may assume any role; whoever else made the role holds ADMIN on it, which is not yet the right to assume it.
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO holdfast_app, holdfast_worker;

-- The tenant of the running transaction, set by `Db::begin`; NULL outside a project.
CREATE FUNCTION current_project() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.project_id', true), '')::uuid;

-- The one way to put a table under row-level security. A request sees its project's rows and no others; the worker sees one
-- project's inside a job, and all of them in its own housekeeping.
CREATE PROCEDURE protect_tenant_table(tenant_table regclass, tenant_column text DEFAULT 'project_id')
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY tenant ON %s TO holdfast_app USING (%I = current_project())',
        tenant_table, tenant_column);
    EXECUTE format('CREATE POLICY job ON %s TO holdfast_worker USING (current_project() IS NULL OR %I = current_project())',
        tenant_table, tenant_column);
END
$$;

CREATE TABLE projects (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL
);
CALL protect_tenant_table('projects', 'id');
GRANT SELECT ON projects TO holdfast_app, holdfast_worker;
