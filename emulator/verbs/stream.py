"""Start, Stop and Connect with Stream and Transcription."""

from __future__ import annotations

import asyncio

from emulator.audio.ear import Spoken
from emulator.audio.sound import SILENCE, Frame
from emulator.leg import Leg
from emulator.media.limits import Refused
from emulator.media.socket import MediaStream, Wanted
from emulator.rooms.transcription import Asked, Transcription
from emulator.twiml import TRACKS, Document, Verb
from emulator.verbs.base import HANGUP, Outcome, absolute, action, address, method, telling


async def start(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Open unidirectional streams and transcriptions, and go on at once."""
    leg.answer()
    for noun in _nouns(leg, verb, "Stream", "Transcription"):
        if noun.name == "Stream":
            _open(leg, wanted(noun, document, bidirectional=False), noun.get("track", "inbound_track"))
        else:
            Transcription(leg, asked(noun, document)).start()
    return None


async def stop(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Stop streams and transcriptions by name; an unknown name is ignored."""
    for noun in _nouns(leg, verb, "Stream", "Transcription"):
        name = noun.get("name")
        if noun.name == "Transcription":
            for one in leg.transcriptions:
                if one.live and name in {"", one.asked.name, one.sid}:
                    one.stop()
            continue
        stream = leg.stream(name)
        if stream is not None and stream.wanted.direction == "unidirectional":
            stream.stop("<Stop>")
    return None


async def connect(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Open the bidirectional stream and wait for its end, then `action` or the next verb."""
    leg.answer()
    nouns = _nouns(leg, verb, "Stream")
    if not nouns:
        return None
    if nouns[0].get("track", "inbound_track") != "inbound_track":
        # As seen on live calls: the webhook got its 200, the call was answered, then died.
        leg.note(31941, "Stream - Invalid track: only inbound_track under <Connect>")
        return HANGUP
    after = action(verb, document)
    stream = _open(leg, wanted(nouns[0], document, bidirectional=True), "inbound_track")
    if leg.party.conversation is not None:
        leg.party.conversation.begin()
    leg.party.notice("stream")
    stream.replies.notice = leg.party.notice
    try:
        with leg.ear.hearing(Played(stream)):
            await stream.over.wait()
    except asyncio.CancelledError:
        stream.stop("call updated or ended")
        raise
    return telling(after, {"StreamSid": stream.sid})


class Played:
    """What a server plays into a bidirectional stream, as its party hears it."""

    def __init__(self, stream: MediaStream) -> None:
        self._replies = stream.replies

    def frame(self, tick: int) -> Frame:
        playing = self._replies.playing()
        return SILENCE if playing is None else Frame.of(playing)

    def spoken(self, start: int, end: int) -> list[Spoken]:
        return []

    def words(self, start: int, end: int) -> list[str]:
        return []


def wanted(noun: Verb, document: Document, *, bidirectional: bool) -> Wanted:
    """What a <Stream> asks for; relative addresses are seen from the document, with ws for http."""
    # Without an address it is refused, not sent to where the document came from.
    url = address(noun, "url", document)
    if url.startswith("http"):
        url = "ws" + url.removeprefix("http")
    return Wanted(
        url=url,
        name=noun.get("name"),
        tracks=TRACKS.get(noun.get("track", "inbound_track"), ("inbound",)),
        parameters={p.get("name"): p.get("value") for p in noun.children if p.name == "Parameter"},
        callback=address(noun, "statusCallback", document),
        callback_method=method(noun, "statusCallbackMethod"),
        direction="bidirectional" if bidirectional else "unidirectional",
    )


def asked(noun: Verb, document: Document) -> Asked:
    """What a <Transcription> asks for."""
    url = noun.get("statusCallbackUrl")
    return Asked(
        name=noun.get("name"),
        track=noun.get("track", "both_tracks"),
        callback=absolute(url, document) if url else "",
        method=method(noun, "statusCallbackMethod"),
        language=noun.get("languageCode", "en-US"),
        engine=noun.get("transcriptionEngine", "google"),
        partial=noun.flag("partialResults"),
        inbound_label=noun.get("inboundTrackLabel"),
        outbound_label=noun.get("outboundTrackLabel"),
    )


def _open(leg: Leg, asked: Wanted, track: str) -> MediaStream:
    try:
        if track not in TRACKS:
            raise Refused(31941, f"Stream - Invalid track {track!r}")
        return leg.open_stream(asked)
    except Refused as refused:
        return leg.refuse_stream(asked, refused)


def _nouns(leg: Leg, verb: Verb, *names: str) -> list[Verb]:
    for noun in verb.children:
        if noun.name not in names:
            leg.note(14300, f"<{noun.name}> in <{verb.name}> is not known to the emulator")
    return [noun for noun in verb.children if noun.name in names]
