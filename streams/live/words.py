"""Lines heard come back by file: the words files of our own streams, read each 20 ms until they say `done`.

A partial line goes to the next tick; a final one becomes a job of the writer, in call time. The file is the
spool: while the writer has too much to do, nothing more is read from it.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from django.db import transaction

from calls.events import Change
from calls.text import clean
from calls.writer import Writer
from streams.journal_reader import owned
from streams.live.runner import Runner
from streams.live.stream import LiveStream
from streams.live.table import Table
from streams.live.ticker import Ticker
from streams.services import lines
from streams.wordfile import Line

__all__ = ["POLL_SECONDS", "Words"]

POLL_SECONDS = 0.02
JUDGE_SECONDS = 1.0
MAX_PARTIAL = 1000  # characters
MAX_WAITING = 2000  # final lines between file and database


class Words:
    """Reads the words files of the streams in the table."""

    def __init__(self, *, table: Table, ticker: Ticker, writer: Writer, keep_seconds: float) -> None:
        self._table = table
        self._ticker = ticker
        self._writer = writer
        self._keep_seconds = keep_seconds
        self._loop = asyncio.get_running_loop()
        self._waiting = 0
        self._judged_at = 0.0

    async def poll(self) -> None:
        """One look at every file. A stream whose words are final, or come too late, is let go."""
        now = self._loop.time()
        is_time = now - self._judged_at >= JUDGE_SECONDS
        self._judged_at = now if is_time else self._judged_at
        for live in self._table:
            if live.lines is None:
                continue
            if not live.words_final and self._waiting < MAX_WAITING:
                self._read(live, now)
            if is_time and live.ended_at is None:
                self.judge(live, now)
            if live.ended_at is not None and live.row_closed:
                self._settle(live, now)

    def judge(self, live: LiveStream, now: float) -> None:
        """Whether its words fail; `now` is the loop's clock. An engine holds the lock of the words file."""
        assert live.lines is not None
        live.spoken.judge(
            wanted=live.ingest.words and not live.ingest.paused,
            claimed=owned(live.lines.path),
            position_ms=live.ingest.session.position_ms,
            now=now,
        )

    def _read(self, live: LiveStream, now: float) -> None:
        assert live.lines is not None
        finals: list[Line] = []
        for line in live.lines.read():
            if line["kind"] == "final":
                finals.append(line)
                self._final(live, line, now)
            elif line["kind"] == "partial":
                live.spoken.wrote(now)
                self._partial(live, line)
            elif line["kind"] == "heard":
                live.spoken.heard(line.get("end_ms", 0), now)
            elif line["kind"] == "done":
                live.words_final = True
        if finals and live.keeps_words:
            self._store(live, finals)
        if live.runner is not None:  # once they are on their way to the rows: it may end the call
            for line in finals:
                _hand_on(live.runner, line)

    def _final(self, live: LiveStream, line: Line, now: float) -> None:
        track, end_ms = line.get("track", ""), line.get("end_ms", 0)
        live.spoken.heard(end_ms, now)
        live.spoken.wrote(now)
        live.spoken.final(track, end_ms, line.get("text", ""), live.ingest.session.position_ms)
        self._ticker.forget(live.sid, track)

    def _partial(self, live: LiveStream, line: Line) -> None:
        if live.runner is not None:
            live.runner.partial()
        if live.call_id is None or not live.keeps_words:
            return
        track, number = line.get("track", ""), line.get("number", 0)
        self._ticker.partial(
            call=live.call_id,
            stream=live.sid,
            track=track,
            utterance=f"{live.sid}/{track}/{number}",
            text=live.spoken.shown(track, line.get("start_ms", 0), clean(line.get("text", ""), MAX_PARTIAL)),
        )

    def _store(self, live: LiveStream, finals: list[Line]) -> None:
        self._waiting += len(finals)
        self._writer.put(partial(_store, live.sid, finals, partial(self._stored, len(finals))))

    def _stored(self, number: int) -> None:
        self._table.call(self._take_off, number)

    def _take_off(self, number: int) -> None:
        self._waiting -= number

    def _settle(self, live: LiveStream, now: float) -> None:
        """Let the stream go: behind its last lines if they are final, without more when its time is over."""
        if live.settling or live.ended_at is None:
            return
        if live.words_final or now - live.ended_at >= self._keep_seconds:
            live.settling = True
            self._writer.put(partial(_behind, partial(self._table.call, self._table.forget, live)))


def _hand_on(runner: Runner, line: Line) -> None:
    runner.words(line.get("text", ""), line.get("start_ms", 0), line.get("end_ms", 0), line.get("confidence"))


# Jobs of the writer.


def _store(sid: str, finals: list[Line], stored: Callable[[], None], told: Change) -> None:
    lines.store(sid=sid, lines=finals, into=told)
    transaction.on_commit(stored)


def _behind(then: Callable[[], None], told: Change) -> None:
    """Nothing to write: `then` is called when everything put before it has been written."""
    transaction.on_commit(then)
