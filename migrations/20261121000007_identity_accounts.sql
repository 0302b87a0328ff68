-- People, the organisations they belong to, and how they come in. See docs/adr/0007-accounts.md.
SET lock_timeout = '5s';

-- The front door: what is done before it is known who is asking (signing up, logging in, accepting an invitation), and what makes somebody a
-- member. It sees every account, and no tenant's data.
DO $$
BEGIN
    BEGIN
        CREATE ROLE holdfast_auth NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT holdfast_auth TO CURRENT_USER;
    END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO holdfast_auth;
GRANT INSERT ON jobs TO holdfast_auth;

-- The person and the organisation of the running transaction, set by `Db::begin`; NULL outside.
CREATE FUNCTION current_person() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.user_id', true), '')::uuid;
CREATE FUNCTION current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.organization_id', true), '')::uuid;

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL,
    -- In lower case: one account per address however it is typed.
    email_key         text NOT NULL CONSTRAINT users_email UNIQUE,
    name              text NOT NULL,
    -- PHC string of Argon2id; none for those who only have passkeys.
    password_hash     text,
    email_verified_at timestamptz,
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- Asked to be forgotten: until then it can be taken back.
    erase_at          timestamptz,
    -- What is left of a person who was: an id that audit rows name.
    erased_at         timestamptz
);
CREATE INDEX users_erasure ON users (erase_at) WHERE erase_at IS NOT NULL;

CREATE TABLE organizations (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE memberships (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id         uuid NOT NULL REFERENCES users (id),
    role            text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'read_only')),
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, organization_id DESC);

CREATE TABLE invitations (
    id              uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    email           text NOT NULL,
    email_key       text NOT NULL,
    role            text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'read_only')),
    invited_by      uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    accepted_at     timestamptz,
    revoked_at      timestamptz
);
CREATE INDEX invitations_organization ON invitations (organization_id, id DESC);
-- One open invitation per address.
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email_key) WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- A login and all that followed from it.
CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id),
    -- password, passkey or email.
    method       text NOT NULL,
    address      text NOT NULL,
    user_agent   text NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_for  text
);
CREATE INDEX sessions_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- A session's refresh tokens, spent ones too: one that comes back after it was spent was stolen, from its holder or by them.
CREATE TABLE refresh_tokens (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at   timestamptz,
    -- Of the address and user agent that spent it: the same client's retry, moments later, is no theft.
    spent_by   bytea
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Single-use tokens that were mailed. Their text is made when the mail is sent and kept nowhere.
CREATE TABLE mail_tokens (
    digest        bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    purpose       text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'invitation')),
    user_id       uuid REFERENCES users (id),
    invitation_id uuid REFERENCES invitations (id),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    CHECK (num_nonnulls(user_id, invitation_id) = 1)
);
CREATE INDEX mail_tokens_user ON mail_tokens (user_id, purpose) WHERE user_id IS NOT NULL;
CREATE INDEX mail_tokens_invitation ON mail_tokens (invitation_id) WHERE invitation_id IS NOT NULL;
CREATE INDEX mail_tokens_expiry ON mail_tokens (expires_at);

CREATE TABLE passkeys (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users (id),
    credential_id bytea NOT NULL CONSTRAINT passkeys_credential UNIQUE,
    -- The credential as webauthn-rs writes it: public key, counter, backup state.
    credential    jsonb NOT NULL,
    name          text NOT NULL,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id, id DESC);

-- What a WebAuthn ceremony must remember between its two requests, which may reach two replicas. Used once.
CREATE TABLE passkey_ceremonies (
    id         uuid PRIMARY KEY,
    user_id    uuid REFERENCES users (id),
    state      jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_ceremonies_expiry ON passkey_ceremonies (expires_at);

-- Projects belong to organisations. Nullable until no build writes projects without one; those that exist get an organisation of their name.
ALTER TABLE projects
    ADD COLUMN organization_id uuid REFERENCES organizations (id),
    ADD COLUMN plan            text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'team', 'scale')),
    ADD COLUMN version         integer NOT NULL DEFAULT 1,
    ADD COLUMN updated_at      timestamptz;
INSERT INTO organizations (id, name, created_at, updated_at) SELECT id, name, created_at, created_at FROM projects;
UPDATE projects SET organization_id = id WHERE organization_id IS NULL;
CREATE INDEX projects_organization ON projects (organization_id, id DESC);

-- Projects list their intents.
CREATE INDEX intents_project ON intents (project_id, id DESC);

-- '*' stands for all that a project's key can have: what keys had before there were scopes.
ALTER TABLE api_keys
    -- What of its text is no secret; unknown of older ones.
    ADD COLUMN prefix       text,
    ADD COLUMN scopes       text[] NOT NULL DEFAULT '{*}',
    ADD COLUMN created_by   text NOT NULL DEFAULT 'system',
    ADD COLUMN last_used_at timestamptz,
    -- The key that this one takes over from.
    ADD COLUMN replaces     uuid REFERENCES api_keys (id);

