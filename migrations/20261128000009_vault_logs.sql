-- The vault: an append-only Merkle log for each project, and a meta-log of their checkpoints, whose
-- project is the nil UUID. See docs/adr/0009-the-vault.md.
SET lock_timeout = '5s';

-- The head of each log. Appending holds a lock on this row until the commit; nothing else keeps two
-- batches apart. Only the functions below write it.
CREATE TABLE vault_logs (
    project_id uuid PRIMARY KEY,
    size       bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    -- The roots of the complete subtrees of the tree, largest first: one for each bit of the size.
    edge       bytea NOT NULL DEFAULT '',
    -- The number of seals with each verdict.
    verdicts   jsonb NOT NULL DEFAULT '{}',
    -- The time of the newest entry. Times never go back.
    at         timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (octet_length(edge) = 32 * bit_count(size::bit(64)))
);

-- The entries, byte for byte as they were hashed. The other columns are only for finding them.
CREATE TABLE vault_entries (
    project_id uuid NOT NULL,
    index      bigint NOT NULL CHECK (index >= 0),
    at         timestamptz NOT NULL,
    leaf_hash  bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    kind       text NOT NULL,
    verdict    text NOT NULL,
    actor      text NOT NULL,
    session_id text,
    subject    text,
    entry      bytea NOT NULL CHECK (octet_length(entry) <= 65535),
    CONSTRAINT vault_entries_index PRIMARY KEY (project_id, index)
);
CREATE INDEX vault_entries_kind ON vault_entries (project_id, kind, index);
CREATE INDEX vault_entries_actor ON vault_entries (project_id, actor, index);
-- Nearly all verdicts are SEAL. For those a scan in index order is faster.
CREATE INDEX vault_entries_verdict ON vault_entries (project_id, verdict, index) WHERE verdict <> 'SEAL';
CREATE INDEX vault_entries_session ON vault_entries (project_id, session_id, index)
    WHERE session_id IS NOT NULL;
CREATE INDEX vault_entries_subject ON vault_entries (project_id, subject, index)
    WHERE subject IS NOT NULL;

CREATE TABLE vault_tags (
    project_id uuid NOT NULL,
    tag        text NOT NULL,
    index      bigint NOT NULL,
    PRIMARY KEY (project_id, tag, index)
);

-- Full tiles (C2SP tlog-tiles): 256 hashes, and the root over them, which is a hash in the tile
-- above. Partial tiles are computed on request, from the entries or from the tiles below.
CREATE TABLE vault_tiles (
    project_id uuid NOT NULL,
    level      smallint NOT NULL CHECK (level BETWEEN 0 AND 4),
    n          bigint NOT NULL CHECK (n >= 0),
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    -- Hashes do not compress.
    hashes     bytea STORAGE EXTERNAL NOT NULL CHECK (octet_length(hashes) = 8192),
    CONSTRAINT vault_tiles_tile PRIMARY KEY (project_id, level, n)
);

-- Every size at which the log was committed, with its root. One size has one root.
CREATE TABLE vault_checkpoints (
    project_id uuid NOT NULL,
    size       bigint NOT NULL CHECK (size > 0),
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    at         timestamptz NOT NULL,
    CONSTRAINT vault_checkpoints_size PRIMARY KEY (project_id, size)
);
-- Finds the size that the log had at a time.
CREATE INDEX vault_checkpoints_at ON vault_checkpoints (project_id, at, size);

CREATE TABLE vault_cosignatures (
    project_id uuid NOT NULL,
    size       bigint NOT NULL,
    -- The witness's name and key id, as in its signature line.
    witness    text NOT NULL,
    line       text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, size, witness)
);

-- Personal data of seals, which must be erasable: it is encrypted under the subject's key. The
-- entry holds only a SHA-256 over salt and text.
CREATE TABLE vault_payloads (
    project_id uuid NOT NULL,
    index      bigint NOT NULL,
    subject    text NOT NULL,
    -- Salt and text, encrypted: version, key id, nonce, ciphertext and tag.
    ciphertext bytea NOT NULL,
    PRIMARY KEY (project_id, index)
);
CREATE INDEX vault_payloads_subject ON vault_payloads (project_id, subject);

-- Each subject's key, wrapped under a key that Postgres does not have (VAULT_KEK).
CREATE TABLE vault_subject_keys (
    project_id uuid NOT NULL,
    subject    text NOT NULL,
    wrapped    bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, subject)
);

-- Seals that wait for a person's decision. The log holds proposals and decisions; this table lists
-- what is open.
CREATE TABLE vault_proposals (
    project_id uuid NOT NULL,
    index      bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The index of the seal that decided.
    decided_by bigint,
    decision   text CHECK (decision IN ('approved', 'rejected', 'expired')),
    PRIMARY KEY (project_id, index),
    CHECK ((decided_by IS NULL) = (decision IS NULL))
);
CREATE INDEX vault_proposals_open ON vault_proposals (project_id, index) WHERE decided_by IS NULL;

-- Seals that other areas' transactions ask for. A row is deleted once its seal is in the log.
CREATE TABLE vault_outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id uuid NOT NULL,
    -- Canonical JSON. Its payload enters the entry exactly as it is here.
    seal       text NOT NULL
);
CREATE INDEX vault_outbox_project ON vault_outbox (project_id, id);

-- How far the worker's tasks are with each log: digesting its project's audit events into it,
-- publishing its head in the meta-log, and checking it, with the newest finding.
CREATE TABLE vault_progress (
    project_id      uuid PRIMARY KEY,
    audited_through uuid,
    published_size  bigint NOT NULL DEFAULT 0,
    checked_at      timestamptz,
    checked_size    bigint,
    checked_finding text
);

