#!/usr/bin/env bash
# Checks a deployment from the outside, as a client sees it: scripts/verify-deployment.sh [OPTIONS]
# URL
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/verify-deployment.sh [--commit SHA] [--origin ORIGIN] [--require-ok] URL

Checks a running Holdfast from the outside and prints a line per check. Exits with 1 when one fails.

  --commit SHA     /version must name this commit
  --origin ORIGIN  pages of this origin must be allowed to call (CORS_ORIGINS)
  --require-ok     /health must be "ok"; by default "degraded" is enough: an accelerator is away

With HOLDFAST_API_KEY set, two temporary agents also register, send an intent, receive and acknowledge it, and leave
again. One entry, "deployment.verified", is sealed in the project's log, where it stays for ever, and is proved. Use the
key of a project for checks, with agents:read, agents:write, vault:read and vault:write. URL must then be PUBLIC_URL,
since signatures cover it and logs are named by its host. Needs curl and Python 3 and, for this part, OpenSSL 3.
TEXT
}
die() { echo "verify-deployment: $1" >&2; exit 2; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not installed; $2"; }

url='' commit='' origin='' require_ok=no
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --commit | --origin)
      [ $# -ge 2 ] && [ -n "$2" ] || die "$1 wants a value"
      if [ "$1" = --commit ]; then commit=$2; else origin=$2; fi
      shift ;;
    --require-ok) require_ok=yes ;;
    -*) die "there is no option $1; see --help" ;;
    *) [ -z "$url" ] || die "one URL at a time"; url=${1%/} ;;
  esac
  shift
done
[ -n "$url" ] || { usage >&2; exit 2; }
case $url in http://?* | https://?*) ;; *) die "the URL must begin with http:// or https://" ;; esac
need curl "apt-get install curl, or brew install curl"
need python3 "apt-get install python3, or brew install python"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
total=0 failed=0

