"""The way out of one stream: frames become numbered messages and are written, on a good line or a bad one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from emulator.audio.sound import Frame
from emulator.faults import Faults
from emulator.luck import Luck
from emulator.media.line import Line, Parcel, is_bad
from emulator.media.tracks import Track
from emulator.media.wire import Wire
from emulator.pacing import TICK_MS


class Sound(Protocol):
    """What flows: the leg's two tracks."""

    def says(self, tick: int) -> Frame:
        """The frame that its party speaks at this tick."""
        ...

    def hears(self, tick: int) -> Frame:
        """The frame that is played to its party at this tick."""
        ...


class Outlet:
    """Numbers and sends the messages of stream `sid`; `warn(code)` tells of Twilio's warnings.

    `first_ms` is the timestamp of tick `first_tick`; both tracks carry the same at the same tick.
    """

    def __init__(
        self, sid: str, tracks: Sequence[str], first_ms: int, luck: Luck, warn: Callable[[int], None]
    ) -> None:
        self._sid = sid
        self._luck = luck
        self._warn = warn
        self._wire: Wire | None = None
        self._shared: Track | None = None
        self.tracks = {name: Track(name, sid) for name in tracks}
        self._in_order = tuple(self.tracks.values())
        self._flows: list[tuple[Track, Callable[[int], Frame]]] = []
        self._line = Line(Faults(), luck, sid)
        self._bad = False
        self._flowing = False
        self.first_ms = first_ms
        self.first_tick = 0
        self.last_tick = 0
        self.sequence = 0
        self.discarded = 0

    @property
    def harm(self) -> dict[str, int]:
        """What the faults of the line did: frames lost, suppressed, duplicated, reordered; bursts."""
        done = self._line.harm
        return {name: done[name] for name in ("lost", "suppressed", "duplicated", "reordered", "bursts")}

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the socket, framing included."""
        return self._wire.bytes_sent if self._wire is not None else 0

    def begin(self, wire: Wire, sound: Sound, first_tick: int) -> None:
        """Write this sound to this socket; the first frame is that of `first_tick`."""
        self._wire, self._flowing = wire, True
        self.first_tick = first_tick
        self._flows = [(t, sound.says if t.name == "inbound" else sound.hears) for t in self._in_order]

    def end(self) -> None:
        """No sound flows any more."""
        self._flowing = False

    def suffer(self, faults: Faults) -> None:
        """Let these faults happen from now on."""
        self._shared = self._in_order[0] if faults.shared_chunks else None
        self._line.faults = faults
        was, self._bad = self._bad, is_bad(faults)
        if was and not self._bad:
            self._write(self._line.rest())

    # media

    def flow(self, number: int) -> None:
        """Send what is due at this tick: one frame per track, in one write."""
        wire = self._wire
        if wire is None or not self._flowing:
            return
        if wire.behind:
            # Twilio discards audio that a server has no room for.
            self.discarded += len(self._in_order)
            self._warn(31930)
            return
        self.last_tick = number
        at = self.first_ms + (number - self.first_tick) * TICK_MS
        if self._bad:
            self._flow_badly(number, at)
            return
        # The hot path: `_media` and `Track.sent` written out, a call costs a tenth of a message.
        sequence, shared, texts = self.sequence, self._shared, []
        for track, frame in self._flows:
            raw, text = frame(number)
            sequence += 1
            counted = shared or track
            counted.chunk += 1
            texts.append(track.sheet % (sequence, counted.chunk, at, text))
            track.frames += 1
            track.update(raw)
        self.sequence = sequence
        wire.send(texts)

    def _media(self, track: Track, at: int, frame: Frame) -> bytes:
        self.sequence += 1
        counted = self._shared or track
        counted.chunk += 1
        return track.sheet % (self.sequence, counted.chunk, at, frame.text)

    def _flow_badly(self, number: int, at: int) -> None:
        line, parcels = self._line, list[Parcel]()
        for track, sound in self._flows:
            frame = sound(number)
            suppressed = line.suppresses(track, frame)
            came = not suppressed and not line.loses(track)
            if not line.hears(track, came):
                self._warn(31953)
            if came:
                parcels += line.arrange(Parcel(self._media(track, at, frame), track, frame))
            elif line.faults.lose_numbers and not suppressed:
                self._media(track, at, frame)
        elapsed = (number - self.first_tick + 1) * TICK_MS
        self._write(line.pass_on(parcels, elapsed))

    # other messages

    def say(self, make: Callable[[int], bytes]) -> None:
        """Send the message that `make` makes of its sequence number."""
        self.sequence += 1
        parcel = Parcel(make(self.sequence))
        if not self._line.queue(parcel):
            self._write([parcel])

    def finish(self, make: Callable[[int], bytes]) -> None:
        """Send what is still on its way, and this as the last."""
        self.sequence += 1
        self._write([*self._line.rest(), Parcel(make(self.sequence))])

    def _write(self, parcels: list[Parcel]) -> None:
        if self._wire is None or not parcels:
            return
        for parcel in parcels:
            if parcel.track is not None and parcel.frame is not None:
                parcel.track.sent(parcel.frame)
        self._wire.send([parcel.text for parcel in parcels])