-- Grows by one with each change of the registration.
ALTER TABLE agents ADD COLUMN version integer NOT NULL DEFAULT 1;

-- Not every event is of a project.
ALTER TABLE audit_events
    ALTER COLUMN project_id DROP NOT NULL,
    ADD COLUMN organization_id uuid,
    ADD COLUMN user_id         uuid,
    ADD COLUMN address         text,
    ADD COLUMN user_agent      text,
    -- SHA-256 over the JSON of the subject before and after.
    ADD COLUMN before_digest   bytea CHECK (octet_length(before_digest) = 32),
    ADD COLUMN after_digest    bytea CHECK (octet_length(after_digest) = 32);
CREATE INDEX audit_events_organization ON audit_events (organization_id, id DESC) WHERE organization_id IS NOT NULL;
CREATE INDEX audit_events_user ON audit_events (user_id, id DESC) WHERE user_id IS NOT NULL;

-- First answers of requests that carried an Idempotency-Key, sealed under a key that Postgres does not have: some hold secrets.
CREATE TABLE idempotent_requests (
    -- The project, or the person where there is none.
    tenant      uuid NOT NULL,
    -- SHA-256 over the actor and the key.
    key_digest  bytea NOT NULL CHECK (octet_length(key_digest) = 32),
    -- SHA-256 over method, path and body.
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    answer      bytea NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT idempotent_requests_key PRIMARY KEY (tenant, key_digest)
);
CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at);

-- The organisation of the running transaction, when its person is a member: Postgres itself asks, so that naming an organisation opens nothing.
CREATE POLICY lookup ON memberships FOR SELECT TO CURRENT_USER USING (true);
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE FUNCTION member_organization() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT organization_id FROM memberships WHERE organization_id = current_organization() AND user_id = current_person() $$;
REVOKE ALL ON FUNCTION member_organization() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION member_organization() TO holdfast_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'organizations', 'invitations', 'sessions', 'refresh_tokens', 'mail_tokens', 'passkeys',
                                'passkey_ceremonies', 'idempotent_requests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    -- The front door and the worker's housekeeping see them all; what each may do is in its grants.
    FOREACH name IN ARRAY ARRAY['users', 'organizations', 'memberships', 'invitations', 'sessions', 'refresh_tokens', 'mail_tokens', 'passkeys',
                                'passkey_ceremonies', 'projects'] LOOP
        EXECUTE format('CREATE POLICY door ON %I TO holdfast_auth USING (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['users', 'organizations', 'memberships', 'invitations', 'sessions', 'refresh_tokens', 'mail_tokens', 'passkeys',
                                'passkey_ceremonies', 'idempotent_requests'] LOOP
        EXECUTE format('CREATE POLICY job ON %I TO holdfast_worker USING (true)', name);
    END LOOP;
    -- A person sees what is theirs.
    FOREACH name IN ARRAY ARRAY['sessions', 'mail_tokens', 'passkeys', 'passkey_ceremonies'] LOOP
        EXECUTE format('CREATE POLICY person ON %I TO holdfast_app USING (user_id = current_person())', name);
    END LOOP;
    -- A member sees what is their organisation's.
    FOREACH name IN ARRAY ARRAY['invitations', 'memberships', 'projects'] LOOP
        EXECUTE format('CREATE POLICY member ON %I TO holdfast_app USING (organization_id = (SELECT member_organization()))', name);
    END LOOP;
END
$$;
CREATE POLICY person ON memberships FOR SELECT TO holdfast_app USING (user_id = current_person());
CREATE POLICY person ON users TO holdfast_app USING (id = current_person());
CREATE POLICY member ON users FOR SELECT TO holdfast_app
    USING (id IN (SELECT user_id FROM memberships WHERE organization_id = (SELECT member_organization())));
CREATE POLICY person ON organizations FOR SELECT TO holdfast_app
    USING (id IN (SELECT organization_id FROM memberships WHERE user_id = current_person()));
