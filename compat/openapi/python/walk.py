"""A walk through the API with the client that openapi-python-client generates: walk.py URL APPLICATION_ID."""

import sys
from datetime import datetime, timezone
from http import HTTPStatus
from io import BytesIO

from reparse_client import AuthenticatedClient
from reparse_client.api.files import download_file, upload_file
from reparse_client.api.game_score import (
    create_game_score,
    delete_game_score,
    find_game_score,
    get_game_score,
    update_game_score,
)
from reparse_client.api.team import create_team
from reparse_client.api.users import get_current_user, log_in, log_out, sign_up
from reparse_client.models import (
    Error,
    GameScore,
    GameScoreCreate,
    GameScoreList,
    GameScoreUpdate,
    LogIn,
    ParseCreated,
    ParseDateOrNullType0,
    ParseDateOrNullType0Type,
    ParseGeoPointOrNullType0,
    ParseGeoPointOrNullType0Type,
    ParseIncrement,
    ParseIncrementOp,
    ParseUpdated,
    SignedUp,
    SignUp,
    StoredFile,
    TeamCreate,
    TeamIncluded,
    TeamPointer,
    TeamPointerClassName,
    TeamPointerType,
    User,
)
from reparse_client.types import File

OBJECT_NOT_FOUND = 101
UPLOAD_REFUSED = 130
USERNAME_TAKEN = 202
INVALID_SESSION = 209


def is_a(form, answer):
    """The answer, which must have this form."""
    assert isinstance(answer, form), answer
    return answer


def refused(code, answer):
    """The answer must be this error of Parse."""
    assert is_a(Error, answer).code == code, answer


def scores(ann):
    team = is_a(ParseCreated, create_team.sync(client=ann, body=TeamCreate(name="Reds")))
    played_at = datetime(2026, 5, 6, 7, 8, 9, 123000, tzinfo=timezone.utc)
    body = GameScoreCreate(
        player="ann",
        score=7.5,
        cheated=False,
        tags=["a", 1],
        played_at=ParseDateOrNullType0(field_type_=ParseDateOrNullType0Type.DATE, iso=played_at),
        place=ParseGeoPointOrNullType0(
            field_type_=ParseGeoPointOrNullType0Type.GEOPOINT, latitude=52.5, longitude=13.25
        ),
        team=TeamPointer(
            field_type_=TeamPointerType.POINTER, class_name=TeamPointerClassName.TEAM, object_id=team.object_id
        ),
    )
    created = is_a(ParseCreated, create_game_score.sync(client=ann, body=body))

    found = is_a(
        GameScoreList,
        find_game_score.sync(client=ann, where='{"player":"ann","score":{"$gte":7}}', include="team", count=1),
    )
    assert found.count == 1
    (score,) = found.results
    assert (score.object_id, score.score, score.cheated) == (created.object_id, 7.5, False)
    assert is_a(ParseDateOrNullType0, score.played_at).iso == played_at
    place = is_a(ParseGeoPointOrNullType0, score.place)
    assert (place.latitude, place.longitude) == (52.5, 13.25)
    assert is_a(TeamIncluded, score.team).name == "Reds"

    change = GameScoreUpdate(player="bea", score=ParseIncrement(field_op=ParseIncrementOp.INCREMENT, amount=2))
    is_a(ParseUpdated, update_game_score.sync(created.object_id, client=ann, body=change))
    score = is_a(GameScore, get_game_score.sync(created.object_id, client=ann))
    assert (score.score, score.player) == (9.5, "bea")
    assert is_a(TeamPointer, score.team).object_id == team.object_id

    deleted = delete_game_score.sync_detailed(created.object_id, client=ann)
    assert deleted.status_code == HTTPStatus.OK
    refused(OBJECT_NOT_FOUND, get_game_score.sync(created.object_id, client=ann))


def files(ann, application):
    data = bytes([0, 1, 254, 255])
    stored = is_a(StoredFile, upload_file.sync("a.bin", client=ann, body=File(payload=BytesIO(data))))
    assert stored.name.endswith("_a.bin") and stored.url.endswith(stored.name)
    read = is_a(File, download_file.sync(application, stored.name, client=ann))
    assert read.payload.read() == data
    refused(UPLOAD_REFUSED, upload_file.sync("a.html", client=ann, body=File(payload=BytesIO(data))))


def main(url, application):
    settings = {"base_url": url, "prefix": "", "raise_on_unexpected_status": True}
    anybody = AuthenticatedClient(token=application, auth_header_name="X-Parse-Application-Id", **settings)

    account = SignUp(username="python", password="correct horse")
    assert is_a(SignedUp, sign_up.sync(client=anybody, body=account)).session_token
    refused(USERNAME_TAKEN, sign_up.sync(client=anybody, body=account))

    user = is_a(User, log_in.sync(client=anybody, body=LogIn(username="python", password="correct horse")))
    headers = {"X-Parse-Application-Id": application}
    ann = AuthenticatedClient(
        token=user.session_token, auth_header_name="X-Parse-Session-Token", headers=headers, **settings
    )
    me = is_a(User, get_current_user.sync(client=ann))
    assert (me.object_id, me.username) == (user.object_id, "python")

    scores(ann)
    files(ann, application)

    assert log_out.sync_detailed(client=ann).status_code == HTTPStatus.OK
    refused(INVALID_SESSION, get_current_user.sync(client=ann))
    print("walked")


main(*sys.argv[1:])
