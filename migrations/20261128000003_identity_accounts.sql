-- People, what they are members of, how they log in, and API keys. See docs/adr/0007-accounts.md.
--
-- The policies' names say who sees the rows. `auth`: holdfast_auth, before the caller is known.
-- `job`: the worker's housekeeping. Both see all rows; what they may do is in their grants.
-- `person`: the person whose rows they are. `member`: the members of the organization that the
-- transaction names. `lookup`: the owner of the look-up functions, where it is not a superuser.
SET lock_timeout = '5s';

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL,
    -- In lower case: one account for each address, however it is typed.
    email_key         text NOT NULL CONSTRAINT users_email UNIQUE,
    name              text NOT NULL,
    -- PHC string of Argon2id. NULL for people who only have passkeys.
    password_hash     text,
    email_verified_at timestamptz,
    version           integer NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- The person asked for deletion, and can cancel it until then.
    erase_at          timestamptz,
    -- The row is empty from then on. Its id stays, because audit rows name it.
    erased_at         timestamptz
);
CREATE INDEX users_erasure ON users (erase_at) WHERE erase_at IS NOT NULL;
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON users TO holdfast_auth USING (true);
CREATE POLICY job ON users TO holdfast_worker USING (true);
CREATE POLICY person ON users TO holdfast_app USING (id = current_person());
GRANT SELECT, INSERT, UPDATE ON users TO holdfast_auth;
GRANT SELECT, UPDATE ON users TO holdfast_app, holdfast_worker;

CREATE TABLE memberships (
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id         uuid NOT NULL REFERENCES users (id),
    role            text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'read_only')),
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, organization_id DESC);

-- Returns the transaction's organization if its person is a member of it. Postgres itself checks
-- that, so naming an organization opens nothing.
CREATE FUNCTION member_organization() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT organization_id FROM memberships
        WHERE organization_id = current_organization() AND user_id = current_person()
    $$;
REVOKE ALL ON FUNCTION member_organization() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION member_organization() TO holdfast_app;

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON memberships TO holdfast_auth USING (true);
CREATE POLICY job ON memberships TO holdfast_worker USING (true);
CREATE POLICY person ON memberships FOR SELECT TO holdfast_app USING (user_id = current_person());
CREATE POLICY member ON memberships TO holdfast_app
    USING (organization_id = (SELECT member_organization()));
CREATE POLICY lookup ON memberships FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT ON memberships TO holdfast_auth;
GRANT SELECT, UPDATE, DELETE ON memberships TO holdfast_app, holdfast_worker;

CREATE POLICY member ON users FOR SELECT TO holdfast_app USING (
    id IN (SELECT user_id FROM memberships WHERE organization_id = (SELECT member_organization())));
CREATE POLICY person ON organizations FOR SELECT TO holdfast_app
    USING (id IN (SELECT organization_id FROM memberships WHERE user_id = current_person()));
CREATE POLICY member ON organizations FOR UPDATE TO holdfast_app
    USING (id = (SELECT member_organization()));
CREATE POLICY member ON projects TO holdfast_app
    USING (organization_id = (SELECT member_organization()));

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
-- One open invitation for each address.
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email_key)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON invitations TO holdfast_auth USING (true);
CREATE POLICY job ON invitations TO holdfast_worker USING (true);
CREATE POLICY member ON invitations TO holdfast_app
    USING (organization_id = (SELECT member_organization()));
GRANT SELECT, UPDATE ON invitations TO holdfast_auth, holdfast_worker;
GRANT SELECT, INSERT, UPDATE ON invitations TO holdfast_app;

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
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON sessions TO holdfast_auth USING (true);
CREATE POLICY job ON sessions TO holdfast_worker USING (true);
CREATE POLICY person ON sessions TO holdfast_app USING (user_id = current_person());
CREATE POLICY lookup ON sessions FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE ON sessions TO holdfast_auth;
GRANT SELECT, UPDATE ON sessions TO holdfast_app;
GRANT SELECT, UPDATE, DELETE ON sessions TO holdfast_worker;

