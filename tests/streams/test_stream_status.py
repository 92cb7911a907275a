"""Twilio's stream callbacks: signed, order-free with the socket, repeated at will."""

import pytest
from django.test import Client

from calls.models import Leg
from streams.models import Stream
from tests import factories, twilio

pytestmark = pytest.mark.django_db
PATH = "/twilio/stream-status/"


@pytest.fixture
def stream() -> Stream:
    leg = factories.leg(sid=twilio.CALL_SID)
    return factories.stream(ticket=factories.ticket(leg, name="tap"), sid=twilio.STREAM_SID)


def test_a_stopped_stream_is_closed(client: Client, stream: Stream) -> None:
    answer = twilio.signed_post(client, PATH, twilio.stream_fields("stream-stopped"))
    assert (answer.status_code, answer.content) == (204, b"")
    stream.refresh_from_db()
    assert stream.close_reason == "stop"


def test_an_error_closes_the_stream_and_is_kept_in_words(client: Client, stream: Stream) -> None:
    fields = twilio.stream_fields("stream-error", StreamError="Stream - Websocket - Protocol Error")
    twilio.signed_post(client, PATH, fields)
    stream.refresh_from_db()
    assert stream.close_reason == "dropped"
    assert "Protocol Error" in stream.error


def test_a_known_code_is_explained(client: Client, stream: Stream) -> None:
    fields = twilio.stream_fields(
        "stream-error", StreamError="Websocket broken pipe", StreamErrorCode="31903"
    )
    twilio.signed_post(client, PATH, fields)
    stream.refresh_from_db()
    assert stream.error
    assert "31903" not in stream.error or "documentation" in stream.error


def test_foreign_text_in_an_error_is_made_harmless(client: Client, stream: Stream) -> None:
    fields = twilio.stream_fields("stream-error", StreamError="a\u202eb\r\nc" + "x" * 1000)
    assert twilio.signed_post(client, PATH, fields).status_code == 204
    stream.refresh_from_db()
    assert stream.error.startswith("ab c")
    assert len(stream.error) <= 200


def test_started_changes_nothing(client: Client, stream: Stream) -> None:
    twilio.signed_post(client, PATH, twilio.stream_fields("stream-started"))
    stream.refresh_from_db()
    assert stream.closed_at is None


def test_a_repeat_and_a_late_word_change_nothing(client: Client, stream: Stream) -> None:
    for event in ("stream-stopped", "stream-stopped", "stream-error", "stream-started"):
        assert twilio.signed_post(client, PATH, twilio.stream_fields(event)).status_code == 204
    stream.refresh_from_db()
    assert stream.close_reason == "stop"


@pytest.mark.parametrize("event", ["stream-stopped", "stream-error"])
def test_a_stream_that_could_not_open_gives_its_ticket_back(client: Client, event: str) -> None:
    ticket = factories.ticket(factories.leg(sid=twilio.CALL_SID), name="tap")
    twilio.signed_post(client, PATH, twilio.stream_fields(event))
    ticket.refresh_from_db()
    assert ticket.released_at is not None


def test_an_unknown_stream_or_event_is_answered_and_changes_nothing(client: Client, stream: Stream) -> None:
    unknown = twilio.stream_fields("stream-stopped", StreamSid=factories.sid("MZ"), StreamName="other")
    assert twilio.signed_post(client, PATH, unknown).status_code == 204
    assert twilio.signed_post(client, PATH, twilio.stream_fields("stream-painted")).status_code == 204
    stream.refresh_from_db()
    assert stream.closed_at is None
    assert Leg.objects.count() == 1


def test_an_unsigned_one_is_refused(client: Client, stream: Stream) -> None:
    fields = twilio.stream_fields("stream-stopped")
    assert twilio.signed_post(client, PATH, fields, token="a foreign token").status_code == 403
    foreign = twilio.stream_fields("stream-stopped", AccountSid="AC" + "b" * 32)
    assert twilio.signed_post(client, PATH, foreign).status_code == 403
    stream.refresh_from_db()
    assert stream.closed_at is None
