"""Plays Railway's API to scripts/railway-deploy.sh: python3 tests/deploy/railway.py

It cannot tell that Railway answers as played here; it tells what the script asks for, in which order, and how it ends.
"""

import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "railway-deploy.sh"
IMAGE = "ghcr.io/acme/holdfast@sha256:" + "ab" * 32


class Railway(ThreadingHTTPServer):
    """One scenario: what each deployment goes through, and which commits /version names in turn."""

    def __init__(self, statuses, commits=(), services=("api", "worker", "postgres"), token="secret"):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = {name: list(each) for name, each in statuses.items()}
        self.commits, self.services, self.token = list(commits), services, token
        self.done = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, query, variables):
        if "projectToken" in query:
            return {"projectToken": {"projectId": "p", "environmentId": "e"}}
        if "project(" in query:
            assert variables == {"id": "p"}, variables
            return {"project": {"services": {"edges": [{"node": {"id": f"id-{name}", "name": name}} for name in self.services]}}}
        if "deployment(" in query:
            statuses = self.statuses[variables["id"]]
            return {"deployment": {"status": statuses.pop(0) if len(statuses) > 1 else statuses[0]}}
        assert variables["environmentId"] == "e", variables
        name = variables["serviceId"].removeprefix("id-")
        if "serviceInstanceUpdate" in query:
            self.done.append(("update", name, variables["input"]["source"]["image"]))
            return {"serviceInstanceUpdate": True}
        assert "serviceInstanceDeployV2" in query, query
        self.done.append(("deploy", name))
        return {"serviceInstanceDeployV2": name}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["project-access-token"] != self.server.token:
            return self.say({"errors": [{"message": "Not Authorized"}], "data": None})
        self.say({"data": self.server.answer(asked["query"], asked["variables"])})

    def do_GET(self):
        commits = self.server.commits
        self.say({"version": "0.1.0", "commit": commits.pop(0) if len(commits) > 1 else commits[0]})

    def say(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def run(railway, *options, token="secret", image=IMAGE):
    port = railway.server_port
    environment = os.environ | {
        "RAILWAY_TOKEN": token,
        "RAILWAY_API_URL": f"http://127.0.0.1:{port}/graphql/v2",
        "RAILWAY_POLL_SECONDS": "0.05",
        "RAILWAY_TIMEOUT": "2",
    }
    options = [option.replace("URL", f"http://127.0.0.1:{port}") for option in options]
    ended = subprocess.run([SCRIPT, "--image", image, *options], env=environment, capture_output=True, text=True, timeout=60)
    assert "secret" not in ended.stdout + ended.stderr, "the token is in the output"
    return ended.returncode, ended.stdout + ended.stderr


def expect(what, got, code, says):
    assert got[0] == code and says in got[1], f"{what}: exit code {got[0]}, said {got[1]!r}"
    print(f"  ✓ {what}")


GOES_WELL = {"api": ["QUEUED", "DEPLOYING", "SUCCESS"], "worker": ["SUCCESS"]}

railway = Railway(GOES_WELL, commits=["old", "new", "old", "new", "new", "new"])
expect("both services, then the commit from outside", run(railway, "--url", "URL", "--commit", "new"), 0, "runs new")
both = [(step, name, *rest) for name in ("api", "worker") for step, rest in (("update", [IMAGE]), ("deploy", []))]
assert railway.done == both, railway.done
assert railway.commits == ["new"], "old and new answering in turn is not taken for new"

railway = Railway({"api": ["DEPLOYING", "FAILED"], "worker": ["SUCCESS"]})
expect("a failed api", run(railway), 1, "api: deployment api ended as FAILED")
assert ("deploy", "worker") not in railway.done, "the worker stays as it was when the api fails"

expect("one that never ends", run(Railway({"api": ["DEPLOYING"]})), 1, "was still DEPLOYING after 2 s")
expect("an old commit", run(Railway(GOES_WELL, commits=["old"]), "--url", "URL", "--commit", "new"), 1, "names old, not new")

railway = Railway(GOES_WELL, services=("api", "postgres"))
expect("a missing service", run(railway), 1, 'no service "worker", only: api, postgres')
assert railway.done == [], "nothing is touched when a service is missing"

expect("a refused token", run(Railway(GOES_WELL), token="secret-of-another"), 1, "Railway's API refused: Not Authorized")
expect("a tag", run(Railway(GOES_WELL), image="ghcr.io/acme/holdfast:main"), 2, "--image wants REPOSITORY@sha256:DIGEST")
