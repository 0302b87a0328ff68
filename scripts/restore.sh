#!/usr/bin/env bash
# Restores a backup of scripts/backup.sh into an empty database: scripts/restore.sh FILE
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/restore.sh [--no-migrate-check] FILE

Restores FILE into the database of DATABASE_DIRECT_URL, or of DATABASE_URL, if its SHA-256 is that of FILE.sha256.
Refuses a database that is not empty. Restores all or nothing. Then asks `api migrate --check` whether this build
knows the schema: `api` is searched in PATH, or is what HOLDFAST_API names.

  --no-migrate-check  do not ask; for machines without `api`

api and worker may run meanwhile: they do not serve a database without the schema.
TEXT
}
die() { echo "restore: $1" >&2; exit 2; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not installed; $2"; }

file='' migrate_check=yes
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --no-migrate-check) migrate_check=no ;;
    -*) die "there is no option $1; see --help" ;;
    *) [ -z "$file" ] || die "one FILE at a time"; file=$1 ;;
  esac
  shift
done
[ -n "$file" ] || { usage >&2; exit 2; }
database=${DATABASE_DIRECT_URL:-${DATABASE_URL:-}}
[ -n "$database" ] || die "DATABASE_URL is not set; it wants postgres://user:password@host:5432/database"
client="apt-get install postgresql-client, or brew install libpq; its version must be at least that of the backup's pg_dump"
need pg_restore "$client"
need psql "$client"
if command -v sha256sum >/dev/null 2>&1; then sum=(sha256sum); else need shasum "it comes with Perl"; sum=(shasum -a 256); fi
api=${HOLDFAST_API:-api}
[ "$migrate_check" = no ] || need "$api" "put the api binary in PATH, name it in HOLDFAST_API, or say --no-migrate-check"
[ -r "$file" ] || die "$file cannot be read"
[ -r "$file.sha256" ] || die "$file.sha256 cannot be read; without it, nothing tells whether the backup is whole"

wanted=$(cut -d' ' -f1 <"$file.sha256")
digest=$("${sum[@]}" <"$file")
[ "${digest%% *}" = "$wanted" ] || die "the SHA-256 of $file is not that of $file.sha256: the backup is damaged; nothing was restored"
pg_restore --list "$file" >/dev/null || die "pg_restore cannot read $file; nothing was restored"

# In the environment, the password is not in the list of processes.
plain=$database
if [[ $database =~ ^([a-z]+://[^:/@]+):([^@]*)@(.*)$ ]]; then
  plain=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
  encoded=${BASH_REMATCH[2]//\\/\\\\}
  printf -v PGPASSWORD '%b' "${encoded//%/\\x}"
  export PGPASSWORD
fi
sql() { psql --dbname="$plain" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1; }

held=$(sql <<'SQL'
SELECT count(*) FROM pg_class AS relation JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
WHERE schema.nspname NOT IN ('pg_catalog', 'information_schema') AND schema.nspname NOT LIKE 'pg\_toast%'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND deptype = 'e');
SQL
) || die "Postgres does not answer, or refuses; nothing was restored"
[ "$held" = 0 ] || die "the database is not empty: it holds $held relations; create another and name that in DATABASE_URL"
offered=$(sql <<<"SELECT count(*) FROM pg_available_extensions WHERE name IN ('vector', 'pg_trgm');")
[ "$offered" = 2 ] || die "this Postgres does not offer the extensions vector and pg_trgm; on Railway the pgvector template has them"

# Roles belong to the cluster and are in no dump of a database. The first migration creates the same
# ones.
sql <<'SQL' || die "the roles of Holdfast could not be created; nothing was restored"
SET client_min_messages = warning;
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['holdfast_app', 'holdfast_auth', 'holdfast_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role);
        END IF;
    END LOOP;
END $$;
SQL
# The only comments are on extensions, which may belong to the host.
pg_restore --dbname="$plain" --single-transaction --exit-on-error --no-owner --no-comments "$file" || die "pg_restore failed; nothing was restored"
sql <<<'ANALYZE;'
echo "restore: $file is restored"

[ "$migrate_check" = yes ] || exit 0
# `api` requires its whole configuration; the check uses none of the keys.
export SECRETS_KEY=${SECRETS_KEY:-$("$api" keygen secrets)}
export WEBHOOK_SIGNING_KEY=${WEBHOOK_SIGNING_KEY:-$("$api" keygen webhook)}
export JWT_SIGNING_KEY=${JWT_SIGNING_KEY:-$("$api" keygen jwt)}
export VAULT_SIGNING_KEY=${VAULT_SIGNING_KEY:-$("$api" keygen vault)}
export VAULT_KEK=${VAULT_KEK:-$("$api" keygen kek)}
DATABASE_URL=$database "$api" migrate --check || die "the data is restored, but not for this build: see the line above"
