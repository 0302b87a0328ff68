#!/usr/bin/env bash
# Deploys one image to Railway and waits until it runs: first the api, whose pre-deploy command
# migrates, then the worker. The token decides which project and environment: a project token
# belongs to one environment.
# shellcheck disable=SC2016  # the $ of GraphQL stays in its single quotes
set -euo pipefail

usage() {
  cat <<'TEXT'
scripts/railway-deploy.sh --image REPOSITORY@sha256:DIGEST [--url URL --commit SHA]

  --image    the image that api and worker run, by digest: a tag may mean something else tomorrow
  --url      the public URL of the api, to ask for /version
  --commit   the commit that /version must name

RAILWAY_TOKEN is a project token (project settings, tokens). RAILWAY_SERVICES has the names of the services in the
order of deployment, "api worker" by default. RAILWAY_TIMEOUT is the seconds that one deployment may take, 900 by default.
TEXT
}
die() { echo "railway-deploy: $1" >&2; exit "${2:-1}"; }

image='' url='' commit=''
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit ;;
    --image | --url | --commit)
      [ $# -ge 2 ] && [ -n "$2" ] || die "$1 wants a value" 2
      printf -v "${1#--}" %s "$2"
      shift 2 ;;
    *) die "unknown option $1; --help tells those there are" 2 ;;
  esac
done
for tool in curl jq; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install $tool, or brew install $tool"
done
[[ $image =~ ^[a-z0-9./_:-]+@sha256:[0-9a-f]{64}$ ]] || die "--image wants REPOSITORY@sha256:DIGEST, and held \"$image\"" 2
[ -z "$url" ] || [ -n "$commit" ] || die "--url wants --commit as well" 2
[ -n "${RAILWAY_TOKEN:-}" ] || die "RAILWAY_TOKEN is not set; it wants a project token"
read -ra services <<<"${RAILWAY_SERVICES:-api worker}"
timeout=${RAILWAY_TIMEOUT:-900}
endpoint=${RAILWAY_API_URL:-https://backboard.railway.com/graphql/v2}
pause=${RAILWAY_POLL_SECONDS:-5}

# graphql QUERY VARIABLES: prints .data. The token goes through a file descriptor, since everyone on
# the machine can see arguments.
graphql() {
  local answer
  answer=$(jq -cn --arg query "$1" --argjson variables "$2" '{query: $query, variables: $variables}' |
    curl -sS --max-time 30 -H @<(printf 'Project-Access-Token: %s\n' "$RAILWAY_TOKEN") \
      -H 'Content-Type: application/json' --data-binary @- "$endpoint") || die "Railway's API does not answer"
  jq -e 'type == "object" and .errors == null and .data != null' >/dev/null 2>&1 <<<"$answer" ||
    die "Railway's API refused: $(jq -r '[.errors[].message] | join("; ")' 2>/dev/null <<<"$answer" || head -c 200 <<<"$answer")"
  jq -c .data <<<"$answer"
}

scope=$(graphql 'query { projectToken { projectId environmentId } }' '{}' | jq -c .projectToken)
environment=$(jq -r .environmentId <<<"$scope")
known=$(graphql 'query($id: String!) { project(id: $id) { services { edges { node { id name } } } } }' "$(jq -c '{id: .projectId}' <<<"$scope")" |
  jq -c '[.project.services.edges[].node | {(.name): .id}] | add // {}')
# Checks all services before it touches any.
for name in "${services[@]}"; do
  jq -e --arg name "$name" 'has($name)' >/dev/null <<<"$known" || die "the project has no service \"$name\", only: $(jq -r 'keys_unsorted | join(", ")' <<<"$known")"
done

deploy() {
  local name=$1 target id status seen='' deadline
  target=$(jq -c --arg name "$name" --arg environment "$environment" '{serviceId: .[$name], environmentId: $environment}' <<<"$known")
  graphql 'mutation($serviceId: String!, $environmentId: String!, $input: ServiceInstanceUpdateInput!) {
    serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input) }' \
    "$(jq -c --arg image "$image" '. + {input: {source: {image: $image}}}' <<<"$target")" >/dev/null
  id=$(graphql 'mutation($serviceId: String!, $environmentId: String!) {
    serviceInstanceDeployV2(serviceId: $serviceId, environmentId: $environmentId) }' "$target" | jq -r .serviceInstanceDeployV2)
  deadline=$((SECONDS + timeout))
  while [ "$SECONDS" -lt "$deadline" ]; do
    status=$(graphql 'query($id: String!) { deployment(id: $id) { status } }' "$(jq -cn --arg id "$id" '{id: $id}')" | jq -r .deployment.status)
    [ "$status" = "$seen" ] || echo "$name: $status"
    seen=$status
    case $status in
      SUCCESS) return ;;
      FAILED | CRASHED | REMOVED | SKIPPED) die "$name: deployment $id ended as $status; what ran before still does" ;;
    esac
    sleep "$pause"
  done
  die "$name: deployment $id was still $seen after $timeout s"
}
for name in "${services[@]}"; do
  deploy "$name"
done

if [ -n "$url" ]; then
  # While old and new overlap, either may answer. So the new one must answer three times in a row.
  row=0
  for _ in $(seq 60); do
    running=$(curl -sS --max-time 10 "${url%/}/version" 2>/dev/null | jq -r '.commit // "none"' 2>/dev/null || true)
    if [ "$running" = "$commit" ]; then row=$((row + 1)); else row=0; fi
    [ "$row" -lt 3 ] || { echo "$url runs $commit"; exit; }
    sleep "$pause"
  done
  die "$url/version names ${running:-nothing}, not $commit"
fi
