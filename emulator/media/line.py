"""A bad line between a stream and its server: what of its messages is lost, doubled, late or in disorder."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from emulator.audio.sound import SILENCE, Frame
from emulator.faults import Faults
from emulator.luck import Luck
from emulator.media.tracks import Track
from streams.audio import level

QUIET_DBFS = -50.0
# A carrier goes on for a moment after the last sound, so that no word is clipped.
HANGOVER_FRAMES = 10
RTP_TIMEOUT_TICKS = 500


class Parcel(NamedTuple):
    """One message to write; a media message with the frame in it and the track to count it on."""

    text: bytes
    track: Track | None = None
    frame: Frame | None = None


def is_bad(faults: Faults) -> bool:
    """Whether anything can happen to messages on their way."""
    return bool(
        faults.lose_frames
        or faults.lose_every
        or faults.double_frames
        or faults.double_every
        or faults.swap_frames
        or faults.swap_every
        or faults.burst_ms
        or faults.suppress_silence
    )


class Line:
    """The bad line of one stream; `name` is its row of luck."""

    def __init__(self, faults: Faults, luck: Luck, name: str) -> None:
        self.faults = faults
        self.harm: Counter[str] = Counter()
        self._luck = luck
        self._name = name
        self._frames: Counter[str] = Counter()
        self._silent = 0
        self._unheard = 0
        self._kept_back: dict[str, list[Parcel]] = {}
        self._waiting: list[Parcel] = []

    # before a message is made of a frame

    def suppresses(self, track: Track, frame: Frame) -> bool:
        """Whether the carrier sends nothing for this frame: silence of the party."""
        if not self.faults.suppress_silence or track.name != "inbound":
            return False
        self._silent = self._silent + 1 if _is_quiet(frame) else 0
        return self._counts("suppressed", self._silent > HANGOVER_FRAMES)

    def loses(self, track: Track) -> bool:
        """Whether this frame is lost."""
        lost = self._happens("lose", track, self.faults.lose_frames, self.faults.lose_every)
        return self._counts("lost", lost)

    def hears(self, track: Track, came: bool) -> bool:
        """Note whether a frame of the party came; False once, when none has for ten seconds (31953)."""
        if track.name == "inbound":
            self._unheard = 0 if came else self._unheard + 1
        return self._unheard != RTP_TIMEOUT_TICKS

    # after

    def arrange(self, parcel: Parcel) -> list[Parcel]:
        """What is sent now for a new media message: it, it twice, it before the last, or nothing yet."""
        track, faults = parcel.track, self.faults
        assert track is not None
        double = self._happens("double", track, faults.double_frames, faults.double_every)
        out = [parcel, parcel] if self._counts("duplicated", double) else [parcel]
        swap = self._happens("swap", track, faults.swap_frames, faults.swap_every)
        if (earlier := self._kept_back.pop(track.name, None)) is not None:
            return out + earlier
        if self._counts("reordered", swap):
            self._kept_back[track.name] = out
            return []
        return out

    def pass_on(self, parcels: list[Parcel], elapsed_ms: int) -> list[Parcel]:
        """What goes out at this moment of the stream; during a hold-up nothing, after it all at once."""
        self._waiting += parcels
        every = self.faults.burst_every_ms
        if self.faults.burst_ms and elapsed_ms % every > max(0, every - self.faults.burst_ms):
            return []
        if len(self._waiting) > len(parcels):
            self.harm["bursts"] += 1
        out, self._waiting = self._waiting, []
        return out

    def queue(self, parcel: Parcel) -> bool:
        """Put a message behind those that wait; False when none does."""
        if not self._waiting:
            return False
        self._waiting.append(parcel)
        return True

    def rest(self) -> list[Parcel]:
        """All that is still on its way, in order."""
        late = [parcel for kept in self._kept_back.values() for parcel in kept]
        out, self._waiting = self._waiting + late, []
        self._kept_back.clear()
        return out

    def _happens(self, what: str, track: Track, chance: float, every: int) -> bool:
        if self.faults.fault_tracks not in {"both", track.name}:
            return False
        row = f"{what} {track.name}"
        self._frames[row] += 1
        return bool(every and self._frames[row] % every == 0) or self._luck.strikes(chance, self._name, row)

    def _counts(self, harm: str, done: bool) -> bool:
        self.harm[harm] += done
        return done


def _is_quiet(frame: Frame) -> bool:
    return frame is SILENCE or level(frame.raw).rms_dbfs < QUIET_DBFS
