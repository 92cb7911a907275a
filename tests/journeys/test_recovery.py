"""What is lost on a live call comes back by itself: a tap, a whole server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.people import MINA
from tests.processes import until
from tests.product import Site
from tests.wall import Wall
from tests.world import SUPPORT


@pytest.fixture
def quiet_site(tmp_path: Path) -> Iterator[Site]:
    """A small site that writes no words down."""
    one = Site(tmp_path, settings={"TRANSCRIBER": "none"})
    try:
        one.prepare()
        one.emulate()
        one.serve()
        yield one
    finally:
        one.close()


def streams(site: Site, sid: str) -> list[dict[str, Any]]:
    """The streams of a call as Twilio's side saw them, oldest first."""
    found = [call for call in site.truth()["calls"] if call["call_sid"] == sid]
    return [stream for call in found for stream in call["streams"]]


def live(site: Site, sid: str) -> list[str]:
    """The SIDs of the streams that carry sound now."""
    return [
        one["stream_sid"]
        for one in streams(site, sid)
        if one["ended"] is None and one["last_ms"] and sum(one["frames_sent"].values()) > 50
    ]


def test_a_tap_that_is_lost_is_opened_again_and_the_hole_is_shown(quiet_site: Site) -> None:
    sid = quiet_site.call(to=SUPPORT, script="reading_5min")
    until(lambda: len(live(quiet_site, sid)) == 1, "sound flows")
    lost = live(quiet_site, sid)[0]
    quiet_site.emulator("/emulator/faults/", {"drop_stream": lost})
    until(lambda: live(quiet_site, sid) not in ([], [lost]), "sound flows again", seconds=20)
    until(
        lambda: (
            quiet_site.ask(f"Stream.objects.filter(sid='{lost}').values_list('close_reason').get()")
            == ["dropped"]
        ),
        "the lost stream is closed",
    )
    hole = f"list(Gap.objects.filter(stream__sid='{lost}', cause='closed').values_list('track', flat=True))"
    until(lambda: sorted(quiet_site.ask(hole)) == ["inbound", "outbound"], "the hole is told on both tracks")
    assert quiet_site.ask("Call.objects.live().count()") == 1


def test_a_tap_that_a_person_stopped_stays_closed(quiet_site: Site) -> None:
    sid = quiet_site.call(to=SUPPORT, script="reading_5min")
    until(lambda: len(live(quiet_site, sid)) == 1, "sound flows")
    quiet_site.run(STOP)
    until(lambda: live(quiet_site, sid) == [], "the stream has stopped")
    other = quiet_site.call(to=SUPPORT, script="reading_5min")  # as long as it takes for a reopened tap
    until(lambda: len(live(quiet_site, other)) == 1, "sound of another call flows")
    dropped = live(quiet_site, other)[0]
    quiet_site.emulator("/emulator/faults/", {"drop_stream": dropped})
    until(lambda: live(quiet_site, other) not in ([], [dropped]), "its tap is opened again", seconds=20)
    assert live(quiet_site, sid) == []


STOP = """
import uuid
from django.utils import timezone
from calls.models import Ticket, User
from calls.services import taps
ada = User.objects.get(username="ada")
taps.stop(ticket=Ticket.objects.get(), by=ada, command_id=uuid.uuid4(), now=timezone.now())
"""


def test_a_killed_server_comes_back_and_so_do_its_taps(quiet_site: Site) -> None:
    sid = quiet_site.call(to=SUPPORT, script="reading_5min")
    until(lambda: len(live(quiet_site, sid)) == 1, "sound flows")
    lost = live(quiet_site, sid)[0]
    quiet_site.processes["serve"].kill()
    until(lambda: live(quiet_site, sid) == [], "Twilio's side lost the socket")
    quiet_site.serve(name="again")
    until(lambda: live(quiet_site, sid) not in ([], [lost]), "sound flows again", seconds=40)
    closed = f"Stream.objects.filter(sid='{lost}').values_list('close_reason', flat=True).get()"
    assert quiet_site.ask(closed) == "lease"
    frames = next(one["frames_sent"] for one in streams(quiet_site, sid) if one["stream_sid"] == lost)
    kept = quiet_site.ask(f"Stream.objects.filter(sid='{lost}').values_list('frames', flat=True).get()")
    assert 0 < kept <= sum(frames.values())
    assert quiet_site.ask("Call.objects.live().count()") == 1


def test_a_server_that_is_asked_to_end_closes_everything_in_order(quiet_site: Site) -> None:
    sid = quiet_site.call(to=SUPPORT, script="reading_5min")
    until(lambda: len(live(quiet_site, sid)) == 1, "sound flows")
    lost = live(quiet_site, sid)[0]
    wall = Wall(quiet_site.url, MINA)
    wall.until(lambda m: m["type"] == "snapshot", "the wall")
    assert quiet_site.processes["serve"].stop() == 0
    with pytest.raises(ConnectionClosed) as closed:
        wall.until(lambda m: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4012
    assert quiet_site.ask("list(Stream.objects.values_list('sid', 'close_reason'))") == [[lost, "drained"]]
    assert "Traceback" not in quiet_site.processes["serve"].output()
    quiet_site.serve(name="again")
    until(lambda: live(quiet_site, sid) not in ([], [lost]), "sound flows again", seconds=40)
