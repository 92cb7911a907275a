"""The embedded engine through its contract: sound in, events out."""

from collections.abc import Iterator

import pytest

from streams.engines.base import Event, Options, Params
from streams.engines.embedded import Embedded, EmbeddedSession
from streams.engines.registry import make
from streams.engines.scripted import Scripted
from streams.scoring import normalise, score
from tests.streams.sounds import MODELS, NOISES, frames, quiet, recorded, tone
from tests.streams.waiting import until


@pytest.fixture(scope="module")
def engine() -> Iterator[Embedded]:
    made = Embedded(MODELS)
    yield made
    made.stop()


@pytest.fixture
def session(engine: Embedded) -> EmbeddedSession:
    return engine.open(Params("MZ" + "0" * 32, "inbound"))


def hear(session: EmbeddedSession, ulaw: bytes, at_ms: int = 0) -> None:
    for frame, ms in frames(ulaw):
        session.feed(frame, at_ms + ms)


def rest(session: EmbeddedSession) -> list[Event]:
    """Close, and wait for everything."""
    session.close()
    events: list[Event] = []

    def finished() -> bool:
        events.extend(session.events())
        return session.finished

    until(finished)
    return events


def finals(events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind == "final"]


def texts(events: list[Event]) -> str:
    return " ".join(event.text for event in finals(events))


def test_a_sentence_becomes_a_final_with_times(session: EmbeddedSession) -> None:
    hear(session, recorded("cmd_brooklyn_bridge.wav"))
    (final,) = finals(rest(session))
    assert normalise(final.text) == ["how", "old", "is", "the", "brooklyn", "bridge"]
    assert 300 <= final.start_ms <= 700
    assert 2000 <= final.end_ms <= 2600
    assert final.end_ms <= final.heard_ms <= 2720


def test_speech_is_told_before_its_words(session: EmbeddedSession) -> None:
    hear(session, recorded("cmd_today.wav"))
    events = rest(session)
    assert [event.kind for event in events if event.kind != "partial"] == ["speech", "final"]
    assert events[0].number == events[-1].number == 1


def test_partials_grow_into_the_final(session: EmbeddedSession) -> None:
    seen: list[Event] = []

    def shown() -> bool:
        seen.extend(session.events())
        return any(event.kind == "partial" for event in seen)

    spoken = frames(recorded("cmd_brooklyn_bridge.wav"))
    for frame, ms in spoken[:75]:
        session.feed(frame, ms)
    until(shown)
    for frame, ms in spoken[75:]:
        session.feed(frame, ms)
    seen += rest(session)
    partial, final = (next(event for event in seen if event.kind == kind) for kind in ("partial", "final"))
    assert partial.number == final.number
    assert len(partial.text.split()) < len(final.text.split())


def test_finals_come_in_the_order_of_their_numbers(session: EmbeddedSession) -> None:
    hear(session, recorded("jfk.wav"))
    numbers = [event.number for event in finals(rest(session))]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 3


def test_what_is_heard_does_not_depend_on_how_it_is_cut_into_frames(engine: Embedded) -> None:
    heard = []
    for size in (160, 37, 1000):
        session = engine.open(Params("MZ" + "0" * 32, "inbound"))
        for frame, ms in frames(recorded("cmd_weather.wav"), size):
            session.feed(frame, ms)
        heard.append(texts(rest(session)))
    assert len(set(heard)) == 1


def test_time_that_is_missing_is_not_closed_up(session: EmbeddedSession) -> None:
    hear(session, recorded("cmd_today.wav"))
    hear(session, recorded("cmd_today.wav"), at_ms=61_490)
    first, second = finals(rest(session))
    assert second.start_ms - first.start_ms == pytest.approx(61_490, abs=40)


def test_a_long_gap_ends_what_was_said_before_it(session: EmbeddedSession) -> None:
    spoken = frames(recorded("jfk.wav"))
    for frame, ms in spoken[:80] + [(frame, ms + 5000) for frame, ms in spoken[80:130]]:
        session.feed(frame, ms)
    events = rest(session)
    assert len([event for event in events if event.kind == "speech"]) == 2
    assert all(event.end_ms <= 1600 or event.start_ms >= 6600 for event in finals(events))


def test_a_few_lost_frames_do_not_part_a_sentence(session: EmbeddedSession) -> None:
    kept = [each for place, each in enumerate(frames(recorded("cmd_brooklyn_bridge.wav"))) if place % 40]
    for frame, ms in kept:
        session.feed(frame, ms)
    (final,) = finals(rest(session))
    assert score("how old is the brooklyn bridge", final.text).errors <= 2


def test_late_and_doubled_sound_is_heard_once(session: EmbeddedSession) -> None:
    for frame, ms in frames(recorded("cmd_weather.wav")):
        session.feed(frame, ms)
        session.feed(frame, ms)
        if ms >= 100:
            session.feed(b"\x00" * 160, ms - 100)
    assert normalise(texts(rest(session))) == normalise("what's the weather like")


@pytest.mark.parametrize("noise", NOISES)
def test_noises_have_no_words(session: EmbeddedSession, noise: str) -> None:
    hear(session, NOISES[noise])
    assert texts(rest(session)) == ""


def test_a_voice_after_ringing_is_still_heard(session: EmbeddedSession) -> None:
    hear(session, tone(6, 440, 480, on=2, of=6) + recorded("cmd_two_people.wav"))
    assert normalise(texts(rest(session))) == ["two", "people"]


def test_when_sound_stops_coming_a_flush_gives_the_final(session: EmbeddedSession) -> None:
    for frame, ms in frames(recorded("cmd_brooklyn_bridge.wav"))[:95]:
        session.feed(frame, ms)
    session.flush()
    events: list[Event] = []

    def came() -> bool:
        events.extend(session.events())
        return bool(finals(events))

    until(came)
    assert session.backlog == 0


def test_numbers_go_on_from_the_one_given(engine: Embedded) -> None:
    session = engine.open(Params("MZ" + "0" * 32, "inbound", first_number=7))
    hear(session, recorded("cmd_today.wav"))
    assert [event.number for event in finals(rest(session))] == [7]


def test_no_sound_at_all_is_nothing(session: EmbeddedSession) -> None:
    assert rest(session) == []


def test_without_partials_there_are_none() -> None:
    engine = Embedded(MODELS, partial_ms=0, threads=1)
    session = engine.open(Params("MZ" + "0" * 32, "inbound"))
    hear(session, recorded("jfk.wav"))
    kinds = {event.kind for event in rest(session)}
    engine.stop()
    assert kinds == {"speech", "final"}


def test_a_scripted_engine_needs_no_models(tmp_path) -> None:
    engine = make("scripted", Options(tmp_path))
    assert isinstance(engine, Scripted)
    session = engine.open(Params("MZ" + "0" * 32, "inbound"))
    for frame, ms in frames(tone(2.5, 440) + quiet(1) + tone(0.5, 440)):
        session.feed(frame, ms)
    session.close()
    events = session.events()
    assert [(event.kind, event.text) for event in events] == [
        ("speech", ""),
        ("partial", "one"),
        ("partial", "one two"),
        ("partial", "one two three"),
        ("final", "one two three"),
        ("speech", ""),
        ("partial", "one"),
        ("final", "one"),
    ]
    assert session.finished


def test_an_unknown_engine_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="embedded, scripted"):
        make("psychic", Options(tmp_path))
