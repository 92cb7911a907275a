"""Start and stop of streams by POST: who may, what is asked, and what is answered."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from calls.gateway import streams
from calls.gateway.client import GatewayError
from calls.models import AuditEvent, Command, Ticket
from tests import factories, people

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SID = "MZ" + "b" * 32


class Twilio:
    """What Twilio was asked, and what it answers."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.stopped: list[dict[str, Any]] = []
        self.error: GatewayError | None = None

    def create(self, **asked: Any) -> str:
        self.created.append(asked)
        if self.error:
            raise self.error
        return SID

    def stop(self, **asked: Any) -> None:
        self.stopped.append(asked)
        if self.error:
            raise self.error


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Twilio:
    """The gateway's other side."""
    one = Twilio()
    monkeypatch.setattr(streams, "create", one.create)
    monkeypatch.setattr(streams, "stop", one.stop)
    return one


@pytest.fixture
def mina(client: Client) -> Client:
    """Mina's browser."""
    client.force_login(people.mina())
    return client


def do(client: Client, call: int, **fields: Any) -> Any:
    """One POST of JSON; the answer."""
    body = {"id": str(uuid.uuid4()), **fields}
    return client.post(f"/calls/{call}/do/", json.dumps(body), content_type="application/json")


def test_a_stream_is_started_with_name_track_and_parameters(mina: Client, twilio: Twilio) -> None:
    leg = factories.leg()
    answer = do(
        mina,
        leg.call_id,
        kind="stream.start",
        name="quality",
        track="inbound_track",
        parameters={"team": "north"},
    )
    assert answer.status_code == 200
    command = answer.json()
    assert (command["kind"], command["state"], command["call"]) == ("stream.start", "done", leg.call_id)
    assert (command["by"], command["stream"]) == ("Mina", "quality")
    asked = twilio.created[0]
    assert (asked["call_sid"], asked["name"], asked["track"]) == (leg.sid, "quality", "inbound_track")
    assert asked["parameters"]["team"] == "north"


def test_a_stream_that_speaks_cannot_be_started_and_words_say_where_a_voice_is_set(
    mina: Client, twilio: Twilio
) -> None:
    leg = factories.leg()
    answer = do(mina, leg.call_id, kind="stream.start", direction="bidirectional")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "bidirectional")
    assert "unidirectional streams only" in answer.json()["error"]["text"]
    assert "set on the number" in answer.json()["error"]["text"]
    assert twilio.created == []


def test_a_stream_is_stopped_by_sid_and_by_name(mina: Client, twilio: Twilio) -> None:
    stream = factories.stream()
    call = stream.leg.call_id
    assert do(mina, call, kind="stream.stop", stream=stream.sid).json()["state"] == "done"
    assert do(mina, call, kind="stream.stop", stream=stream.ticket.name).json()["state"] == "done"
    assert [asked["sid_or_name"] for asked in twilio.stopped] == [stream.sid, stream.ticket.name]
    assert Ticket.objects.get().stopped_by == people.mina()


def test_the_fields_of_a_form_do_as_well(mina: Client, twilio: Twilio) -> None:
    leg = factories.leg()
    fields = {"id": str(uuid.uuid4()), "kind": "stream.start", "name": "by-form"}
    assert mina.post(f"/calls/{leg.call_id}/do/", fields).json()["state"] == "done"
    assert twilio.created[0]["name"] == "by-form"


def test_the_same_id_again_is_the_same_command_and_asks_nothing(mina: Client, twilio: Twilio) -> None:
    leg = factories.leg()
    id_ = str(uuid.uuid4())
    first, second = (do(mina, leg.call_id, id=id_, kind="stream.start").json() for _ in range(2))
    assert first == second
    assert len(twilio.created) == Command.objects.count() == 1


def test_the_id_of_another_calls_command_tells_nothing(mina: Client, twilio: Twilio) -> None:
    mine, other = factories.leg(), factories.leg()
    id_ = str(uuid.uuid4())
    do(mina, mine.call_id, id=id_, kind="stream.start")
    answer = do(mina, other.call_id, id=id_, kind="stream.start")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "id_in_use"


def test_what_twilio_refuses_is_told_in_words(mina: Client, twilio: Twilio) -> None:
    twilio.error = GatewayError("21218", permanent=True, unknown=False, text="Twilio refused the stream.")
    command = do(mina, factories.leg().call_id, kind="stream.start").json()
    assert (command["state"], command["code"]) == ("failed", "21218")
    assert command["text"]


