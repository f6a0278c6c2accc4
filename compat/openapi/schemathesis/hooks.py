"""Corrects requests that would be refused early, keeps the classes of the document and the session of the run alive, and counts
the answers."""

import atexit
import json
import os
import re
from collections import Counter, defaultdict

import requests
import schemathesis

BASE = os.environ["REPARSE_URL"]
APPLICATION = {"X-Parse-Application-Id": "app"}
CONTEXT_HEADER = "X-Parse-Cloud-Context"
TOKEN_HEADER = "X-Parse-Session-Token"
INVALID_SESSION = 209

_FIELD_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_]*|_[A-Za-z]+")

_OBJECTS = {
    "_User": os.environ["USER_ID"],
    "_Role": os.environ["ROLE_ID"],
    "Team": os.environ["TEAM_ID"],
    "GameScore": os.environ["SCORE_ID"],
}
_PLAUSIBLE = {"password": "correct horse", "player": "ann", "deviceType": "ios", "deviceToken": "abc", "authData": {}}

# What the document says of these classes must hold as long as answers are judged by it.
_DESCRIBED = ("Team", "GameScore")
_SCHEMA_CHANGES = ("updateSchema", "deleteSchema")

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


def _with_ids(value):
    """The same with ids in pointers that have none."""
    if isinstance(value, list):
        return [_with_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("__type") == "Pointer" and value.get("objectId") == "":
        return {**value, "objectId": _OBJECTS.get(str(value.get("className")), "nothing123")}
    return {name: _with_ids(item) for name, item in value.items()}


def _mended(body):
    """Most made-up objects have names that no field can have, or lack what every one of their kind has, and would get no
    further than the first check: most are mended."""
    if not isinstance(body, dict) or len(body) % 4 == 3:
        return body
    body = {name: _with_ids(value) for name, value in body.items() if _FIELD_NAME.fullmatch(name)}
    return {name: _PLAUSIBLE.get(name, value) if value in ("", None) else value for name, value in body.items()}


def _operation(case):
    return case.operation.definition.raw.get("operationId", case.operation.label)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Mends the request. Those of a session get the present one: when requests ended it, or deleted its user, a new one."""
    case.body = _mended(case.body)
    if _operation(case) in _SCHEMA_CHANGES and case.path_parameters.get("className") in _DESCRIBED:
        case.path_parameters["className"] = "Spare"
    cloud_context = case.headers.get(CONTEXT_HEADER)
    if isinstance(cloud_context, str) and len(cloud_context) % 4 != 3:
        case.headers[CONTEXT_HEADER] = "{}"
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
    _tally[_operation(case)][key] += 1


@atexit.register
def _write_tally():
    with open(os.environ["TALLY"], "w", encoding="utf-8") as file:
        json.dump(_tally, file)
