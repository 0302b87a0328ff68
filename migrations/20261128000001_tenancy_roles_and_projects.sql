-- Roles, extensions, and the tenants: organizations and their projects.
SET lock_timeout = '5s';

CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- holdfast_app serves requests, and holdfast_worker runs jobs. holdfast_auth does what comes before
-- the caller is known (sign-up, login) and what makes somebody a member. It sees every account and
-- no tenant's data. See docs/adr/0007-accounts.md.
--
-- Roles belong to the cluster, migrations to one database: the migration of another database may
-- have created them already, or may be creating them right now.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['holdfast_app', 'holdfast_auth', 'holdfast_worker'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        -- A superuser can assume any role. Anybody else who creates a role gets ADMIN on it, which
        -- does not include the right to assume it.
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO holdfast_app, holdfast_auth, holdfast_worker;

-- The project, person and organization of the running transaction. `Db::begin` sets them; NULL when
-- there is none.
CREATE FUNCTION current_project() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.project_id', true), '')::uuid;
CREATE FUNCTION current_person() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.user_id', true), '')::uuid;
CREATE FUNCTION current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.organization_id', true), '')::uuid;

-- Puts a table with tenants' rows under row-level security. A request sees the rows of its project
-- only. The worker sees one project's rows inside a job, and all rows in its own housekeeping.
CREATE PROCEDURE protect_tenant_table(tenant_table regclass, tenant_column text DEFAULT 'project_id')
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY tenant ON %s TO holdfast_app USING (%I = current_project())',
        tenant_table, tenant_column);
    EXECUTE format('CREATE POLICY job ON %s TO holdfast_worker '
        'USING (current_project() IS NULL OR %I = current_project())',
        tenant_table, tenant_column);
END
$$;

-- What members see of their organization and its projects is in the identity migration, because
-- those policies read memberships.
CREATE TABLE organizations (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON organizations TO holdfast_auth USING (true);
CREATE POLICY job ON organizations TO holdfast_worker USING (true);
-- Locking a row takes the UPDATE privilege, too.
GRANT SELECT, INSERT, UPDATE ON organizations TO holdfast_auth;
GRANT SELECT, UPDATE ON organizations TO holdfast_app;
GRANT SELECT ON organizations TO holdfast_worker;

CREATE TABLE projects (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    name            text NOT NULL,
    plan            text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'team', 'scale')),
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX projects_organization ON projects (organization_id, id DESC);
CALL protect_tenant_table('projects', 'id');
CREATE POLICY auth ON projects TO holdfast_auth USING (true);
-- For the functions that look up credentials, where their owner is not a superuser.
CREATE POLICY lookup ON projects FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT ON projects TO holdfast_app, holdfast_auth;
GRANT UPDATE (name, version, updated_at) ON projects TO holdfast_app;
GRANT SELECT ON projects TO holdfast_worker;
