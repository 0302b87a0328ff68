"""An intent end to end, signed by PyPI's requests-http-signature: python intent.py URL API_KEY"""

import base64
import hashlib
import json
import sys

import requests
from agent import TIMEOUT, Agent
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

URL, API_KEY = sys.argv[1].rstrip("/"), sys.argv[2]


def sender_is_proven(delivery: dict, sender: Agent) -> bool:
    """What a recipient checks for itself, with nothing but the sender's DID."""
    envelope = delivery["envelope"]
    body = base64.b64decode(envelope["body"])
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    digest512 = base64.b64encode(hashlib.sha512(body).digest()).decode()
    base = envelope["signature_base"]
    if f"sha-256=:{digest}:" not in base and f"sha-512=:{digest512}:" not in base:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(sender.public).verify(base64.b64decode(envelope["signature"]), base.encode())
    except InvalidSignature:
        return False
    return json.loads(body)["payload"] == delivery["intent"]["payload"]


alice, bob = Agent(URL, API_KEY, "Alice, in Python"), Agent(URL, API_KEY, "Bob, in Python")
alice.register()
bob.register()
sent = alice.call("POST", "/v1/intents", 202, {"to": bob.did, "type": "greeting", "payload": {"text": "héllo", "n": 1.50}})
[delivery] = bob.call("GET", "/v1/inbox?wait=10&max=5", 200)["data"]
assert delivery["intent"]["id"] == sent["id"], delivery
assert sender_is_proven(delivery, alice)
assert not sender_is_proven(delivery, bob)
bob.call("POST", f"/v1/inbox/{delivery['id']}/ack", 204, {"lease_token": delivery["lease_token"]})
assert alice.call("GET", f"/v1/intents/{sent['id']}", 200)["state"] == "acked"

# A body changed on its way is refused.
request = requests.Request("POST", URL + "/v1/intents", data=json.dumps({"to": bob.did, "type": "x", "payload": 1}), headers={"Content-Type": "application/json"}, auth=alice.auth()).prepare()
request.body = request.body.replace(b"1", b"2")
answer = requests.Session().send(request, timeout=TIMEOUT)
assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch"), answer.text
print(f"python: intent {sent['id']} travelled, and a changed body was refused")
