"""Scenes of calls that sound: journals written at the pace of speech, as a media process does."""

import contextlib
import threading
import time
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from calls.events import change
from calls.models import Call, Listening, User
from streams.audio import pcm_to_ulaw
from streams.journal import INBOUND, OUTBOUND, Writer
from streams.models import Stream
from tests import people
from tests.browser.scenes import close

FRAME_S = 0.02
PERIOD = 50  # frames; every whole number of Hz fits into it without a seam


class Voice(threading.Thread):
    """Writes a stream's journal: one tone a track, until it is hushed."""

    def __init__(self, sid: str, inbound: float, outbound: float) -> None:
        super().__init__(name=f"voice {sid}", daemon=True)
        self.sid = sid
        self.hushed = threading.Event()
        self._tones = {INBOUND: tone_frames(inbound), OUTBOUND: tone_frames(outbound)}
        self._writer = Writer.create(settings.JOURNAL_DIR, sid, {"tracks": ["inbound", "outbound"]})

    def run(self) -> None:
        """Frame by frame, on absolute time."""
        number, begun = 0, time.monotonic()
        while not self.hushed.wait(max(0.0, begun + number * FRAME_S - time.monotonic())):
            for kind, frames in self._tones.items():
                self._writer.append(kind, number * 20, 2 * number + kind, frames[number % PERIOD])
            number += 1
        self._writer.finish("stop", {})
        self._writer.close()


voices: dict[str, Voice] = {}


def tone_frames(hertz: float) -> list[bytes]:
    """A second of a tone as frames; 0 Hz is silence."""
    at = np.arange(PERIOD * 160) / 8000
    wave = np.sin(2 * np.pi * hertz * at) * 0.3
    ulaw = pcm_to_ulaw((wave * 32767).astype("<i2").tobytes())
    return [ulaw[start : start + 160] for start in range(0, len(ulaw), 160)]


def speak(sid: str, inbound: float = 440, outbound: float = 1000) -> None:
    """Both tracks of a stream sound from now on."""
    voices[sid] = Voice(sid, inbound, outbound)
    voices[sid].start()


def hush(sid: str, reason: str = "dropped") -> None:
    """The stream ends."""
    voice = voices.pop(sid)
    voice.hushed.set()
    voice.join()
    close(sid, reason)


def hush_all() -> None:
    """After a test: nobody speaks, nobody listens."""
    for sid in list(voices):
        with contextlib.suppress(Stream.DoesNotExist):
            hush(sid)


def listeners(call: int) -> list[str]:
    """Who listens to the call now."""
    rows = Listening.objects.going_on(timezone.now()).filter(call=call).select_related("by")
    return [str(row.as_message()["by"]) for row in rows]


def listen_as(call: int, username: str) -> None:
    """Another supervisor listens, from elsewhere."""
    from calls.services import listening

    by = people.person(username, "Supervisor")
    listening.begin(call_id=call, by=by, now=timezone.now())


def may_not_listen(username: str) -> None:
    """The person watches, and no longer listens."""
    from django.contrib.auth.models import Group, Permission

    watchers, _ = Group.objects.get_or_create(name="Watchers")
    watchers.permissions.set(Permission.objects.filter(codename="view_wall"))
    User.objects.get(username=username).groups.set([watchers])


def facts_of(call: int) -> dict[str, Any]:
    """How often somebody listened to a call, and whether it goes on."""
    rows = Listening.objects.filter(call=call)
    return {"times": rows.count(), "open": rows.filter(ended_at__isnull=True).count()}


def pause(sid: str, on: bool = True) -> None:
    """The stream is paused, or goes on."""
    with change() as told:
        Stream.objects.filter(sid=sid).update(paused=on)
        call = Call.objects.get(legs__streams__sid=sid)
        told.emit(kind="stream.changed", noun="stream", key=sid, call=call.pk)
