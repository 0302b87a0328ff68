#!/usr/bin/env bash
# Sets an environment of a Railway project up as .railway/railway.ts says, and generates the secrets
# that it lacks. It can be run any number of times.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/railway-setup.sh --project PROJECT --environment ENVIRONMENT [--repository OWNER/NAME] [--image IMAGE] [--yes] [--dry-run]

  --project      the Railway project, by name or id; `railway init --name holdfast` creates one
  --environment  staging or production; created when the project has none of that name
  --repository   the GitHub repository that the images of NATS and Qdrant are built from; by default that of origin
  --image        the image of api and worker; by default the present one, or that of main when they are new
  --yes          do not ask before changes are applied. What would remove something is refused either way
  --dry-run      print every command, run none

A secret that has a value keeps it. Links this folder to the project and environment, as `railway link` does. Needs the
Railway CLI (`railway login` first, or RAILWAY_API_TOKEN), Node.js, jq, and an `api` program or Docker to generate keys.
TEXT
}
die() { echo "railway-setup: $1" >&2; exit "${2:-1}"; }

# SERVICE VARIABLE MAKER: every secret. The worker refers to the api's (.railway/railway.ts), so
# each exists once. Postgres comes first: setting a variable deploys its service, and without
# Postgres the api only fails.
secrets() {
  cat <<'TABLE'
postgres POSTGRES_PASSWORD password
api SECRETS_KEY keygen secrets
api WEBHOOK_SIGNING_KEY keygen webhook
api JWT_SIGNING_KEY keygen jwt
api VAULT_SIGNING_KEY keygen vault
api VAULT_KEK keygen kek
TABLE
}

project='' environment='' repository='' image='' yes='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --project | --environment | --repository | --image)
      [ $# -ge 2 ] && [ -n "$2" ] || die "$1 wants a value" 2
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    --yes) yes=--yes; shift ;;
    --dry-run) dry=yes; shift ;;
    *) die "unknown option $1; --help tells those there are" 2 ;;
  esac
done
[ -n "$project" ] || die "--project is missing; it wants a Railway project, which \`railway init --name holdfast\` makes" 2
[[ $environment =~ ^(staging|production)$ ]] || die "--environment wants staging or production, and held \"$environment\"" 2
cd "$(dirname "$0")/.."
if [ -z "$repository" ]; then
  repository=$(git remote get-url origin 2>/dev/null | sed -nE 's#^.*github\.com[:/]([^/]+/[^/]+)$#\1#p' | sed 's/\.git$//' || true)
  [ -n "$repository" ] || die "--repository is missing, and origin is not on GitHub; it wants OWNER/NAME" 2
fi
[[ $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || die "--repository wants OWNER/NAME, and held \"$repository\"" 2
export HOLDFAST_REPOSITORY=$repository
if [ -z "$dry" ]; then
  command -v railway >/dev/null || die "the Railway CLI is missing: npm install --global @railway/cli"
  command -v jq >/dev/null || die "jq is missing: apt-get install jq, or brew install jq"
  command -v npm >/dev/null || die "npm is missing: apt-get install npm, or brew install node"
fi
complaint=$(mktemp)
trap 'rm -f "$complaint"' EXIT

# failed COMMAND: dies with one sentence and the last line of the command's output.
failed() { die "\`$1\` failed: $(grep -v '^[[:space:]]*$' "$complaint" | tail -1 | tr -d '\r' || true)"; }
# ask ASSUMED COMMAND…: sets $answer to what the command prints; in a dry run, prints the command
# and takes ASSUMED.
ask() {
  local assumed=$1
  shift
  if [ -n "$dry" ]; then printf '  %s\n' "$*"; answer=$assumed; return; fi
  answer=$("$@" 2>"$complaint" </dev/null) || failed "$*"
}
# pick JQ_FILTER [JQ_OPTIONS]: sets $picked from $answer. The output of another CLI version must not
# pass for "there is no secret".
pick() {
  picked=$(jq -er "($1) // \"\"" "${@:2}" 2>/dev/null <<<"$answer") ||
    die "the Railway CLI answered with something else than was asked of it; npm install --global @railway/cli updates it"
}

[ -z "$dry" ] || echo "Would run, with HOLDFAST_REPOSITORY=$repository:"
ask '' railway whoami
# Listing the environments takes a link to any; Railway creates production with the project.
ask '' railway link --project "$project" --environment production --json
ask '{"environments": []}' railway environment list --json
pick '[.environments[].name] | join("\n")'
if ! grep -qxF "$environment" <<<"$picked"; then
  ask '' railway environment new "$environment" --json
  [ -n "$dry" ] || echo "made the environment $environment"
fi
ask '' railway link --project "$project" --environment "$environment" --json

# .railway/railway.ts imports Railway's SDK.
[ -z "$dry" ] && [ -d .railway/node_modules/railway ] || ask '' npm ci --prefix .railway --no-audit --no-fund --silent
if [ -z "$image" ]; then
  # Otherwise, applying would replace the image of a deployment by that of main.
  ask '{"resources": []}' railway config pull --json
  pick '[.resources[] | select(.name == "api" and .type == "service").source.image][0]'
  image=$picked
fi
export IMAGE_REF=$image
apply=(railway config apply ${yes:+"$yes"})
if [ -n "$dry" ]; then
  ask '' railway config plan --detailed-exit-code
  ask '' "${apply[@]}"
else
  pending=0
  railway config plan --detailed-exit-code >/dev/null 2>"$complaint" </dev/null || pending=$?
  case $pending in
    0) echo "the project is as .railway/railway.ts says" ;;
    # On the terminal: the CLI shows the plan, and asks unless --yes was given.
    2) if [ -n "$yes" ]; then ask '' "${apply[@]}"; else "${apply[@]}" || die "\`${apply[*]}\` failed, for the reason above"; fi ;;
    *) failed "railway config plan" ;;
  esac
fi

# make MAKER…: generates a secret and prints it.
make() {
  case $1 in
    password) od -An -N24 -tx1 /dev/urandom | tr -d ' \n' ;;
    keygen)
      if command -v api >/dev/null; then
        api "$@"
      elif command -v docker >/dev/null; then
        docker run --rm "${image:-ghcr.io/${repository,,}:main}" api "$@"
      else
        echo "neither the program api nor docker is here: cargo install --path crates/api, or install Docker" >&2
        return 1
      fi ;;
  esac
}
while read -r service variable maker; do
  set_it=(railway variable set "$variable" --stdin --service "$service" --environment "$environment" --json)
  ask '{}' railway variable list --service "$service" --environment "$environment" --json
  if [ -n "$dry" ]; then
    echo "  ${set_it[*]}   with a new $maker, ***, when it has no value"
    continue
  fi
  # shellcheck disable=SC2016  # jq's, not the shell's
  pick 'objects | .[$name] // ""' --arg name "$variable"
  if [ -n "$picked" ]; then
    echo "$service: $variable has a value, which stays"
    continue
  fi
  # shellcheck disable=SC2086  # a maker and its arguments
  value=$(make $maker 2>"$complaint" </dev/null) && [ -n "$value" ] || failed "$maker"
  # Through a pipe, since everyone on the machine can see arguments.
  printf %s "$value" | "${set_it[@]}" >/dev/null 2>"$complaint" || failed "${set_it[*]}"
  echo "$service: $variable is set to a new one"
done < <(secrets)

# Gives the service a domain of Railway's, unless it has one.
ask '' railway domain --service api --json
[ -n "$dry" ] || echo "$project is set up for $environment; it runs once scripts/railway-deploy.sh, or the deploy workflow, has given it an image"
