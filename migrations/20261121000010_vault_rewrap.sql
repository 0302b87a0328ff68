-- A subject's key is wrapped anew, under a newer VAULT_KEK. Nothing else of its row can be changed.
SET lock_timeout = '5s';

-- Replaces wrapped keys of the running transaction's project, each only where it still is as it was seen: a key that was erased meanwhile, or made
-- anew, is left alone. Returns how many were replaced.
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
