"""Schemathesis asks as a registered agent: without a signature it would see little but 401s."""

import os

import schemathesis
from agent import Agent

caller = Agent(os.environ["HOLDFAST_URL"], os.environ["HOLDFAST_API_KEY"], "schemathesis")
caller.register()
schemathesis.auth.set_from_requests(caller.auth())


@schemathesis.hook
def map_query(context, query):
    """Long polls are waited for; what they do does not depend on how long."""
    if query and isinstance(query.get("wait"), int):
        query["wait"] = min(query["wait"], 1) if query["wait"] <= 30 else query["wait"]
    return query
