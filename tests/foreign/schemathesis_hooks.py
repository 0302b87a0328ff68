"""Schemathesis asks as somebody who is let in: without credentials it would see little but 401s. HOLDFAST_CALLER says as whom."""

import os

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