DO $$
DECLARE
    tenant_table regclass;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY[
        'vault_logs', 'vault_entries', 'vault_tags', 'vault_tiles', 'vault_checkpoints', 'vault_cosignatures',
        'vault_payloads', 'vault_subject_keys', 'vault_proposals', 'vault_outbox', 'vault_progress'
    ]::regclass[] LOOP
        CALL protect_tenant_table(tenant_table);
        EXECUTE format('GRANT SELECT ON %s TO holdfast_app, holdfast_worker', tenant_table);
    END LOOP;
END
$$;
-- Heads and checkpoints are written by vault_advance only. The worker stores cosignatures, which it
-- has verified, and its own progress.
GRANT INSERT ON vault_entries, vault_tags, vault_tiles, vault_payloads, vault_subject_keys,
    vault_proposals, vault_outbox TO holdfast_app, holdfast_worker;
GRANT UPDATE (decided_by, decision) ON vault_proposals TO holdfast_app, holdfast_worker;
GRANT INSERT ON vault_cosignatures TO holdfast_worker;
GRANT DELETE ON vault_outbox TO holdfast_worker;
GRANT INSERT, UPDATE ON vault_progress TO holdfast_worker;

-- Refuses every change of the log, by any role, even where session_replication_role disables
-- ordinary triggers. This stops accidents. Somebody who can drop a trigger is caught by the proofs.
CREATE FUNCTION vault_refuse() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the vault is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
DO $$
DECLARE
    log_table regclass;
BEGIN
    FOREACH log_table IN ARRAY ARRAY[
        'vault_entries', 'vault_tags', 'vault_tiles', 'vault_checkpoints', 'vault_cosignatures'
    ]::regclass[] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION vault_refuse()', log_table);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', log_table);
    END LOOP;
END
$$;
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON vault_logs
    FOR EACH STATEMENT EXECUTE FUNCTION vault_refuse();
ALTER TABLE vault_logs ENABLE ALWAYS TRIGGER stays;

-- Locks the head of the transaction's log, creates it on first use, and returns it. The caller
-- reads the rest in a later statement, which sees what was committed before the lock was granted.
-- With the transaction's id, a caller whose COMMIT got no answer can ask later how it ended.
CREATE POLICY head ON vault_logs TO CURRENT_USER USING (project_id = current_project());
CREATE FUNCTION vault_lock()
    RETURNS TABLE (size bigint, edge bytea, verdicts jsonb, at timestamptz, xid bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOOP
        RETURN QUERY SELECT l.size, l.edge, l.verdicts, l.at, pg_current_xact_id()::text::bigint
            FROM vault_logs l WHERE l.project_id = current_project() FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO vault_logs (project_id) VALUES (current_project()) ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;

-- Advances the head and stores the checkpoint. The caller names the size that it saw, so that
-- nothing is appended to a state that it has not seen.
CREATE POLICY head ON vault_checkpoints TO CURRENT_USER USING (project_id = current_project());
CREATE FUNCTION vault_advance(
    old_size bigint, new_size bigint, new_root bytea, new_edge bytea, new_verdicts jsonb, now timestamptz
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE vault_logs l SET size = new_size, edge = new_edge, verdicts = new_verdicts, at = now
        WHERE l.project_id = current_project() AND l.size = old_size AND new_size > old_size AND l.at <= now;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log is not at size % any more, or would not grow', old_size
            USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO vault_checkpoints (project_id, size, root, at)
        VALUES (current_project(), new_size, new_root, now);
END
$$;
REVOKE ALL ON FUNCTION vault_lock(),
    vault_advance(bigint, bigint, bytea, bytea, jsonb, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault_lock(),
    vault_advance(bigint, bigint, bytea, bytea, jsonb, timestamptz) TO holdfast_app, holdfast_worker;

-- Erases a subject: its key and its ciphertexts. Returns how many seals lost personal data, or NULL
-- if there was no key.
CREATE POLICY erasure ON vault_payloads TO CURRENT_USER USING (project_id = current_project());
CREATE POLICY erasure ON vault_subject_keys TO CURRENT_USER USING (project_id = current_project());
CREATE FUNCTION vault_erase(whom text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH payloads AS (
        DELETE FROM vault_payloads WHERE project_id = current_project() AND subject = whom RETURNING 1
    ), key AS (
        DELETE FROM vault_subject_keys WHERE project_id = current_project() AND subject = whom RETURNING 1
    )
    SELECT (SELECT count(*) FROM payloads) FROM key
$$;
REVOKE ALL ON FUNCTION vault_erase(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault_erase(text) TO holdfast_app;

-- Replaces wrapped keys with keys wrapped under a newer VAULT_KEK, each only where it is still as
-- the caller saw it: a key that was erased or created anew in the meantime is left alone. Returns
-- how many were replaced. Nothing else in those rows can be changed.
CREATE FUNCTION vault_rewrap(subjects text[], seen bytea[], rewrapped bytea[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH replaced AS (
        UPDATE vault_subject_keys k SET wrapped = new.rewrapped
        FROM unnest(subjects, seen, rewrapped) AS new(subject, seen, rewrapped)
        WHERE k.project_id = current_project() AND k.subject = new.subject AND k.wrapped = new.seen
          AND octet_length(new.rewrapped) = octet_length(k.wrapped)
        RETURNING 1
    )
    SELECT count(*) FROM replaced
$$;
REVOKE ALL ON FUNCTION vault_rewrap(text[], bytea[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault_rewrap(text[], bytea[], bytea[]) TO holdfast_worker;