CREATE POLICY member ON organizations FOR UPDATE TO holdfast_app USING (id = (SELECT member_organization()));
CREATE POLICY caller ON idempotent_requests TO holdfast_app, holdfast_auth USING (tenant IN (current_project(), current_person()));
CREATE POLICY member ON audit_events TO holdfast_app USING (organization_id = (SELECT member_organization()));
CREATE POLICY person ON audit_events TO holdfast_app USING (user_id = current_person());
CREATE POLICY door ON audit_events FOR INSERT TO holdfast_auth WITH CHECK (true);
CREATE POLICY door ON api_keys FOR INSERT TO holdfast_auth WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON users TO holdfast_auth;
GRANT SELECT, UPDATE ON users TO holdfast_app;
GRANT SELECT, UPDATE ON users TO holdfast_worker;
-- An UPDATE right is also what locking a row takes.
GRANT SELECT, INSERT, UPDATE ON organizations TO holdfast_auth;
GRANT SELECT, UPDATE ON organizations TO holdfast_app;
GRANT SELECT ON organizations TO holdfast_worker;
GRANT SELECT, INSERT ON memberships TO holdfast_auth;
GRANT SELECT, UPDATE, DELETE ON memberships TO holdfast_app;
GRANT SELECT, UPDATE, DELETE ON memberships TO holdfast_worker;
GRANT SELECT, UPDATE ON api_keys TO holdfast_worker;
GRANT SELECT, UPDATE ON invitations TO holdfast_auth;
GRANT SELECT, INSERT, UPDATE ON invitations TO holdfast_app;
GRANT SELECT, UPDATE ON invitations TO holdfast_worker;
GRANT UPDATE ON agents TO holdfast_worker;
GRANT SELECT, INSERT, UPDATE ON sessions TO holdfast_auth;
GRANT SELECT, UPDATE ON sessions TO holdfast_app;
GRANT SELECT, UPDATE, DELETE ON sessions TO holdfast_worker;
GRANT SELECT, INSERT, UPDATE ON refresh_tokens TO holdfast_auth;
GRANT SELECT, DELETE ON refresh_tokens TO holdfast_worker;
GRANT SELECT, UPDATE ON mail_tokens TO holdfast_auth;
GRANT SELECT, INSERT, DELETE ON mail_tokens TO holdfast_worker;
GRANT SELECT, UPDATE ON passkeys TO holdfast_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON passkeys TO holdfast_app;
GRANT SELECT, DELETE ON passkeys TO holdfast_worker;
GRANT SELECT, INSERT, DELETE ON passkey_ceremonies TO holdfast_auth, holdfast_app;
GRANT SELECT, DELETE ON passkey_ceremonies TO holdfast_worker;
GRANT SELECT, INSERT ON projects TO holdfast_auth;
GRANT UPDATE (name, version, updated_at) ON projects TO holdfast_app;
GRANT INSERT ON api_keys TO holdfast_auth;
GRANT INSERT ON audit_events TO holdfast_auth;
GRANT SELECT, INSERT, UPDATE ON idempotent_requests TO holdfast_app, holdfast_auth;
GRANT SELECT, DELETE ON idempotent_requests TO holdfast_worker;

-- Look-ups of credentials, before it is known whose they are: each by an exact and unguessable name. The policies let the functions' owner see
-- the rows where that owner is no superuser.
CREATE POLICY lookup ON projects FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY lookup ON sessions FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY touch ON api_keys FOR UPDATE TO CURRENT_USER USING (true);

CREATE FUNCTION find_credential_key(wanted uuid)
    RETURNS TABLE (project_id uuid, secret_hash bytea, expires_at timestamptz, scopes text[], last_used_at timestamptz, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT k.project_id, k.secret_hash, k.expires_at, k.scopes, k.last_used_at, p.plan
        FROM api_keys k JOIN projects p ON p.id = k.project_id
        WHERE k.id = wanted AND k.revoked_at IS NULL
    $$;
CREATE FUNCTION touch_api_key(used uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ UPDATE api_keys SET last_used_at = at WHERE id = used AND (last_used_at IS NULL OR last_used_at < at - interval '1 minute') $$;

-- Not STABLE's business that agents of a plan change: the plan comes along with each look-up.
CREATE FUNCTION find_credential_agents(wanted text, project uuid)
    RETURNS TABLE (id uuid, project_id uuid, public_key bytea, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT a.id, a.project_id, a.public_key, p.plan
        FROM agents a JOIN projects p ON p.id = a.project_id
        WHERE a.did = wanted AND a.deleted_at IS NULL AND (project IS NULL OR a.project_id = project)
        -- The first to register come first: later ones elsewhere cannot push them out.
        ORDER BY a.id LIMIT 16
    $$;

-- Whether a session still lives.
CREATE FUNCTION find_session(wanted uuid) RETURNS TABLE (user_id uuid, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.user_id, s.expires_at FROM sessions s WHERE s.id = wanted AND s.revoked_at IS NULL $$;

-- What a person is in the organisation of a project.
CREATE FUNCTION find_membership(person uuid, project uuid) RETURNS TABLE (role text, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT m.role, p.plan
        FROM projects p JOIN memberships m ON m.organization_id = p.organization_id
        WHERE p.id = project AND m.user_id = person
    $$;

DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY['find_credential_key(uuid)', 'touch_api_key(uuid, timestamptz)', 'find_credential_agents(text, uuid)',
                                     'find_session(uuid)', 'find_membership(uuid, uuid)'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO holdfast_app', signature);
    END LOOP;
END
$$;
