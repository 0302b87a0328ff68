"""Calls through the client that PyPI's openapi-python-client writes:
python python_client.py URL TOKEN PROJECT"""

import importlib
import pkgutil
import sys
import uuid
from types import NoneType
from typing import TypeVar

import holdfast_client
from holdfast_client import AuthenticatedClient, Client
from holdfast_client.api.health import get_health, get_version
from holdfast_client.api.keys import create_api_key, get_api_key, revoke_api_key
from holdfast_client.api.projects import get_project, update_project
from holdfast_client.api.vault import (
    count_seals,
    get_receipt,
    get_seal,
    list_seals,
    seal_record,
    verify_receipt,
)
from holdfast_client.models import (
    ApiKey,
    ApiKeyRequest,
    Health,
    IssuedApiKey,
    NewSeal,
    Problem,
    Project,
    ProjectPatch,
    ReceiptToVerify,
    Scope,
    Sealed,
    SealPage,
    Tally,
    Verdict,
    Verification,
    Version,
)
from holdfast_client.types import UNSET, Response

URL, TOKEN, PROJECT = sys.argv[1:]
T = TypeVar("T")
calls = 0


def given(answer: Response, kind: type[T], status: int = 200) -> T:
    """Returns the body of an answer with this status, of this type."""
    global calls
    calls += 1
    assert (answer.status_code, type(answer.parsed)) == (status, kind), answer
    return answer.parsed


def refused(answer: Response, status: int) -> str:
    """Returns the code of the problem that an answer with this status has."""
    problem = given(answer, Problem, status)
    assert problem.status == status and problem.request_id == answer.headers["X-Request-Id"], problem
    return problem.code


for module in pkgutil.walk_packages(holdfast_client.__path__, "holdfast_client."):
    importlib.import_module(module.name)

anyone, person = Client(base_url=URL), AuthenticatedClient(base_url=URL, token=TOKEN)
health = given(get_health.sync_detailed(client=anyone), Health)
assert health.status == "ok" and health.checks.database.status == "ok", health
assert given(get_version.sync_detailed(client=anyone), Version).version == health.version

# A change is made from the version that was read.
answer = get_project.sync_detailed(PROJECT, client=person)
before, etag = given(answer, Project), answer.headers["ETag"]
change = ProjectPatch(name="OpenAPI in Python")
after = given(update_project.sync_detailed(PROJECT, client=person, body=change, if_match=etag), Project)
assert (after.name, after.version) == (change.name, before.version + 1), after
late = update_project.sync_detailed(PROJECT, client=person, body=change, if_match=etag)
assert refused(late, 412) == "version_mismatch", late

# A request that is repeated creates one key.
wanted = ApiKeyRequest(name="python", scopes=[Scope.VAULTREAD, Scope.VAULTWRITE])
once = {"client": person, "body": wanted, "idempotency_key": str(uuid.uuid4())}
first = given(create_api_key.sync_detailed(PROJECT, **once), IssuedApiKey, 201)
again = create_api_key.sync_detailed(PROJECT, **once)
assert given(again, IssuedApiKey, 201) == first and again.headers["Idempotency-Replayed"] == "true"
assert given(get_api_key.sync_detailed(PROJECT, first.id, client=person), ApiKey).scopes == wanted.scopes

program = AuthenticatedClient(base_url=URL, token=first.key)
run = str(uuid.uuid4())
for n in (1, 2, 3):
    seal = NewSeal(kind="foreign.call", verdict=Verdict.SEAL, payload={"n": n}, session_id=run)
    sealed = given(seal_record.sync_detailed(client=program, body=seal), Sealed, 201)
pages, cursor = [], UNSET
while cursor is not None:
    answer = list_seals.sync_detailed(client=program, session_id=run, limit=2, cursor=cursor)
    page = given(answer, SealPage)
    pages.append([seal.payload for seal in page.data])
    cursor = page.next_cursor
assert pages == [[{"n": 3}, {"n": 2}], [{"n": 1}]], pages

tally = given(count_seals.sync_detailed(client=program, session_id=run), Tally)
assert (tally.verdicts.to_dict(), tally.complete) == ({"SEAL": 3}, True), tally
receipt = given(get_receipt.sync_detailed(sealed.index, client=program), str)
checked = verify_receipt.sync_detailed(client=anyone, body=ReceiptToVerify(receipt=receipt))
checked = given(checked, Verification)
assert (checked.valid, checked.flaw, checked.index) == (True, None, sealed.index), checked
assert refused(get_seal.sync_detailed(2**40, client=program), 404) == "not_found"

given(revoke_api_key.sync_detailed(PROJECT, first.id, client=person), NoneType, 204)
print(f"openapi-python-client: all of it imports, and {calls} calls by it hold")
