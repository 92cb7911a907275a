"""What the web processes ask of this one: hints over the layer, and the rows, which say the same.

A lost hint is late, not lost: the rows of our own streams are read with each renewal of the lease.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from calls.channels import CONTROL, listen
from streams.live.stream import LiveStream
from streams.live.table import Table
from streams.models import Stream

__all__ = ["Control"]

OVER = 1000
AFTER_THE_CALL = timedelta(seconds=3)  # Twilio's own `stop` comes first as a rule


class Control:
    """Does what the control group and the rows say to the streams in the table."""

    def __init__(self, *, table: Table, database: Any) -> None:
        self._table = table
        self._database = database
        self._hinted: set[str] = set()

    async def follow(self) -> None:
        """Take hints for ever; a layer that is away is joined again."""
        async for message in listen(CONTROL):
            sid = str(message.get("stream", ""))
            self._hinted.add(sid)
            self._do_all(sid, [str(message.get("do", ""))])

    async def read_rows(self) -> None:
        """Bring the open streams in line with their rows. Raises DatabaseError while it is away.

        A stream of which a hint comes meanwhile is left for the next time: its row may be read before.
        """
        sids = [live.sid for live in self._table.open()]
        self._hinted.clear()
        if sids:
            for sid, wanted in (await self._database(_wanted)(sids)).items():
                if sid not in self._hinted:
                    self._do_all(sid, wanted)

    def _do_all(self, sid: str, wanted: list[str]) -> None:
        for do in wanted:
            live = self._table.get(sid)
            if live is not None and live.ended_at is None:
                self._do(live, do)

    def _do(self, live: LiveStream, do: str) -> None:
        if do == "close":
            live.hang_up(OVER, "stop", "media.closed")
        elif do == "call_ended":
            live.hang_up(OVER, "call_ended", "media.call.ended")
        elif do == "pause":
            live.ingest.pause()
        elif do == "resume":
            live.ingest.resume()
        elif do in {"words_on", "words_off"}:
            live.write_down(do == "words_on")


def _wanted(sids: list[str]) -> dict[str, list[str]]:
    """What the rows of these streams ask for. A stream without a row is still being written."""
    late = timezone.now() - AFTER_THE_CALL
    rows = Stream.objects.filter(sid__in=sids).values_list(
        "sid", "closed_at", "leg__ended_at", "paused", "words"
    )
    wanted: dict[str, list[str]] = {}
    for sid, closed_at, leg_ended_at, paused, words in rows:
        asked = wanted.setdefault(
            sid, ["pause" if paused else "resume", "words_on" if words else "words_off"]
        )
        if closed_at:
            asked.append("close")
        elif leg_ended_at and leg_ended_at < late:
            asked.append("call_ended")
    return wanted
