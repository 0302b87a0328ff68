"""Schemathesis asks as a registered agent: without a signature it would see little but 401s."""

import os

import schemathesis
from agent import Agent

caller = Agent(os.environ["HOLDFAST_URL"], os.environ["HOLDFAST_API_KEY"], "schemathesis")
caller.register()
schemathesis.auth.set_from_requests(caller.auth())
