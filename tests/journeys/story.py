"""One call from ring to end, told to whoever watches: the same story on every kind of installation."""

from typing import Any

from tests.processes import until
from tests.product import Site
from tests.wall import Wall
from tests.world import SUPPORT

# Said early in conversation.wav, each by one speaker; two words suffice, for one may be misheard.
CALLER_SAYS = {"twentieth", "evening", "shook", "hands"}
AGENT_SAYS = {"surpassed", "mention", "example", "typography"}


def ring(site: Site, wall: Wall) -> tuple[str, int]:
    """Carla calls support; her call reaches the wall by her name. Its CallSid and our id."""
    sid = site.call(to=SUPPORT, script="conversation")
    shown = wall.until(
        lambda m: m["type"] == "call" and m.get("caller") == "Carla Visser" and m["state"] != "ended",
        "the call, by the contact's name",
    )
    return sid, int(shown["call"])


def speak(wall: Wall) -> str:
    """Both meters move and both speakers' words arrive on one stream; its StreamSid."""
    opened = wall.sees(lambda m: m["type"] == "stream" and m["state"] == "open", "an open stream")
    stream = str(opened["stream"])
    for track in ("inbound", "outbound"):
        wall.until(lambda m, track=track: loud(m, stream, track), f"a moving {track} meter")  # type: ignore[misc]
    for track, words in (("inbound", CALLER_SAYS), ("outbound", AGENT_SAYS)):
        wall.until(
            lambda m, track=track, words=words: len(heard(wall, stream, track) & words) >= 2,  # type: ignore[misc]
            f"two of {words} on {track}; heard {heard(wall, stream, track)}",
        )
    return stream


def loud(message: dict[str, Any], stream: str, track: str) -> bool:
    """Whether a levels message shows speech on a track of the stream."""
    if message["type"] != "levels":
        return False
    level = message["levels"].get(stream, {}).get(track)
    return level is not None and level > -50


def heard(wall: Wall, stream: str, track: str) -> set[str]:
    """The words of final lines on one track, in small letters without punctuation."""
    lines = [m["text"] for m in wall.of("utterance") if m["stream"] == stream and m["track"] == track]
    return set("".join(c if c.isalnum() else " " for c in " ".join(lines).lower()).split())


def end(site: Site, wall: Wall, sid: str, call: int) -> None:
    """The caller hangs up; the wall says so, the rows agree with Twilio's side, and nothing is left."""
    site.emulator(f"/emulator/calls/{sid}/hangup/", {})
    wall.until(lambda m: m["type"] == "call" and m["call"] == call and m["state"] == "ended", "the end")
    until(
        lambda: bool(site.ask(f"not Stream.objects.filter(leg__call={call}).open().exists()")),
        "streams closed",
    )
    site.run(f"from tests.invariants import *; nothing_is_left(Call.objects.get(pk={call}))")
    assert frames_kept(site, call) == frames_sent(site, sid)


def frames_sent(site: Site, sid: str) -> dict[str, int]:
    """How many frames Twilio's side sent on each stream of the caller's leg."""
    streams = [one for call in site.truth()["calls"] if call["call_sid"] == sid for one in call["streams"]]
    return {stream["stream_sid"]: sum(stream["frames_sent"].values()) for stream in streams}


def frames_kept(site: Site, call: int) -> dict[str, int]:
    """How many frames the rows of a call's streams count."""
    found: dict[str, int] = site.ask(
        f"dict(Stream.objects.filter(leg__call={call}).values_list('sid', 'frames'))"
    )
    return found


def silence_everywhere(site: Site) -> None:
    """Wait until no sound and no words file is on the disk."""
    journal = site.directory / "data" / "journal"
    until(lambda: not any(journal.glob("MZ*")), "the journal directory is empty")
