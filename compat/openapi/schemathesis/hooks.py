"""Keeps the session of the run alive, and keeps a tally of the answers."""

import atexit
import json
import os
import re
from collections import Counter, defaultdict

import requests
import schemathesis

BASE = os.environ["REPARSE_URL"]
APPLICATION = {"X-Parse-Application-Id": "app"}
TOKEN_HEADER = "X-Parse-Session-Token"
INVALID_SESSION = 209

_FIELD_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_]*|_[A-Za-z]+")

_with_session = os.environ["CALLER"] == "session"
_state = {"users": 0, "token": None}
_tally = defaultdict(Counter)


def _sign_up():
    _state["users"] += 1
    body = {"username": f"walker {_state['users']}", "password": "correct horse"}
    answer = requests.post(f"{BASE}/users", json=body, headers=APPLICATION, timeout=20)
    _state["token"] = answer.json()["sessionToken"]


def _code(response):
    try:
        return response.json().get("code")
    except (ValueError, AttributeError):
        return None


@schemathesis.hook
def map_body(context, body):
    """Most made-up objects have a member whose name no field can have, and would get no further: some go without."""
    if not isinstance(body, dict) or len(body) % 4 == 3:
        return body
    return {name: value for name, value in body.items() if _FIELD_NAME.fullmatch(name)}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Generated requests end the session and delete its user: then there is a new one."""
    if _with_session:
        if _state["token"] is None:
            _sign_up()
        case.headers[TOKEN_HEADER] = _state["token"]


@schemathesis.hook
def after_call(context, case, response):
    code = _code(response)
    if code == INVALID_SESSION:
        _state["token"] = None
    key = str(response.status_code) if code is None else f"{response.status_code}/{code}"
    _tally[case.operation.definition.raw.get("operationId", case.operation.label)][key] += 1


@atexit.register
def _write_tally():
    with open(os.environ["TALLY"], "w", encoding="utf-8") as file:
        json.dump(_tally, file)
