"""Start, Stop and Connect, each with Stream."""

from __future__ import annotations

import asyncio

from emulator.leg import Leg
from emulator.limits import Refused
from emulator.socket import MediaStream, Wanted
from emulator.twiml import TRACKS, Document, Verb
from emulator.verbs.base import HANGUP, Outcome, absolute, action, note


async def start(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Open unidirectional streams and go on at once."""
    leg.answer()
    for noun in _streams(leg, verb):
        _open(leg, wanted(noun, document, bidirectional=False), noun.get("track", "inbound_track"))
    return None


async def stop(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Stop streams by name; an unknown name is ignored."""
    for noun in _streams(leg, verb):
        stream = leg.stream(noun.get("name"))
        if stream is not None and stream.wanted.direction == "unidirectional":
            stream.stop("<Stop>")
    return None


async def connect(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Open the bidirectional stream and wait for its end, then `action` or the next verb."""
    leg.answer()
    nouns = _streams(leg, verb)
    if not nouns:
        return None
    if nouns[0].get("track", "inbound_track") != "inbound_track":
        # As seen on live calls: the webhook got its 200, the call was answered, then died.
        note(leg, 31941, "Stream - Invalid track: only inbound_track under <Connect>")
        return HANGUP
    stream = _open(leg, wanted(nouns[0], document, bidirectional=True), "inbound_track")
    leg.party.conversation.begin()
    try:
        await stream.over.wait()
    except asyncio.CancelledError:
        stream.stop("call updated or ended")
        raise
    return action(verb, document, {"StreamSid": stream.sid})


def wanted(noun: Verb, document: Document, *, bidirectional: bool) -> Wanted:
    """What a <Stream> asks for; relative addresses are seen from the document, with ws for http."""
    # Without an address it is refused, not sent to where the document came from.
    url = absolute(noun.get("url"), document) if noun.get("url") else ""
    if url.startswith("http"):
        url = "ws" + url.removeprefix("http")
    callback = noun.get("statusCallback")
    return Wanted(
        url=url,
        name=noun.get("name"),
        tracks=TRACKS.get(noun.get("track", "inbound_track"), ("inbound",)),
        parameters={p.get("name"): p.get("value") for p in noun.children if p.name == "Parameter"},
        callback=absolute(callback, document) if callback else "",
        callback_method=noun.get("statusCallbackMethod", "POST").upper(),
        direction="bidirectional" if bidirectional else "unidirectional",
    )


def _open(leg: Leg, asked: Wanted, track: str) -> MediaStream:
    try:
        if track not in TRACKS:
            raise Refused(31941, f"Stream - Invalid track {track!r}")
        return leg.open_stream(asked)
    except Refused as refused:
        return leg.refuse_stream(asked, refused)


def _streams(leg: Leg, verb: Verb) -> list[Verb]:
    for noun in verb.children:
        if noun.name != "Stream":
            note(leg, 14300, f"<{noun.name}> in <{verb.name}> is not known to the emulator")
    return [noun for noun in verb.children if noun.name == "Stream"]
