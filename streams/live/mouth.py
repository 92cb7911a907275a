"""What a voice says, on its way to the caller: cut into pieces, sent in time, each with its mark.

Sound goes out shortly before it is needed: little of it waits at Twilio when the caller interrupts, and a
network that stumbles is bridged. Nothing is awaited here; timers of the loop send what is due.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from streams.audio import BYTES_PER_MS
from streams.live.outlet import Outlet
from streams.playback import Piece, Playback
from streams.protocol import Clear, PlayBody, PlayMark, PlayMarkBody, PlayMedia
from streams.session import SendNotAllowed, Session
from streams.voices.base import Said

__all__ = ["LEAD_MS", "PIECE_MS", "Mouth", "Saying"]

PIECE_MS: Final = 500
LEAD_MS: Final = 400
"""A piece is sent when less than this is still to be played: at most LEAD_MS + PIECE_MS wait at Twilio."""
LINE_CHARACTERS: Final = 200
"""A line of the transcript ends behind the sentence that makes it this long."""
_LOOK_SECONDS = 0.25
_KEPT_BYTES = 2 * 8000 * (LEAD_MS + PIECE_MS) // 1000


@dataclass(slots=True)
class Saying:
    """One line: what was to be said, and what of it the caller has heard. Times in ms of the stream."""

    number: int
    start_ms: int
    heard: list[str] = field(default_factory=list)
    heard_ms: float = 0
    is_cut: bool = False
    text: str = ""

    @property
    def heard_text(self) -> str:
        """What the caller has heard."""
        return " ".join(text for text in self.heard if text)


class _Sound:
    """Sound that waits to be sent, with its text: pieces of it get their share of the words."""

    __slots__ = ("_at", "_said", "_sound", "_words", "say")

    def __init__(self, sound: bytes, text: str, say: int) -> None:
        self._sound, self._words, self.say = sound, text.split(), say
        self._at = self._said = 0

    @property
    def left(self) -> int:
        return len(self._sound) - self._at

    def take(self, size: int) -> tuple[bytes, str]:
        """The next bytes and what they say: a word belongs to the piece in which it ends."""
        taken = self._sound[self._at : self._at + size]
        self._at += len(taken)
        upto = len(self._words) if not self.left else len(self._words) * self._at // len(self._sound)
        words, self._said = self._words[self._said : upto], upto
        return taken, " ".join(words)


class Mouth:
    """Says things on one bidirectional stream. `said` is told of each line once it is over, `moved` of each
    piece that was heard; `spoke` when sound goes out after silence.
    """

    def __init__(
        self,
        session: Session,
        outlet: Outlet,
        *,
        said: Callable[[Saying], None] = lambda _: None,
        moved: Callable[[Saying], None] = lambda _: None,
        spoke: Callable[[], None] = lambda: None,
    ) -> None:
        self._session = session
        self._outlet = outlet
        self._tell_said, self._tell_moved, self._tell_spoke = said, moved, spoke
        self._loop = asyncio.get_running_loop()
        self.playback = Playback()
        self._queue: deque[_Sound] = deque()
        self._queued = 0
        self._lines: dict[int, Saying] = {}
        self._line: Saying | None = None
        self._numbers = 0
        self._marks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sounding = bytearray()  # sent, and by our reckoning not yet played
        self._changed = asyncio.Event()
        self._since: list[str] = []
        self._since_bytes = 0
        self._whole = True
        self.is_closed = False

    # -- saying -----------------------------------------------------------------------------------

    @property
    def queued_ms(self) -> float:
        """How much has not been sent yet."""
        return self._queued / BYTES_PER_MS

    @property
    def is_speaking(self) -> bool:
        """Whether the caller is still to hear something."""
        return bool(self._queue or self.playback.waiting)

    def put(self, sound: bytes, text: str = "") -> None:
        """Say this after what waits."""
        if not sound or self.is_closed:
            return
        line = self._line or self._new_line()
        line.text = f"{line.text} {text.strip()}".strip()
        self._queue.append(_Sound(sound, text, line.number))
        self._queued += len(sound)
        self._pump()
        if len(line.text) >= LINE_CHARACTERS and line.text.endswith((".", "?", "!")):
            self._line = None

    def clear(self) -> None:
        """Discard all that was not heard yet."""
        if not self.is_speaking:
            return
        self._queue.clear()
        self._queued = 0
        self._sounding.clear()
        self._outlet.drop()
        self._send(Clear(streamSid=self._session.stream_sid))
        self.playback.clear(self._now())
        self._whole, self._line = False, None
        for line in list(self._lines.values()):
            line.is_cut = True
            self._close(line)
        self._changed.set()

    def returned(self, name: str) -> None:
        """A mark came back."""
        for piece in self.playback.returned(name):
            self._hear(piece)
        self._settle()
        self._pump()

    def close(self) -> None:
        """The stream is over: nothing more is sent, and what was not heard never will be."""
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self.is_speaking:
            self._whole = False
        self._queue.clear()
        self._queued = 0
        self.playback.clear(self._now())
        for line in list(self._lines.values()):
            line.is_cut = True
            self._close(line)
        self._changed.set()

    # -- what was heard ---------------------------------------------------------------------------

    def take_said(self) -> Said:
        """What was heard since this was last asked."""
        said = Said(
            " ".join(text for text in self._since if text),
            self._since_bytes // BYTES_PER_MS,
            self._whole and not self.is_speaking,
        )
        self._since, self._since_bytes, self._whole = [], 0, True
        return said

    async def changed(self, seconds: float | None = None) -> None:
        """Wait until a piece was heard or all was discarded, at most so long."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def sounding(self, ms: int) -> bytes:
        """What the caller probably hears in the next `ms` of the stream; shorter when we fall silent."""
        size = ms * BYTES_PER_MS
        taken = bytes(self._sounding[:size])
        del self._sounding[:size]
        return taken

    # -- inside -----------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send what is due now, and come again when more will be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and not self._outlet.is_full and self.playback.ahead_ms(self._now()) < LEAD_MS:
            if not self._send_piece():
                return
        if self.is_speaking and not self.is_closed:
            self._timer = self._loop.call_later(self._wait_seconds(), self._look)

    def _look(self) -> None:
        self._timer = None
        if self.playback.is_overdue(self._now()) and (not self._queue or self._outlet.is_full):
            self._give_up()
        self._pump()

    def _wait_seconds(self) -> float:
        if not self._queue or self._outlet.is_full:
            return _LOOK_SECONDS
        return max(0.01, (self.playback.ahead_ms(self._now()) - LEAD_MS) / 1000)

    def _send_piece(self) -> bool:
        """One piece with its mark; False when the stream takes nothing any more."""
        sound, text, say = self._cut()
        quiet = not self.playback.waiting
        self._marks += 1
        name, sid = f"{say}/{self._marks}", self._session.stream_sid
        if not self._send(PlayMedia(streamSid=sid, media=PlayBody(payload=sound))):
            return False
        self._send(PlayMark(streamSid=sid, mark=PlayMarkBody(name=name)))
        self.playback.sent(Piece(name, len(sound), text, say), self._now())
        self._sounding += sound
        del self._sounding[:-_KEPT_BYTES]
        if quiet:
            self._tell_spoke()
        return True

    def _cut(self) -> tuple[bytes, str, int]:
        """The next piece: at most PIECE_MS of one line."""
        say, sounds, texts, room = self._queue[0].say, [], [], PIECE_MS * BYTES_PER_MS
        while self._queue and self._queue[0].say == say and room:
            first = self._queue[0]
            sound, text = first.take(room)
            room -= len(sound)
            sounds.append(sound)
            texts.append(text)
            if not first.left:
                self._queue.popleft()
        piece = b"".join(sounds)
        self._queued -= len(piece)
        return piece, " ".join(text for text in texts if text), say

    def _send(self, message: PlayMedia | PlayMark | Clear) -> bool:
        try:
            self._outlet.put(self._session.send(message))
        except SendNotAllowed:  # `stop` came meanwhile
            self.close()
            return False
        return True

    def _hear(self, piece: Piece) -> None:
        self._since.append(piece.text)
        self._since_bytes += piece.size
        line = self._lines.get(piece.say)
        if line is not None:
            line.heard.append(piece.text)
            line.heard_ms += piece.ms
            self._tell_moved(line)

    def _settle(self) -> None:
        """Lines of which nothing is to come are over."""
        open_ones = {piece.say for piece in self.playback.waiting} | {sound.say for sound in self._queue}
        for line in list(self._lines.values()):
            if line.number not in open_ones:
                self._close(line)
        self._changed.set()

    def _close(self, line: Saying) -> None:
        del self._lines[line.number]
        if self._line is line:
            self._line = None
        self._tell_said(line)

    def _give_up(self) -> None:
        """Marks that should long be back are lost: what they stood for is not believed heard.

        Where the socket takes nothing, what waits for it would be said much too late.
        """
        self._whole = False
        if self._outlet.is_full:
            self._outlet.drop()
            self._queue.clear()
            self._queued = 0
        self.playback.clear(self._now())
        for line in self._lines.values():
            line.is_cut = True
        self._settle()

    def _new_line(self) -> Saying:
        self._numbers += 1
        self._line = line = Saying(self._numbers, self._session.position_ms)
        self._lines[line.number] = line
        return line

    def _now(self) -> float:
        return self._loop.time() * 1000