-- Used tokens stay: one that comes back after it was used was stolen, from its holder or by them.
CREATE TABLE refresh_tokens (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    -- Digest of the address and user agent that used it: a retry by the same client, moments later,
    -- is not theft.
    rotated_by bytea
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON refresh_tokens TO holdfast_auth USING (true);
CREATE POLICY job ON refresh_tokens TO holdfast_worker USING (true);
GRANT SELECT, INSERT, UPDATE ON refresh_tokens TO holdfast_auth;
GRANT SELECT, DELETE ON refresh_tokens TO holdfast_worker;

-- Single-use tokens in mails. The job that sends the mail generates the token and stores its digest
-- only, so neither the queue nor this table holds one.
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
ALTER TABLE mail_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON mail_tokens TO holdfast_auth USING (true);
CREATE POLICY job ON mail_tokens TO holdfast_worker USING (true);
CREATE POLICY person ON mail_tokens TO holdfast_app USING (user_id = current_person());
GRANT SELECT, UPDATE ON mail_tokens TO holdfast_auth;
GRANT SELECT, INSERT, DELETE ON mail_tokens TO holdfast_worker;

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
ALTER TABLE passkeys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON passkeys TO holdfast_auth USING (true);
CREATE POLICY job ON passkeys TO holdfast_worker USING (true);
CREATE POLICY person ON passkeys TO holdfast_app USING (user_id = current_person());
GRANT SELECT, UPDATE ON passkeys TO holdfast_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON passkeys TO holdfast_app;
GRANT SELECT, DELETE ON passkeys TO holdfast_worker;

-- The state of a WebAuthn ceremony between its two requests, which may reach two replicas. Each is
-- used once.
CREATE TABLE passkey_ceremonies (
    id         uuid PRIMARY KEY,
    user_id    uuid REFERENCES users (id),
    state      jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_ceremonies_expiry ON passkey_ceremonies (expires_at);
ALTER TABLE passkey_ceremonies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY auth ON passkey_ceremonies TO holdfast_auth USING (true);
CREATE POLICY job ON passkey_ceremonies TO holdfast_worker USING (true);
CREATE POLICY person ON passkey_ceremonies TO holdfast_app USING (user_id = current_person());
GRANT SELECT, INSERT, DELETE ON passkey_ceremonies TO holdfast_app, holdfast_auth;
GRANT SELECT, DELETE ON passkey_ceremonies TO holdfast_worker;

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    project_id   uuid NOT NULL REFERENCES projects (id),
    name         text NOT NULL,
    -- The public part of the key's text, so that people can tell keys apart.
    prefix       text NOT NULL,
    secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    -- '*' stands for every scope that a key can have.
    scopes       text[] NOT NULL,
    -- The key that this one replaces.
    replaces     uuid REFERENCES api_keys (id),
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_project ON api_keys (project_id);
CALL protect_tenant_table('api_keys');
CREATE POLICY auth ON api_keys FOR INSERT TO holdfast_auth WITH CHECK (true);
CREATE POLICY lookup ON api_keys FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY touch ON api_keys FOR UPDATE TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE ON api_keys TO holdfast_app;
GRANT INSERT ON api_keys TO holdfast_auth;
GRANT SELECT, UPDATE ON api_keys TO holdfast_worker;

-- A credential is looked up before it is known whose it is. These functions read across projects,
-- each by one exact id.
CREATE FUNCTION find_credential_key(wanted uuid)
    RETURNS TABLE (project_id uuid, secret_hash bytea, expires_at timestamptz, scopes text[],
                   last_used_at timestamptz, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT k.project_id, k.secret_hash, k.expires_at, k.scopes, k.last_used_at, p.plan
        FROM api_keys k JOIN projects p ON p.id = k.project_id
        WHERE k.id = wanted AND k.revoked_at IS NULL
    $$;
-- Records the use of a key, at most once a minute.
CREATE FUNCTION touch_api_key(used uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        UPDATE api_keys SET last_used_at = at
        WHERE id = used AND (last_used_at IS NULL OR last_used_at < at - interval '1 minute')
    $$;
CREATE FUNCTION find_session(wanted uuid) RETURNS TABLE (user_id uuid, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.user_id, s.expires_at FROM sessions s WHERE s.id = wanted AND s.revoked_at IS NULL $$;
-- Returns the person's role in the organization that owns the project.
CREATE FUNCTION find_membership(person uuid, project uuid) RETURNS TABLE (role text, plan text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT m.role, p.plan
        FROM projects p JOIN memberships m ON m.organization_id = p.organization_id
        WHERE p.id = project AND m.user_id = person
    $$;
REVOKE ALL ON FUNCTION find_credential_key(uuid), touch_api_key(uuid, timestamptz),
    find_session(uuid), find_membership(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_credential_key(uuid), touch_api_key(uuid, timestamptz),
    find_session(uuid), find_membership(uuid, uuid) TO holdfast_app;
