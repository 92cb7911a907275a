"""What goes to the wall ten times a second: one text a kind, the newest of each, nothing queued."""

import json
from typing import Any

import pytest

from streams.levels import Levels
from streams.live import ticker as ticker_module
from streams.live.ticker import HEALTH_TICKS, PARTIALS_KEPT, Ticker

SID = "MZ" + "2" * 32
SILENCE = b"\xff" * 160


class Sent:
    """What was published, in order."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, Any]] = []
        self.sources: set[str] = set()

    async def publish(self, kind: str, text: str, *, source: str) -> bool:
        self.texts.append((kind, json.loads(text)))
        self.sources.add(source)
        return True

    def of(self, kind: str) -> list[Any]:
        return [message for each, message in self.texts if each == kind]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    collected = Sent()
    monkeypatch.setattr(ticker_module, "publish", collected.publish)
    return collected


@pytest.fixture
def levels() -> Levels:
    return Levels()


@pytest.fixture
def ticker(levels: Levels) -> Ticker:
    return Ticker(levels=levels, source="one", health=dict)


def partial(ticker: Ticker, text: str, *, track: str = "inbound", stream: str = SID) -> None:
    ticker.partial(call=7, stream=stream, track=track, utterance=f"{stream}/{track}/1", text=text)


async def test_each_ticks_levels_are_heard_as_they_are_told(levels: Levels, sent: Sent) -> None:
    heard: list[Any] = []
    ticker = Ticker(levels=levels, source="one", health=dict, hear=heard.append)
    await ticker.tick()
    assert heard == []
    levels.add(SID, "inbound", SILENCE)
    await ticker.tick()
    assert heard == [levels.latest]
    assert heard[0][SID]["outbound"] is None


async def test_without_streams_nothing_is_said(ticker: Ticker, sent: Sent) -> None:
    await ticker.tick()
    assert sent.texts == []


async def test_the_levels_of_all_streams_are_one_text(ticker: Ticker, levels: Levels, sent: Sent) -> None:
    levels.open("MZ" + "3" * 32)
    levels.add(SID, "inbound", SILENCE)

    await ticker.tick()

    (message,) = sent.of("levels")
    assert message["type"] == "levels"
    assert message["at"].endswith("Z")
    assert message["levels"] == {
        SID: {"inbound": -96.0, "outbound": None},
        "MZ" + "3" * 32: {"inbound": None, "outbound": None},
    }
    assert sent.sources == {"one"}


async def test_the_newest_partial_line_of_a_track_is_sent_once(ticker: Ticker, sent: Sent) -> None:
    partial(ticker, "good")
    partial(ticker, "good morning")
    partial(ticker, "hello", track="outbound")

    await ticker.tick()
    await ticker.tick()

    (message,) = sent.of("partials")
    assert message["type"] == "partials"
    said = {(line["track"], line["text"]) for line in message["partials"]}
    assert said == {("inbound", "good morning"), ("outbound", "hello")}
    line = message["partials"][0]
    assert line["type"] == "partial"
    assert (line["call"], line["stream"], line["utterance"]) == (7, SID, f"{SID}/inbound/1")


async def test_a_final_line_takes_back_what_was_partial(ticker: Ticker, sent: Sent) -> None:
    partial(ticker, "good")
    ticker.forget(SID, "inbound")
    await ticker.tick()
    assert sent.of("partials") == []


async def test_partial_lines_are_bounded_and_the_newest_stay(ticker: Ticker, sent: Sent) -> None:
    for number in range(PARTIALS_KEPT + 10):
        partial(ticker, str(number), stream=f"MZ{number:032x}")
    await ticker.tick()
    (message,) = sent.of("partials")
    texts = [line["text"] for line in message["partials"]]
    assert texts == [str(number) for number in range(10, PARTIALS_KEPT + 10)]


async def test_a_busy_track_takes_no_other_tracks_place(ticker: Ticker, sent: Sent) -> None:
    for number in range(PARTIALS_KEPT):
        partial(ticker, "first", stream=f"MZ{number:032x}")
    partial(ticker, "again", stream=f"MZ{5:032x}")
    await ticker.tick()
    (message,) = sent.of("partials")
    assert len(message["partials"]) == PARTIALS_KEPT


async def test_health_is_told_each_second(levels: Levels, sent: Sent) -> None:
    health = {SID: {"lost_ms": 40, "late": 1, "behind_ms": 300}}
    ticker = Ticker(levels=levels, source="one", health=lambda: health)
    for _ in range(2 * HEALTH_TICKS):
        await ticker.tick()
    assert [message["streams"] for message in sent.of("health")] == [health, health]
