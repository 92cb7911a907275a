"""The application's part on one socket: what it said, and after what of Twilio's it said it."""

from __future__ import annotations

import base64
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from emulator.capture import entries
from emulator.capture.reel import Socket, SocketLine, inner
from emulator.capture.socketfacts import number
from emulator.capture.socketmessage import sound_bytes

SILENT = b"\xff"
MOST_SOUND = 1 << 20


@dataclass(frozen=True)
class Cue:
    """Say `line` once Twilio has said so many messages other than media, and media up to `stamp` ms."""

    others: int
    stamp: int
    line: SocketLine


class Role:
    """Counts what Twilio says and gives out what the application said at that point."""

    def __init__(self, socket: Socket) -> None:
        self._cues = deque(_cues(socket))
        self._others = 0
        self._stamp = -1
        self._recorded_sid = socket.stream_sid
        self._sid = ""

    def heard(self, message: Any) -> None:
        """Twilio said this (JSON)."""
        if message.get("event") == "media":
            self._stamp = max(self._stamp, _stamp(message))
            return
        self._others += 1
        if message.get("event") == "start":
            self._sid = str(message.get("streamSid", ""))

    def due(self) -> list[SocketLine]:
        """What the application says now, in order."""
        lines_due = []
        while self._cues and self._is_due(self._cues[0]):
            lines_due.append(self._cues.popleft().line)
        return lines_due

    def _is_due(self, cue: Cue) -> bool:
        return (self._others, self._stamp) >= (cue.others, cue.stamp)

    def text(self, line: entries.Message) -> str:
        """The message with sound that is silence, and with this stream's SID."""
        if not isinstance(line.json, dict):
            return "x" * min(line.bytes, MOST_SOUND)
        message = dict(line.json)
        if message.get("streamSid") == self._recorded_sid:
            message["streamSid"] = self._sid
        media = inner(message, "media")
        if (size := sound_bytes(media.get("payload"))) is not None:
            silence = base64.b64encode(SILENT * min(size, MOST_SOUND)).decode()
            message["media"] = {**media, "payload": silence}
        return json.dumps(message)


def _cues(socket: Socket) -> list[Cue]:
    cues = []
    others, stamp, closing = 0, -1, False
    for line in socket.events:
        if line.sender == "application":
            echo = closing and not isinstance(line, entries.Message)  # the library closes by itself
            if not echo:
                cues.append(Cue(others, stamp, line))
        elif isinstance(line, entries.Message) and isinstance(line.json, dict):
            if line.json.get("event") == "media":
                stamp = max(stamp, _stamp(line.json))
            else:
                others += 1
        closing = closing or not isinstance(line, entries.Message)
    return cues


def _stamp(message: Any) -> int:
    return number(inner(message, "media").get("timestamp")) or 0
