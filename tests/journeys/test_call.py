"""A whole call through real processes: Twilio's side, webhooks, media socket, words, supervisor's socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invariants import only_its_owner_may_read
from tests.journeys import story
from tests.people import MINA
from tests.product import Site
from tests.wall import Wall


@pytest.fixture
def brief_site(tmp_path: Path) -> Iterator[Site]:
    """A small site that keeps no journal after its words are final."""
    one = Site(tmp_path, settings={"JOURNAL_KEEP_MINUTES": "0"})
    try:
        one.prepare()
        one.emulate()
        one.serve()
        yield one
    finally:
        one.close()


def test_a_supervisor_sees_a_call_from_ring_to_end_and_no_sound_is_left(brief_site: Site) -> None:
    with Wall(brief_site.url, MINA) as wall:
        sid, call = story.ring(brief_site, wall)
        story.speak(wall)
        only_its_owner_may_read(brief_site.directory / "data" / "journal")
        story.end(brief_site, wall, sid, call)
    story.silence_everywhere(brief_site)
    told = brief_site.processes["serve"].output()
    assert "31612345678" not in told, "a caller's number is in the log"
    assert "shook hands" not in told, "a caller's words are in the log"
    assert "Traceback" not in told


def test_a_browser_that_was_away_resumes_where_it_was(brief_site: Site) -> None:
    with Wall(brief_site.url, MINA) as wall:
        sid, call = story.ring(brief_site, wall)
        wall.sees(lambda m: m["type"] == "stream" and m["state"] == "open", "an open stream")
        seen = wall.last_id
        wall.connection.close()
        brief_site.emulator(f"/emulator/calls/{sid}/hangup/", {})
        wall.again()
        wall.until(lambda m: ended(m, call), "the end that happened meanwhile")
        ids = [m["id"] for m in wall.messages if "id" in m]
        assert ids == sorted(set(ids)), "an event came twice or out of order"
        assert wall.last_id is not None
        assert seen is not None
        assert wall.last_id > seen


def ended(message: dict[str, object], call: int) -> bool:
    """Whether a message, event or snapshot, says that the call has ended."""
    if message["type"] == "snapshot":
        calls = message["calls"]
        assert isinstance(calls, list)
        return call not in [one["call"] for one in calls]
    return message["type"] == "call" and message["call"] == call and message["state"] == "ended"
