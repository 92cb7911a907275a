"""What our rows say of a call against what Twilio's side saw: legs, members, frames, requests."""

from typing import Any

from tests.processes import until
from tests.product import Site

__all__ = ["agrees", "asked_of_twilio", "seats", "truth"]

ON_THEIR_WAY = 5  # frames that may be under way when it is we who close a stream


def truth(site: Site, sid: str) -> Any:
    """What Twilio's side knows of a leg."""
    return next(call for call in site.truth()["calls"] if call["call_sid"] == sid)


def seats(site: Site, sid: str) -> dict[str, Any]:
    """Who sits beside this leg by Twilio's word, and itself: its member by each leg; empty if nowhere."""
    for room in site.truth()["conferences"]:
        there = {one["call_sid"]: one for one in room["members"] if not one["left"]}
        if sid in there:
            return there
    return {}


def asked_of_twilio(site: Site, number: str) -> list[Any]:
    """The REST requests that name a telephone number."""
    return [asked for asked in site.truth()["rest"] if number in str((asked["path"], asked["fields"]))]


def agrees(site: Site, sid: str) -> None:
    """Wait for the call's end; then its rows are what Twilio's side knows, and nothing of it is left."""
    call = f"Call.objects.get(legs__sid='{sid}')"
    until(lambda: site.ask(f"{call}.state") == "ended", "the call's end")
    seated = f"Participant.objects.filter(conference__call={call}, joined_at__isnull=False)"
    until(lambda: site.ask(f"{seated}.filter(left_at=None).count()") == 0, "nobody sits in a conference")
    streams = f"Stream.objects.filter(leg__call={call})"
    until(lambda: site.ask(f"{streams}.open().count()") == 0, "no stream is open")
    known = site.truth()
    assert _ends(site, call) == _known_ends(known, site, call)
    rows = site.ask(f"list({seated}.values_list('conference__sid', 'leg__sid'))")
    rooms = set(site.ask(f"list({call}.conferences.exclude(sid='').values_list('sid', flat=True))"))
    assert rows, "nobody ever sat in a conference"
    assert sorted(rows) == _members(known, rooms)
    frames = site.ask(f"dict({streams}.values_list('sid', 'frames'))")
    assert frames, "nothing was streamed"
    sent = _frames(known, set(_ends(site, call)))
    by_us = site.ask(
        f"list({streams}.filter(close_reason__in=['done', 'failed']).values_list('sid', flat=True))"
    )
    assert frames.keys() == sent.keys()
    missing = {sid: sent[sid] - frames[sid] for sid in sent if sent[sid] != frames[sid]}
    assert missing.keys() <= set(by_us), f"lost, or heard twice: {missing}"
    assert all(0 <= lost <= ON_THEIR_WAY for lost in missing.values()), missing
    site.run(f"from tests.invariants import *; nothing_is_left({call})")


def _ends(site: Site, call: str) -> dict[str, str]:
    return dict(site.ask(f"list({call}.legs.values_list('sid', 'status'))"))


def _known_ends(known: Any, site: Site, call: str) -> dict[str, str]:
    """The status of each leg that Twilio's side ties to the call: ours, and all that sat in its rooms."""
    rooms = set(site.ask(f"list({call}.conferences.exclude(sid='').values_list('sid', flat=True))"))
    sids = set(_ends(site, call)) | {leg for _, leg in _members(known, rooms)}
    return {one["call_sid"]: one["status"] for one in known["calls"] if one["call_sid"] in sids}


def _members(known: Any, rooms: set[str]) -> list[list[str]]:
    """[conference, leg] of each who was ever in one of these rooms, sorted."""
    found = {
        (room["conference_sid"], one["call_sid"])
        for room in known["conferences"]
        if room["conference_sid"] in rooms
        for one in room["members"]
    }
    return [list(pair) for pair in sorted(found)]


def _frames(known: Any, legs: set[str]) -> dict[str, int]:
    """How many frames were sent on each stream of these legs."""
    streams = [one for call in known["calls"] if call["call_sid"] in legs for one in call["streams"]]
    return {one["stream_sid"]: sum(one["frames_sent"].values()) for one in streams}