# fetch PATH [CURL OPTIONS]: sets $status and $headers (lower-case names), and puts the body into a
# file.
fetch() {
  local path=$1
  shift
  : >"$work/body"
  : >"$work/head"
  status=$(curl -sS --max-time 20 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" "$url$path" 2>"$work/error") || status=000
  headers=$(tr -d '\r' <"$work/head" | awk -F: 'NF > 1 { name = tolower($1); sub(/^[^:]*: */, ""); print name ": " $0 }')
}
# check NAME COMMAND…: runs a check and prints its line.
check() {
  local name=$1 why
  shift
  total=$((total + 1))
  if why=$("$@" 2>&1); then
    printf '  ✓ %s\n' "$name"
  else
    failed=$((failed + 1))
    printf '  ✗ %s: %s\n' "$name" "${why:-no}"
  fi
}
is() { [ "$status" = "$1" ] || { echo "answered $status, not $1; $(head -c 200 "$work/error")$(head -c 200 "$work/body")"; return 1; }; }
header() { grep -qiE "^$1: $2" <<<"$headers" || { echo "the header $1 is missing or is not ${2:-there}"; return 1; }; }
# json EXPRESSION: requires that a Python expression over the body, `a`, is true.
json() {
  python3 -c '
import json, sys
try:
    a = json.load(open(sys.argv[1], encoding="utf-8"))
    good = bool(eval(sys.argv[2], {"a": a}))
except Exception as error:
    sys.exit(f"the body is not as expected: {error!r}")
sys.exit(0 if good else f"the body does not satisfy {sys.argv[2]}: {json.dumps(a)[:200]}")' "$work/body" "$1"
}

problem() { is "$1" && header content-type application/problem\\+json && json "a['code'] == '$2' and a['status'] == $1 and a['request_id']"; }
live() { is 200 && json "a['status'] == 'ok'"; }
health() {
  is 200 && json "a['status'] in ('ok', 'degraded') and a['checks']['database']['status'] == 'ok'" \
    && json "set(a['checks']) >= {'database', 'redis', 'nats', 'qdrant'} and a['version'] and a['environment'] and a['uptime_seconds'] >= 0"
}
health_ok() { json "a['status'] == 'ok'"; }
version() { is 200 && json "a['version'] and 'commit' in a"; }
at_commit() { json "(a['commit'] or '').startswith('$commit')"; }
openapi() { is 200 && json "a['openapi'].startswith('3.1') and '/v1/intents' in a['paths']"; }
docs() { is 200 && header content-type text/html; }
security_headers() {
  header x-content-type-options nosniff && header x-frame-options DENY && header referrer-policy no-referrer \
    && header content-security-policy "default-src 'none'" && header strict-transport-security max-age=
}
private() { header cache-control no-store; }
limits() { header ratelimit-policy '"default";q=[0-9]+;w=[0-9]+' && header ratelimit '"default";r=[0-9]+;t=[0-9]+'; }
challenge() { header www-authenticate '.*Bearer'; }
# A page from an unknown origin must get nothing, or what everybody gets.
stranger() {
  [ "$status" != 000 ] || { echo "no answer"; return 1; }
  if grep -qi '^access-control-allow-origin: https://stranger' <<<"$headers"; then echo "an unknown origin is let in"; return 1; fi
  if grep -qi '^access-control-allow-credentials: true' <<<"$headers"; then echo "credentials are let in"; return 1; fi
}
welcome() { grep -qixF -e "access-control-allow-origin: $origin" -e 'access-control-allow-origin: *' <<<"$headers" || { echo "$origin is not let in; see CORS_ORIGINS"; return 1; }; }
webhook_keys() { is 200 && json "a['data'] and all(key['public_key'].startswith('whpk_') for key in a['data'])"; }
quiet_errors() { is 401 || return 1
  ! grep -qiE 'sqlx|postgres|panicked|backtrace|\.rs:' "$work/body" || { echo "an error tells of the inside"; return 1; }; }
redirects_to_https() { case $status in 301 | 302 | 307 | 308) header location https:// ;; *) echo "plain http is answered with $status"; return 1 ;; esac; }

echo "Holdfast at $url"
fetch /health/live
check "it is live" live
check "every answer carries security headers" security_headers
check "every answer carries a request id" header x-request-id '.+'
fetch /health/ready
check "it is ready: Postgres answers and the schema is current" is 200
fetch /health
check "/health says how each dependency does" health
[ "$require_ok" = no ] || check "no accelerator is away" health_ok
fetch /version
check "/version names the build" version
cp "$work/body" "$work/build"
[ -z "$commit" ] || check "the build is commit $commit" at_commit
check "requests are counted: RateLimit and RateLimit-Policy" limits
fetch /openapi.json
check "/openapi.json describes the API" openapi
fetch /docs
check "/docs is a page" docs
fetch /v1/webhook-keys
check "the key that signs pushed deliveries is published" webhook_keys
fetch /v1/no-such-thing
check "an unknown path is a problem+json 404" problem 404 not_found
fetch /v1/agents
check "no credentials: 401" problem 401 credentials_missing
check "the 401 says how to authenticate" challenge
check "private answers are not to be stored" private
fetch /v1/agents -H 'Authorization: Bearer hf_production_not_a_key'
check "a made-up API key: 401" is 401
check "errors say nothing of the inside" quiet_errors
fetch /v1/agents -X OPTIONS -H 'Origin: https://stranger.invalid' -H 'Access-Control-Request-Method: GET'
check "CORS: an unknown origin gets no privilege" stranger
if [ -n "$origin" ]; then
  fetch /v1/agents -X OPTIONS -H "Origin: $origin" -H 'Access-Control-Request-Method: GET'
  check "CORS: $origin is let in" welcome
fi
case $url in
  https://*)
    # Where TLS ends at a proxy, that proxy must not serve plain text.
    secure=$url url=http://${url#https://}
    fetch /health/live
    url=$secure
    check "plain http is sent to https" redirects_to_https ;;
esac

# Prints the seal's body: the build, and how many of the checks so far held.
entry() {
  python3 -c '
import json, sys
try:
    build = json.load(open(sys.argv[1], encoding="utf-8"))
except ValueError:
    build = {}
total, failed = map(int, sys.argv[2:])
payload = {"version": build.get("version"), "commit": build.get("commit"), "checks": total, "failed": failed}
print(json.dumps({"kind": "deployment.verified", "verdict": "SEAL", "payload": payload, "tags": ["verify-deployment"]}))' "$work/build" "$total" "$failed"
}
# Prints the body that verifies a receipt: the one that was fetched or, with "changed", one with
# another index.
receipt() {
  python3 -c '
import json, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
if sys.argv[2] == "changed":
    text = re.sub("^index .*$", lambda line: "index " + str(int(line[0][6:]) + 1), text, count=1, flags=re.M)
print(json.dumps({"receipt": text}))' "$work/receipt" "$1"
}
sealed() { is 201 && json "a['log'].startswith('log_') and a['index'] < a['size'] and len(a['leaf_hash']) == 64 and a['checkpoint']"; }
has_receipt() { is 200 && header content-type text/plain && grep -qxF 'c2sp.org/tlog-proof@v1' "$work/body" && grep -qxF "index $place" "$work/body"; }
is_valid() { is 200 && json "a['valid'] is True and a['log'] == '$log' and a['index'] == $place"; }
is_refused() { is 200 && json "a['valid'] is False and a['flaw'] in ('index', 'proof')"; }
# The checkpoint must be a signed note of the log by its public name, over a tree that has the
# entry.
checkpoint() {
  local host=${url#*://} size
  is 200 || return 1
  grep -qxF "${host%%/*}/v1/vault/logs/$log" <(head -n 1 "$work/body") || { echo "the log is called $(head -n 1 "$work/body" | head -c 200): is PUBLIC_URL what clients call?"; return 1; }
  size=$(sed -n 2p "$work/body")
  [ "$size" -gt "$place" ] 2>/dev/null || { echo "it is of $size entries, and the entry's index is $place"; return 1; }
  grep -qF "— ${host%%/*}/v1/vault/logs/$log " "$work/body" || { echo "it is not signed"; return 1; }
}

round_trip() {
  HOLDFAST_URL=$url WORK=$work python3 - <<'PYTHON'
import base64, hashlib, json, os, secrets, subprocess, sys, time
import urllib.error, urllib.parse, urllib.request

URL, KEY, WORK = os.environ["HOLDFAST_URL"], os.environ["HOLDFAST_API_KEY"], os.environ["WORK"]


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True)
    if done.returncode:
        sys.exit("openssl: " + done.stderr.decode().strip().splitlines()[0] + " (OpenSSL 3 is needed for Ed25519)")
    return done.stdout


class Agent:
    def __init__(self, name):
        self.name, self.pem = name, f"{WORK}/{name}.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.pem)
        self.public = openssl("pkey", "-in", self.pem, "-pubout", "-outform", "DER")[-32:]
        self.did = "did:key:z" + base58(b"\xed\x01" + self.public)

    def sign(self, message):
        path = f"{WORK}/message"
        with open(path, "wb") as file:
            file.write(message)
        return openssl("pkeyutl", "-sign", "-inkey", self.pem, "-rawin", "-in", path)

    def call(self, method, path, body=None, key=None):
        """A request signed by RFC 9421; the status and the parsed answer."""
        target, headers = URL + path, {}
        lines = [("@method", method), ("@target-uri", target)]
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
            headers |= {"Content-Type": "application/json", "Content-Digest": digest}
            lines.append(("content-digest", digest))
        names = " ".join(f'"{name}"' for name, _ in lines)
        parameters = f'({names});created={int(time.time())};keyid="{self.did}";nonce="{secrets.token_hex(16)}"'
        base = "".join(f'"{name}": {value}\n' for name, value in lines) + f'"@signature-params": {parameters}'
        headers["Signature-Input"] = f"sig={parameters}"
        headers["Signature"] = f"sig=:{base64.b64encode(self.sign(base.encode())).decode()}:"
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return send(urllib.request.Request(target, data, headers, method=method))


def send(request):
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else {}
    except OSError as error:
        sys.exit(f"{request.full_url}: {error}")


def wants(what, got, status):
    if got[0] != status:
        problem = got[1] or {}
        sys.exit(f"{what}: {got[0]} {problem.get('code', '')} {problem.get('detail', '')}, not {status}")
    return got[1]


alice, bob = Agent("verify-sender"), Agent("verify-recipient")
try:
    for agent in (alice, bob):
        registration = {"did": agent.did, "name": agent.name, "public_key": base64.urlsafe_b64encode(agent.public).decode().rstrip("=")}
        wants(f"{agent.name} registers", agent.call("POST", "/v1/agents", registration, KEY), 201)
    token = secrets.token_hex(8)
    sent = wants("the intent is sent", alice.call("POST", "/v1/intents", {"to": bob.did, "type": "verify", "payload": {"token": token}}), 202)
    # A job of the worker delivers the intent, so waiting for it checks that a worker works.
    leased, until = [], time.time() + 45
    while not leased and time.time() < until:
        leased = wants("the inbox is asked", bob.call("GET", "/v1/inbox?wait=10"), 200)["data"]
    if not leased:
        sys.exit("the intent was accepted but not delivered in 45 s: does the worker run?")
    delivery = leased[0]
    if delivery["intent"]["id"] != sent["id"] or delivery["intent"]["payload"] != {"token": token}:
        sys.exit("what arrived is not what was sent")
    wants("it is acknowledged", bob.call("POST", f"/v1/inbox/{delivery['id']}/ack", {"lease_token": delivery["lease_token"]}), 204)
    state = wants("the sender asks", alice.call("GET", f"/v1/intents/{sent['id']}"), 200)["state"]
    if state != "acked":
        sys.exit(f"the sender sees {state}, not acked")
finally:
    for agent in (alice, bob):
        path = "/v1/agents/" + urllib.parse.quote(agent.did, safe=":")
        send(urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {KEY}"}, method="DELETE"))
PYTHON
}
if [ -n "${HOLDFAST_API_KEY:-}" ]; then
  need openssl "apt-get install openssl, or brew install openssl@3"
  fetch /v1/agents -H @<(printf 'Authorization: Bearer %s' "$HOLDFAST_API_KEY")
  check "the API key is good" is 200
  check "a signed intent is accepted, delivered by the worker and acknowledged" round_trip
  bearer=(-H 'Content-Type: application/json' -H "@$work/bearer")
  printf 'Authorization: Bearer %s' "$HOLDFAST_API_KEY" >"$work/bearer"
  fetch /v1/vault/seals "${bearer[@]}" --data "$(entry)"
  check "an entry is sealed in the vault" sealed
  # Both go into paths and expressions: only an identifier and a number may pass.
  read -r log place < <(python3 -c '
import json, re, sys
a = json.load(open(sys.argv[1], encoding="utf-8"))
print(re.fullmatch("log_[0-9a-f]{32}", a["log"])[0], int(a["index"]))' "$work/body" 2>/dev/null) || log=none place=0
  fetch "/v1/vault/seals/$place/receipt" "${bearer[@]}"
  check "it has a receipt" has_receipt
  cp "$work/body" "$work/receipt"
  fetch /v1/vault/verify -H 'Content-Type: application/json' --data "$(receipt whole)"
  check "the receipt is valid" is_valid
  fetch /v1/vault/verify -H 'Content-Type: application/json' --data "$(receipt changed)"
  check "a changed receipt is not" is_refused
  fetch "/v1/vault/logs/$log/checkpoint"
  check "the log's checkpoint is signed and covers the entry" checkpoint
else
  echo "  - HOLDFAST_API_KEY is not set: no intent was sent, nothing was sealed"
fi

if [ "$failed" = 0 ]; then
  echo "$total checks held."
else
  echo "$failed of $total checks failed."
  exit 1
fi
