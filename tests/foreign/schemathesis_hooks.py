"""Schemathesis asks as somebody who is let in: without credentials it would see little but 401s. HOLDFAST_CALLER says as whom."""

import os
import urllib.parse

import schemathesis

URL, KEY, CALLER = os.environ["HOLDFAST_URL"], os.environ["HOLDFAST_API_KEY"], os.environ["HOLDFAST_CALLER"]

if CALLER == "agent":
    from agent import Agent

    caller = Agent(URL, KEY, "schemathesis")
    caller.register()
    schemathesis.auth.set_from_requests(caller.auth())


@schemathesis.hook
def before_call(context, case, kwargs):
    """Long polls are not sat out; what they do does not depend on how long they wait."""
    wait = (case.query or {}).get("wait")
    if isinstance(wait, int) and 1 < wait <= 30:
        case.query["wait"] = 1


@schemathesis.hook
def after_call(context, case, response):
    """Notes the codes it met where the tests note theirs; `crates/api/tests/api/codes.rs` checks them all."""
    file = os.environ.get("HOLDFAST_TEST_CODES")
    if file and response.status_code >= 400:
        try:
            code = response.json().get("code")
        except (ValueError, AttributeError):
            return
        path = urllib.parse.urlsplit(response.request.url).path
        if code and " " not in path:
            with open(file, "a", encoding="utf-8") as notes:
                notes.write(f"{case.method.upper()} {path} {code}\n")
