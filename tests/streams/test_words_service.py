"""A person stops and starts the words of one stream: rows, events, audit, refusals."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from calls import channels
from calls.models import AuditEvent, Event, User
from calls.refusal import Refused
from calls.services import words
from streams.journal import Writer
from streams.models import Stream
from streams.services import streams
from streams.services.streams import Opening
from tests import factories
from tests.factories import NOON
from tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def mina() -> User:
    return person("mina")


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []

    async def control(stream: str, do: str, *, command: str = "") -> bool:
        told.append((stream, do))
        return False

    monkeypatch.setattr(channels, "control", control)
    return told


@pytest.fixture(autouse=True)
def site(settings: Any, tmp_path: Path) -> None:
    settings.TRANSCRIBER = "embedded"
    settings.JOURNAL_DIR = tmp_path


@pytest.fixture
def stream(hints: list[tuple[str, str]]) -> Stream:
    return factories.stream()


def asked(stream: Stream, by: User) -> dict[str, Any]:
    return {"call_id": stream.leg.call_id, "stream": stream.sid, "by": by, "now": NOON}


def test_words_are_stopped_and_started_told_and_audited(
    stream: Stream, mina: User, hints: list[tuple[str, str]]
) -> None:
    message = words.stop(**asked(stream, mina), ip="10.0.0.9")
    assert (message["type"], message["stream"], message["words"]) == ("stream", stream.sid, False)
    assert not Stream.objects.get().words
    assert words.start(**asked(stream, mina))["words"] is True
    assert Stream.objects.get().words
    told = Event.objects.order_by("id").values_list("kind", "noun", "key", "call", "by", "facts")
    same = ("stream.words", "stream", stream.sid, stream.leg.call_id, mina.pk)
    assert list(told) == [(*same, {"words": False}), (*same, {"words": True})]
    assert hints == [(stream.sid, "words_off"), (stream.sid, "words_on")]
    audited = AuditEvent.objects.order_by("pk").values_list("who", "what", "on", "ip")
    on = f"stream {stream.sid}"
    assert list(audited) == [(mina.pk, "words.stop", on, "10.0.0.9"), (mina.pk, "words.start", on, None)]


def test_the_same_again_tells_nothing_but_hints_once_more(
    stream: Stream, mina: User, hints: list[tuple[str, str]]
) -> None:
    for _ in range(2):
        assert words.stop(**asked(stream, mina))["words"] is False
    assert Event.objects.count() == 1
    assert hints == [(stream.sid, "words_off")] * 2


def refused(**given: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        words.stop(**given)
    assert refusal.value.text.endswith(".")
    return refusal.value


def test_a_stream_of_another_call_is_not_known(stream: Stream, mina: User) -> None:
    other = factories.call()
    assert refused(**{**asked(stream, mina), "call_id": other.pk}).code == "unknown_stream"
    assert refused(**{**asked(stream, mina), "stream": "MZ"}).code == "unknown_stream"


def test_an_ended_stream_is_refused(stream: Stream, mina: User, hints: list[tuple[str, str]]) -> None:
    streams.close(sid=stream.sid, reason="stop", now=NOON)
    assert refused(**asked(stream, mina)).code == "ended"
    assert Stream.objects.get().words
    assert hints == []


@pytest.mark.parametrize("who", ["the site", "the number"])
def test_where_nobody_writes_there_is_nothing_to_stop(
    who: str, stream: Stream, mina: User, settings: Any
) -> None:
    if who == "the site":
        settings.TRANSCRIBER = "none"
    else:
        type(stream.leg.call).objects.update(words_wanted=False)
    assert refused(**asked(stream, mina)).code == "no_words"


def test_a_language_that_the_engine_does_not_hear_is_refused(
    stream: Stream, mina: User, tmp_path: Path
) -> None:
    Writer.create(tmp_path, stream.sid, {"language": "nl-NL"}).close()
    refusal = refused(**asked(stream, mina))
    assert (refusal.code, "nl-NL" in refusal.text) == ("language", True)


def test_a_stream_that_follows_on_the_same_leg_stays_without_words(stream: Stream, mina: User) -> None:
    words.stop(**asked(stream, mina))
    streams.close(sid=stream.sid, reason="dropped", now=NOON)

    def opened(leg: Any, minutes: int) -> Stream:
        opening = Opening(
            sid=factories.sid("MZ"),
            ticket_id=factories.ticket(leg).pk,
            tracks=["inbound"],
            parameters={},
            process_id="",
            at=stream.opened_at + timedelta(minutes=minutes),
        )
        return streams.open_stream(opening)

    assert not opened(stream.leg, 1).words
    assert not opened(stream.leg, 2).words
    assert opened(factories.leg(stream.leg.call), 3).words
