"""What a stream may be, before a socket is tried."""

from dataclasses import dataclass

import pytest

from emulator.media.limits import Refused, check_room, check_url


@dataclass
class Running:
    """A stream that runs."""

    name: str
    unidirectional_tracks: int


@pytest.mark.parametrize(
    "url",
    [
        "wss://stream.example.com/media/",
        "wss://stream.example.com",
        "wss://stream.example.com:8443/media/one",
        "ws://127.0.0.1:8000/media/",
        "ws://localhost:8000/media/",
        "ws://[::1]:8000/media/",
        "ws://127.9.9.9/media/",
    ],
)
def test_wss_goes_anywhere_and_ws_to_this_machine(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ws://127.0.0.1.example.com/", 31910),
        ("ws://10.0.0.1/", 31910),
        ("wss://stream.example.com/?a=1", 31920),
        ("wss://stream.example.com/?", 31920),
        ("wss://stream.example.com/#a", 31920),
        ("wss:///media/", 31923),
        ("http://stream.example.com/", 31923),
        ("wss://stream.example.com:port/", 31923),
        ("wss://[::1/", 31923),
        ("", 31923),
    ],
)
def test_other_addresses_are_refused_with_twilios_number(url: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        check_url(url)
    assert refused.value.code == code


def test_four_tracks_have_room_beside_a_voice() -> None:
    running = [Running("a", 2), Running("voice", 0), Running("b", 1)]
    check_room(running, name="c", tracks=1, bidirectional=False)
    with pytest.raises(Refused, match="4 tracks"):
        check_room(running, name="c", tracks=2, bidirectional=False)


def test_a_call_has_one_voice() -> None:
    check_room([Running("a", 4)], name="voice", tracks=1, bidirectional=True)
    with pytest.raises(Refused, match="one bidirectional"):
        check_room([Running("voice", 0)], name="other", tracks=1, bidirectional=True)


def test_a_name_is_given_once_and_none_as_often_as_one_likes() -> None:
    with pytest.raises(Refused, match="in use"):
        check_room([Running("tap", 1)], name="tap", tracks=1, bidirectional=False)
    check_room([Running("MZ1", 1)], name="", tracks=1, bidirectional=False)
