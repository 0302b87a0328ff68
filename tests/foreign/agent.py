"""An agent whose requests PyPI's requests-http-signature signs."""

import base64
import json

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from requests_http_signature import HTTPSignatureAuth, algorithms

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TIMEOUT = 40


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


class Signature(HTTPSignatureAuth):
    """Leaves `authorization` uncovered: what an intent's signature covers is handed to its recipient."""

    _auto_cover_header_fields = ()


class Agent:
    def __init__(self, url: str, api_key: str, name: str):
        self.url, self.api_key, self.name = url.rstrip("/"), api_key, name
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.did = "did:key:z" + base58(b"\xed\x01" + self.public)

    def auth(self) -> HTTPSignatureAuth:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Signature(signature_algorithm=algorithms.ED25519, key=pem, key_id=self.did, use_nonce=True, use_existing_digest=True)

    def call(self, method: str, path: str, status: int, body=None, headers=None):
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})} if data else (headers or {})
        answer = requests.request(method, self.url + path, data=data, headers=headers, auth=self.auth(), timeout=TIMEOUT)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def register(self):
        body = {"did": self.did, "public_key": base64.b64encode(self.public).decode(), "name": self.name}
        return self.call("POST", "/v1/agents", 201, body, {"Authorization": f"Bearer {self.api_key}"})
