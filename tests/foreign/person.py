"""A person, by the way every person comes in: signs up, opens the mail, verifies, and makes a project: python person.py URL MAILS

MAILS is a file that mail is written to, as `cargo dev` does on its console. Prints the access token and the project."""

import re
import sys
import time
import uuid
from pathlib import Path

import requests

URL, MAILS = sys.argv[1].rstrip("/"), Path(sys.argv[2])
TIMEOUT = 40


def ask(method: str, path: str, status: int, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, URL + path, json=body, headers=headers, timeout=TIMEOUT)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def mailed_token(email: str) -> str:
    """The token of the link in the first mail to `email`."""
    for _ in range(200):
        _, to_them, rest = MAILS.read_text(errors="replace").partition(f"mail to {email}")
        found = re.search(r"hfm_[1-9A-HJ-NP-Za-km-z]{40,44}", rest) if to_them else None
        if found:
            return found.group()
        time.sleep(0.1)
    raise SystemExit(f"no mail to {email} came within 20 s")


email, password = f"ada.{uuid.uuid4().hex}@example.com", "correct horse battery staple"
ask("POST", "/v1/auth/signup", 202, {"email": email, "password": password, "name": "Ada"})
ask("POST", "/v1/auth/verify-email", 200, {"token": mailed_token(email), "password": password})
token = ask("POST", "/v1/auth/login", 200, {"email": email, "password": password})["access_token"]
organization = ask("POST", "/v1/organizations", 201, {"name": "Foreign"}, token)["id"]
project = ask("POST", f"/v1/organizations/{organization}/projects", 201, {"name": "Foreign"}, token)["id"]
print(token, project)
