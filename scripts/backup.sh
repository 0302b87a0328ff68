#!/usr/bin/env bash
# Creates a backup that scripts/restore.sh restores: scripts/backup.sh [OPTIONS] FILE
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/backup.sh [--s3 s3://BUCKET/PREFIX] FILE

Dumps the database of DATABASE_DIRECT_URL, or of DATABASE_URL, into FILE (pg_dump's custom format) and its SHA-256 into
FILE.sha256. Holdfast keeps running. FILE must not exist: a backup is never overwritten. A FILE that exists is complete.

  --s3 URL  also upload both, with the AWS CLI (AWS_ENDPOINT_URL names another S3)

The dump holds everything, API keys as hashes. Keep it as safe as the database itself.
TEXT
}
die() { echo "backup: $1" >&2; exit 2; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not installed; $2"; }

file='' s3=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --s3)
      [ $# -ge 2 ] || die "--s3 wants s3://BUCKET/PREFIX"
      case $2 in s3://?*) s3=${2%/} ;; *) die "--s3 wants s3://BUCKET/PREFIX" ;; esac
      shift ;;
    -*) die "there is no option $1; see --help" ;;
    *) [ -z "$file" ] || die "one FILE at a time"; file=$1 ;;
  esac
  shift
done
[ -n "$file" ] || { usage >&2; exit 2; }
# Through PgBouncer, pg_dump would lose its snapshot.
database=${DATABASE_DIRECT_URL:-${DATABASE_URL:-}}
[ -n "$database" ] || die "DATABASE_URL is not set; it wants postgres://user:password@host:5432/database"
need pg_dump "apt-get install postgresql-client, or brew install libpq; its version must be at least the server's"
if command -v sha256sum >/dev/null 2>&1; then sum=(sha256sum); else need shasum "it comes with Perl"; sum=(shasum -a 256); fi
[ -z "$s3" ] || need aws "pip install awscli"
[ ! -e "$file" ] && [ ! -e "$file.sha256" ] || die "$file, or its checksum, exists; a backup is never overwritten"
[ -d "$(dirname "$file")" ] || die "the folder of $file does not exist"

umask 077
partial=$file.partial.$$
trap 'rm -f "$partial"' EXIT
# In the environment, the password is not in the list of processes.
if [[ $database =~ ^([a-z]+://[^:/@]+):([^@]*)@(.*)$ ]]; then
  database=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
  encoded=${BASH_REMATCH[2]//\\/\\\\}
  printf -v PGPASSWORD '%b' "${encoded//%/\\x}"
  export PGPASSWORD
fi
# Roles belong to the cluster and not to the database: restore.sh creates them.
pg_dump --dbname="$database" --format=custom --no-owner --file="$partial" \
  || die "pg_dump failed; nothing was kept. The role must be a superuser or have BYPASSRLS, to see every project's rows"
digest=$("${sum[@]}" <"$partial")
printf '%s  %s\n' "${digest%% *}" "$(basename "$file")" >"$file.sha256"
mv "$partial" "$file"
echo "backup: $file, $(wc -c <"$file" | tr -d ' ') bytes, SHA-256 ${digest%% *}"

if [ -n "$s3" ]; then
  for part in "$file" "$file.sha256"; do
    aws s3 cp --only-show-errors "$part" "$s3/$(basename "$part")" || die "the upload failed; the backup is in $file"
  done
  echo "backup: uploaded to $s3/$(basename "$file")"
fi
