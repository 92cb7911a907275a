"""Twilio's real-time transcription: the words that the recordings are known to hold, told as they fall."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.pacing import TICK_S
from emulator.twiml import TRACKS
from emulator.world import iso

if TYPE_CHECKING:
    from emulator.leg import Leg

LOOK_TICKS = 10
# A pause that ends a line.
PAUSE_TICKS = round(0.7 / TICK_S)
MAX_WORDS = 200
STABILITY = "0.9"
CONFIDENCE = 0.94


@dataclass(frozen=True)
class Asked:
    """What TwiML or REST asked for; defaults as Twilio's."""

    name: str = ""
    track: str = "both_tracks"
    callback: str = ""
    method: str = "POST"
    language: str = "en-US"
    engine: str = "google"
    partial: bool = False
    inbound_label: str = ""
    outbound_label: str = ""


class Line:
    """What is being said on one track."""

    def __init__(self, track: str) -> None:
        self.track = track
        self.words: list[str] = []
        self.last_tick = 0


class Transcription:
    """One transcription of a leg, from `start` to `stop` or the end of the call."""

    def __init__(self, leg: Leg, asked: Asked) -> None:
        self._leg = leg
        self._exchange = leg.exchange
        self.asked = asked
        self.sid = leg.call.new_sid("GT")
        self.updated = leg.exchange.world.clock.now()
        self.live = False
        self._sequence = 0
        self._from = leg.exchange.pacer.number + 1
        self._lines = [Line(track) for track in TRACKS.get(asked.track, TRACKS["both_tracks"])]

    @property
    def name(self) -> str:
        """Its name, its id without one."""
        return self.asked.name or self.sid

    def start(self) -> None:
        """Begin to listen."""
        self.live = True
        self._leg.transcriptions.append(self)
        self._leg.endings.append(self.stop)
        self._exchange.pacer.add(self)
        self._tell(
            "transcription-started",
            Track=self.asked.track,
            InboundTrackLabel=self.asked.inbound_label,
            OutboundTrackLabel=self.asked.outbound_label,
            PartialResults=str(self.asked.partial).lower(),
            LanguageCode=self.asked.language,
            TranscriptionEngine=self.asked.engine,
            ProviderConfiguration=json.dumps({"profanityFilter": "true", "speechModel": "telephony"}),
        )

    def stop(self) -> None:
        """Tell what was said last, and that it is over. Harmless when it has ended."""
        if not self.live:
            return
        self._listen(self._exchange.pacer.number + 1)
        for line in self._lines:
            self._finish(line)
        self.live = False
        self.updated = self._exchange.world.clock.now()
        self._exchange.pacer.remove(self)
        self._tell("transcription-stopped")

    def tick(self, number: int) -> None:
        """Listen, five times a second."""
        if number % LOOK_TICKS == 0:
            self._listen(number)

    def _listen(self, number: int) -> None:
        heard = {"inbound": self._leg.party.words, "outbound": self._leg.ear.words}
        for line in self._lines:
            if words := heard[line.track](self._from, number):
                line.words += words
                line.last_tick = number
                if self.asked.partial:
                    self._content(line, final=False)
            elif line.words and number - line.last_tick >= PAUSE_TICKS:
                self._finish(line)
            if len(line.words) >= MAX_WORDS:
                self._finish(line)
        self._from = number

    def _finish(self, line: Line) -> None:
        if line.words:
            self._content(line, final=True)
            line.words = []

    def _content(self, line: Line, *, final: bool) -> None:
        data = {"transcript": " ".join(line.words)} | ({"confidence": CONFIDENCE} if final else {})
        self._tell(
            "transcription-content",
            Track=f"{line.track}_track",
            TranscriptionData=json.dumps(data),
            Final=str(final).lower(),
            LanguageCode=self.asked.language,
            **({} if final else {"Stability": STABILITY}),
        )

    def _tell(self, event: str, **facts: str) -> None:
        self._sequence += 1
        call = self._leg.call
        form = {
            "AccountSid": call.account_sid,
            "CallSid": call.sid,
            "TranscriptionSid": self.sid,
            "TranscriptionEvent": event,
            "Timestamp": str(iso(self._exchange.world.clock.now())),
            "SequenceId": str(self._sequence),
            "Name": self.name,
            **facts,
        }
        self._exchange.courier.tell(call, event, self.asked.callback, self.asked.method, form)