def test_an_answer_that_was_lost_is_unknown(mina: Client, twilio: Twilio) -> None:
    twilio.error = GatewayError("timeout", permanent=False, unknown=True, text="No answer.")
    assert do(mina, factories.leg().call_id, kind="stream.start").json()["state"] == "unknown"


def test_a_limit_is_told_before_twilio_is_asked(mina: Client, twilio: Twilio) -> None:
    leg = factories.leg()
    for _ in range(2):
        assert do(mina, leg.call_id, kind="stream.start").json()["state"] == "done"
    command = do(mina, leg.call_id, kind="stream.start").json()
    assert (command["state"], command["code"]) == ("failed", "tracks_full")
    assert len(twilio.created) == 2


def test_each_command_is_audited(mina: Client, twilio: Twilio) -> None:
    stream = factories.stream()
    do(mina, stream.leg.call_id, kind="stream.start", name="second")
    do(mina, stream.leg.call_id, kind="stream.stop", stream=stream.sid)
    whats = list(AuditEvent.objects.order_by("id").values_list("who__username", "what", "on"))
    on = f"call {stream.leg.call_id}"
    assert whats == [("mina", "stream.start", on), ("mina", "stream.stop", on)]


@pytest.mark.parametrize("who", [people.jonas, people.eve])
def test_who_may_not_control_is_refused_whatever_exists(client: Client, twilio: Twilio, who: Any) -> None:
    client.force_login(who())
    leg = factories.leg()
    for call in (leg.call_id, leg.call_id + 1000):
        answer = do(client, call, kind="stream.start")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "not_allowed"
    assert not Command.objects.exists()


def test_the_signed_out_are_told_so_in_json(client: Client) -> None:
    answer = do(client, 1, kind="stream.start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signed_out")


def test_a_form_from_another_site_is_refused(twilio: Twilio) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.mina())
    leg = factories.leg()
    assert do(strict, leg.call_id, kind="stream.start").status_code == 403
    assert not twilio.created


def test_a_get_changes_nothing(mina: Client) -> None:
    assert mina.get(f"/calls/{factories.leg().call_id}/do/").status_code == 405


def test_a_call_that_does_not_exist_is_not_found(mina: Client) -> None:
    answer = do(mina, 4711, kind="stream.start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_call")


def test_a_stream_of_another_call_is_as_unknown_as_none(mina: Client, twilio: Twilio) -> None:
    mine, other = factories.leg(), factories.stream()
    answers = [do(mina, mine.call_id, kind="stream.stop", stream=sid) for sid in (other.sid, SID, "", "tap")]
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {
        (404, "unknown_stream")
    }
    assert not twilio.stopped


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("no json", "bad_json"),
        ("[]", "bad_json"),
        ("[" * 9000, "bad_json"),
        ('"' + "x" * 70_000 + '"', "bad_json"),
        ('{"x": "' + "x" * 300_000 + '"}', "bad_json"),
        ("{}", "unknown_kind"),
        ('{"kind": "call.explode"}', "unknown_kind"),
        ('{"kind": ["stream.start"]}', "unknown_kind"),
        ('{"kind": "stream.start"}', "bad_id"),
        ('{"kind": "stream.start", "id": "7"}', "bad_id"),
        ('{"kind": "stream.start", "id": "UUID", "name": 7}', "bad_field"),
        ('{"kind": "stream.start", "id": "UUID", "name": "a\\u0000b"}', "bad_field"),
        ('{"kind": "stream.start", "id": "UUID", "parameters": [1]}', "bad_field"),
        ('{"kind": "stream.start", "id": "UUID", "parameters": {"a": 1}}', "bad_field"),
        ('{"kind": "stream.stop", "id": "UUID", "stream": {"a": 1}}', "bad_field"),
    ],
)
def test_what_cannot_be_a_command_is_told(mina: Client, twilio: Twilio, body: str, code: str) -> None:
    call = factories.leg().call_id
    body = body.replace("UUID", str(uuid.uuid4()))
    answer = mina.post(f"/calls/{call}/do/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["text"]
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [{"name": "with space"}, {"name": "x" * 65}, {"track": "third_track"}, {"parameters": {"": "x"}}],
)
def test_what_twilio_would_refuse_is_a_failed_command(
    mina: Client, twilio: Twilio, fields: dict[str, Any]
) -> None:
    command = do(mina, factories.leg().call_id, kind="stream.start", **fields).json()
    assert command["state"] == "failed"
    assert command["text"]
    assert not twilio.created
