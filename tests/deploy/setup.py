"""Plays the Railway CLI to scripts/railway-setup.sh: python3 tests/deploy/setup.py

It cannot tell that the CLI answers as played here; it tells what the script asks of it, what it keeps, and how it ends.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "railway-setup.sh"
PASSWORD, KEY = "POSTGRES_PASSWORD", "SECRETS_KEY"
MADE = "hfsk_made-by-api-keygen"
DIGEST = "ghcr.io/acme/holdfast@sha256:" + "ab" * 32


def play():
    """What runs in the place of `railway`, `npm`, `api` and `docker`: every call is noted, and what it changes is kept."""
    site = Path(os.environ["SITE"])
    state = json.loads((site / "state.json").read_text())
    program, arguments = Path(sys.argv[1]).name, sys.argv[2:]
    call = " ".join([program, *arguments])
    state["calls"].append(call)
    out, code = "", 0
    if state["babbles"] and call.startswith(state["babbles"]):
        out = "A new version of the CLI is available"
    elif state["fails"] and call.startswith(state["fails"]):
        print(f"noise\nrefused by test\n", file=sys.stderr)
        code = 1
    elif program in ("api", "docker"):
        out = MADE
    elif program == "railway":
        out, code = railway(state, arguments)
    (site / "state.json").write_text(json.dumps(state))
    print(out)
    sys.exit(code)


def railway(state, arguments):
    def option(name):
        return arguments[arguments.index(name) + 1]

    environments = state["environments"]
    match arguments[:2]:
        case ["link", _]:
            state["linked"] = option("--environment")
            assert state["linked"] in environments, state["linked"]
        case ["environment", "list"]:
            return json.dumps({"environments": [{"name": name, "isLinked": False} for name in environments]}), 0
        case ["environment", "new"]:
            environments[arguments[2]] = {}
        case ["config", "pull"]:
            services = environments[state["linked"]]
            return json.dumps({"resources": [{"type": "service", "name": n, "source": {"image": s["image"]}} for n, s in services.items()]}), 0
        case ["config", "plan"]:
            return "a plan", 0 if environments[state["linked"]] == wanted(environments[state["linked"]]) else 2
        case ["config", "apply"]:
            environments[state["linked"]] = wanted(environments[state["linked"]])
        case ["variable", "list"]:
            return json.dumps(environments[option("--environment")][option("--service")]["variables"]), 0
        case ["variable", "set"]:
            environments[option("--environment")][option("--service")]["variables"][arguments[2]] = sys.stdin.read()
    return "", 0


def wanted(services):
    """What railway.ts would make of an environment: every service, its variables left alone."""
    image = os.environ.get("IMAGE_REF") or f"ghcr.io/{os.environ['HOLDFAST_REPOSITORY']}:main"
    variables = {name: services.get(name, {}).get("variables", {}) for name in ("postgres", "api", "worker")}
    return {name: {"image": "pgvector" if name == "postgres" else image, "variables": kept} for name, kept in variables.items()}


class Site:
    """A PATH on which the programs are played, and what they have kept."""

    def __init__(self, programs=("railway", "npm", "api"), environments=None, fails="", babbles=""):
        self.folder = tempfile.TemporaryDirectory()
        self.bin = Path(self.folder.name) / "bin"
        self.bin.mkdir()
        for name in programs:
            (self.bin / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{os.path.abspath(__file__)}" --play "$0" "$@"\n')
            (self.bin / name).chmod(0o755)
        # The rest of the PATH by name: a CLI or a Docker of this machine must not be met.
        for name in "bash sh cat dirname git grep jq mktemp od rm sed tail tr".split():
            found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
            (self.bin / name).symlink_to(found)
        self.keep(environments={"production": {}} if environments is None else environments, linked=None, fails=fails, babbles=babbles, calls=[])

    @property
    def state(self):
        return json.loads((Path(self.folder.name) / "state.json").read_text())

    def keep(self, **state):
        (Path(self.folder.name) / "state.json").write_text(json.dumps(state))

    def variable(self, environment, service, name):
        return self.state["environments"][environment][service]["variables"].get(name)

    def run(self, *options, project="holdfast", environment="staging"):
        """Its exit code and output; and what was called, since the last time."""
        self.keep(**self.state | {"calls": []})
        options = ["--project", project, "--environment", environment, "--repository", "acme/holdfast", *options]
        inherited = {name: value for name, value in os.environ.items() if name not in ("IMAGE_REF", "HOLDFAST_REPOSITORY")}
        ended = subprocess.run([SCRIPT, *options], env=inherited | {"PATH": str(self.bin), "SITE": self.folder.name}, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=60)
        self.said, self.complained = ended.stdout, ended.stderr
        secrets = [MADE] + [value for services in self.state["environments"].values() for s in services.values() for value in s["variables"].values()]
        for secret in secrets:
            assert secret not in self.said + self.complained, "a secret is in the output"
            assert not any(secret in call for call in self.state["calls"]), "a secret is among the arguments of a program"
        return ended.returncode, self.said + self.complained


def expect(what, got, code, *says):
    assert got[0] == code and all(each in got[1] for each in says), f"{what}: exit code {got[0]}, said {got[1]!r}"
    print(f"  ✓ {what}")


def changes(site):
    return [call for call in site.state["calls"] if call.startswith(("railway environment new", "railway config apply", "railway variable set"))]


if sys.argv[1:2] == ["--play"]:
    del sys.argv[1]
    play()

site = Site()
expect("a new environment", site.run("--yes"), 0, "made the environment staging", f"api: {KEY} is set to a new one")
assert site.state["linked"] == "staging", "production is not what was set up"
assert site.variable("staging", "api", KEY) == MADE
password = site.variable("staging", "postgres", PASSWORD)
assert len(password) == 48 and set(password) <= set("0123456789abcdef"), "a password that an URL can hold as it is"
assert site.state["environments"]["staging"]["worker"] == {"image": "ghcr.io/acme/holdfast:main", "variables": {}}, "one copy: the api's"
assert site.state["environments"]["production"] == {}, "production is left alone"

before = site.state
expect("a second run", site.run("--yes"), 0, f"postgres: {PASSWORD} has a value, which stays", "as .railway/railway.ts says")
assert changes(site) == [], changes(site)
assert site.state["environments"] == before["environments"]

deployed = site.state
for name in ("api", "worker"):
    deployed["environments"]["staging"][name]["image"] = DIGEST
deployed["environments"]["staging"]["postgres"]["variables"].pop(PASSWORD)
site.keep(**deployed)
expect("a lost secret, after a deployment", site.run("--yes"), 0, f"{PASSWORD} is set to a new one", f"{KEY} has a value, which stays")
assert site.state["environments"]["staging"]["api"]["image"] == DIGEST, "what was deployed stays"

expect("an image of the caller's", site.run("--yes", "--image", "ghcr.io/acme/other:1"), 0)
assert site.state["environments"]["staging"]["worker"]["image"] == "ghcr.io/acme/other:1"

set_by_hand = {"production": {name: {"image": DIGEST, "variables": {}} for name in ("postgres", "api", "worker")}}
set_by_hand["production"]["api"]["variables"][KEY] = "set by hand"
site = Site(environments=set_by_hand)
expect("a secret set by hand", site.run(environment="production"), 0, f"api: {KEY} has a value, which stays")
assert site.variable("production", "api", KEY) == "set by hand"

site = Site()
expect("a dry run", site.run("--dry-run", "--yes"), 0, "railway environment new staging", "railway config apply --yes",
       f"railway variable set {KEY} --stdin --service api --environment staging --json   with a new keygen secrets, ***")
assert site.state["calls"] == [], site.state["calls"]
expect("a dry run without the CLI", Site(programs=()).run("--dry-run"), 0, "railway whoami")

steps = ["railway whoami", "railway link", "railway environment list", "railway environment new", "npm ci", "railway config pull",
         "railway config plan", "railway config apply", "railway variable list", "railway variable set", "api keygen", "railway domain"]
for step in steps:
    if step == "npm ci" and (SCRIPT.parents[1] / ".railway/node_modules/railway").exists():
        continue
    site = Site(fails=step)
    ended = site.run("--yes")
    expected = "keygen secrets" if step == "api keygen" else step
    assert ended[0] == 1 and "failed: refused by test" in site.complained and expected in site.complained, (step, ended)
    assert len(site.complained.splitlines()) == 1, site.complained
    assert site.state["calls"][-1].startswith(step), f"after {step} failed came {site.state['calls'][-1]}"
site = Site(fails="railway config apply")
expect("without --yes, the CLI's own words stay on the terminal", site.run(), 1, "refused by test", "failed, for the reason above")

for asked in ["railway environment list", "railway config pull", "railway variable list"]:
    site = Site(environments={"production": {}, "staging": {}}, babbles=asked)
    expect(f"nonsense from {asked}", site.run("--yes"), 1, "answered with something else than was asked of it")
    assert not any(call.startswith(("railway environment new", "railway variable set")) for call in site.state["calls"]), site.state["calls"]
print(f"  ✓ each of {len(steps)} commands, failing, ends it with one sentence")

site = Site(programs=("railway", "npm", "docker"))
expect("keys by Docker", site.run("--yes"), 0)
assert "docker run --rm ghcr.io/acme/holdfast:main api keygen secrets" in site.state["calls"]
expect("nothing to make keys with", Site(programs=("railway", "npm")).run("--yes"), 1, "neither the program api nor docker is here")
expect("no CLI", Site(programs=("npm",)).run(), 1, "the Railway CLI is missing: npm install --global @railway/cli")
expect("another environment", Site().run(environment="prod"), 2, 'wants staging or production, and held "prod"')
expect("no repository", Site().run("--repository", "holdfast"), 2, '--repository wants OWNER/NAME, and held "holdfast"')
