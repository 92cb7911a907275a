"""Words said by the emulator's log and the recordings' manifest, against words written down."""

from typing import Any

import pytest

from contactcenter.judging import Track, judge, spoken

MANIFEST = {
    "files": {
        "speech.wav": {
            "words": [
                {"w": "ask", "start": 0.0, "end": 0.4},
                {"w": "not", "start": 0.4, "end": 0.8},
                {"w": "what", "start": 1.0, "end": 1.4},
            ]
        },
        "talk.wav": {
            "turns": [
                {"track": "agent", "words": [{"w": "hello", "start": 0.0, "end": 0.5}]},
                {"track": "caller", "words": [{"w": "good", "start": 0.6, "end": 0.8}]},
                {"track": "agent", "words": [{"w": "bye", "start": 2.0, "end": 2.5}]},
            ]
        },
        "unknown.wav": {"text": None},
    }
}


def piece(file: str, track: str = "inbound", channel: str = "caller", **more: int) -> dict[str, Any]:
    whole = {"stream_from_ms": 0, "stream_to_ms": 9000, "file_from_ms": 0, "file_to_ms": 9000}
    return {"file": file, "track": track, "channel": channel, **whole, **more}


def stream(*played: dict[str, Any], sid: str = "MZ1") -> dict[str, Any]:
    return {"stream_sid": sid, "played": list(played)}


def test_each_track_has_the_words_of_its_channel() -> None:
    said = spoken(MANIFEST, [stream(piece("talk.wav"), piece("talk.wav", "outbound", "agent"))])
    assert said == {Track("MZ1", "inbound"): "good", Track("MZ1", "outbound"): "hello bye"}


def test_recordings_of_one_track_stand_in_the_order_of_the_stream() -> None:
    later = piece("speech.wav", stream_from_ms=5000)
    earlier = piece("talk.wav", channel="agent", stream_from_ms=0)
    assert spoken(MANIFEST, [stream(later, earlier)]) == {Track("MZ1", "inbound"): "hello bye ask not what"}


@pytest.mark.parametrize(
    ("to_ms", "words"), [(9000, "ask not what"), (1200, "ask not what"), (1199, "ask not"), (0, "")]
)
def test_a_word_counts_when_half_of_it_was_played(to_ms: int, words: str) -> None:
    assert spoken(MANIFEST, [stream(piece("speech.wav", file_to_ms=to_ms))]) == {
        Track("MZ1", "inbound"): words
    }


def test_a_recording_without_text_makes_its_track_unjudged() -> None:
    mixed = stream(piece("speech.wav"), piece("unknown.wav", stream_from_ms=9000))
    other = stream(piece("nowhere.wav"), sid="MZ2")
    assert spoken(MANIFEST, [mixed, other]) == {}


def test_the_rate_is_over_all_words_that_were_said() -> None:
    said = [stream(piece("speech.wav")), stream(piece("talk.wav"), sid="MZ2")]
    heard = {Track("MZ1", "inbound"): "Ask nod what?", Track("MZ3", "inbound"): "not judged"}
    found = judge(MANIFEST, said, heard)
    assert (found.words, found.substituted, found.deleted, found.inserted) == (4, 1, 1, 0)
    assert found.rate == 0.5


def test_without_known_words_there_is_no_rate() -> None:
    assert judge({}, [stream(piece("speech.wav"))], {}).rate is None
