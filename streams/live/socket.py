"""One Twilio media socket without its transport: an ASGI consumer or a lean server stands before it.

The transport calls `handshake`, then `opened` after its accept, `on_text` and `on_bytes` for each message,
and `on_close` once, however it ends. Nothing but the handshake is awaited. When we end it, `close_code` is
set and the `close` given to `opened` is called, so that the transport stops reading. What `outlet` has, it
writes; only bidirectional streams have one.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils import timezone

from calls.counters import count, denied
from calls.text import clean
from streams import wordfile
from streams.happenings import Frame, Key, Marked
from streams.ingest import Ingest, Limits, Seen
from streams.journal import JournalError, Writer
from streams.live import voicing
from streams.live.outlet import Outlet
from streams.live.refusals import Unsigned, refuse
from streams.live.runner import Runner
from streams.live.runtime import RESTART, Runtime
from streams.live.stream import LiveStream
from streams.protocol import ProtocolError, StartBody
from streams.services import admission
from streams.services.admission import Admitted, Refused
from streams.session import Session

__all__ = ["OVER", "Facts", "MediaSocket"]

CLAIM_SECONDS: Final = 5.0
START_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 5.0  # after `stop` it is for Twilio to close

OVER: Final = 1000
BAD: Final = 4400
DUPLICATE: Final = 4409
START_DENIED: Final = 4412
TOO_LARGE: Final = 4413
RATE: Final = 4429

# Reason of the row for close codes of the other side; anything else without `stop` is a lost connection.
_DRAINED_CODES: Final = {1012, 4012}
# An ingest address is no one-use secret: a captured handshake must not hold sockets without end.
UNSTARTED_KEYS: Final = 20
MAX_PARAMETERS: Final = 100
MAX_NAME: Final = 200
MAX_VALUE: Final = 500

_log = logging.getLogger("contactcenter.media")
_unsigned = Unsigned()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a handshake shows: the path as it was sent, X-Twilio-Signature, the address it came from."""

    raw_path: str
    signature: str
    client: str


class MediaSocket:
    """One socket, from its handshake to its end."""

    def __init__(self, runtime: Runtime) -> None:
        self.close_code: int | None = None
        self.outlet: Outlet | None = None
        self._runtime = runtime
        self._loop = asyncio.get_running_loop()
        self._admitted: Admitted | None = None
        self._ingest = Ingest(Session(), levels=runtime.levels, limits=_limits())
        self._live: LiveStream | None = None
        self._runner: Runner | None = None
        self._close: Callable[[], object] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._why = ""
        self._named: set[str] = set()

    async def handshake(self, facts: Facts) -> bool:
        """Whether to accept: Twilio's signature first, by computing alone; then nonce or key, in a thread."""
        signers = admission.signed(raw_path=facts.raw_path, signature=facts.signature)
        if not signers:
            _unsigned.refuse(facts.client, self._loop.time())
            return False
        answer = await self._claim(facts, signers)
        if isinstance(answer, Refused):
            refuse(answer.event)
            return False
        if answer.key_id is not None and len(self._runtime.unstarted) >= UNSTARTED_KEYS:
            refuse("media.prestart.limit", reason="ingest")
            return False
        self._admitted = answer
        if answer.voice:
            self._ingest.session.direction = "bidirectional"
            self.outlet = Outlet()
            await voicing.prepare(answer.briefing.kind if answer.briefing else "")
        return True

    async def _claim(self, facts: Facts, signers: frozenset[str]) -> Admitted | Refused:
        """Spend the nonce; a database that does not answer in time is away."""
        claim = self._runtime.database(admission.claim)
        try:
            async with asyncio.timeout(CLAIM_SECONDS):
                answer: Admitted | Refused = await claim(
                    raw_path=facts.raw_path, signers=signers, now=timezone.now()
                )
        except TimeoutError:
            return Refused("media.unavailable")
        return answer

    def opened(self, *, close: Callable[[], object]) -> None:
        """The transport has accepted; `close` makes it stop reading and send `close_code`."""
        self._close = close
        assert self._admitted is not None
        if self._admitted.key_id is not None:
            self._runtime.unstarted.add(self)
        self._timer = self._loop.call_later(START_SECONDS, self._start_timeout)

    def on_text(self, text: str) -> None:
        """One text message."""
        seen = self._ingest.feed(text)
        if seen is not Seen.MEDIA:
            self._note(seen)
        elif self._runner is not None and not self._ingest.paused:
            self._hear(self._runner)

    def on_bytes(self, data: bytes) -> None:
        """One binary message: the protocol has none."""
        self._note(self._ingest.feed_binary(data))

    @property
    def stream_sid(self) -> str:
        """Of the stream, once it has started; else nothing."""
        return self._live.sid if self._live else ""

    def hang_up(self, code: int, reason: str, event: str) -> None:
        """End the socket from our side with this code, its row with `reason`; told as `event`. Once."""
        if self.close_code is not None:
            return
        self.close_code = code
        sid = self.stream_sid
        if code in {OVER, RESTART}:
            _log.info(event, extra={"stream": sid, "code": code})
        else:
            refuse(event, stream=sid, code=code, reason=self._why)
        self._end(reason)
        self._close()

    def on_close(self, code: int | None) -> None:
        """The socket is gone: by the other side with `code`, or with None by ourselves or by a fault."""
        self._cancel_timer()
        self._runtime.unstarted.discard(self)
        if self.close_code is None:
            self.close_code = code or OVER
        self._end("drained" if code in _DRAINED_CODES else "dropped")
        if self._live is None and self._admitted is not None and self._admitted.ticket_id is not None:
            self._runtime.table.release(self._admitted.ticket_id)
        self._admitted = None

    def _note(self, seen: Seen) -> None:
        """What is no sound, after the ingest has taken it."""
        if self.close_code is not None:
            return
        if seen is Seen.START:
            self._start()
        elif seen in (Seen.KEY, Seen.MARK) and self._runner is not None:
            self._hear(self._runner)
        elif seen is Seen.STOP:
            self._end("stop")
            self._cancel_timer()
            self._timer = self._loop.call_later(CLOSE_SECONDS, self.hang_up, OVER, "stop", "media.closed")
        elif seen is Seen.CLOSE:
            assert self._ingest.error is not None
            self._refused(self._ingest.error)
        elif seen is Seen.BAD:
            assert self._ingest.error is not None
            self._bad(self._ingest.error)

    def _start(self) -> None:
        """`start` came: does it fit what was admitted, is the stream new, and where is it kept."""
        assert self._admitted is not None
        assert self._ingest.start is not None
        body = self._ingest.start.start
        body.tracks = self._ingest.session.tracks  # what we know of them: nothing else is kept
        wrong = admission.start_refusal(admitted=self._admitted, start=body)
        if wrong:
            self._deny("media.start.denied", START_DENIED, wrong)
            return
        try:
            journal = self._journal(body)
        except JournalError:
            self._deny("media.start.duplicate", DUPLICATE, "stream")
            return
        self._cancel_timer()
        self._runtime.unstarted.discard(self)
        self._ingest.attach(journal)
        self._runtime.levels.open(body.streamSid)
        self._live = self._living(body, journal)
        self._live.write_down(not self._admitted.words_stopped)
        self._runtime.table.begin(self._live)
        if self.outlet is not None:
            self._runner = self._live.runner = voicing.begin(
                live=self._live, outlet=self.outlet, runtime=self._runtime, over=self._voice_over
            )

    def _hear(self, runner: Runner) -> None:
        """Hand what the last message meant to whoever talks on this stream."""
        for happening in self._ingest.happened:
            if isinstance(happening, Frame):
                runner.hear(happening.payload, happening.at_ms)
            elif isinstance(happening, Key):
                runner.key(happening.digit, happening.at_ms)
            elif isinstance(happening, Marked):
                runner.mark(happening.name)

    def _voice_over(self, why: str) -> None:
        """The voice is done, or lost: Twilio goes on behind `<Connect>` once the socket is closed."""
        reason = "done" if why == "done" else "failed"
        self.hang_up(OVER, reason, f"media.voice.{reason}")

    def _journal(self, body: StartBody) -> Writer | None:
        """The stream's journal; None when the disk fails. Raises JournalError when the stream has one."""
        assert self._admitted is not None
        head = {
            "call": body.callSid,
            "tracks": body.tracks,
            "words": self._admitted.words,
            "language": "en",
            "hints": [],
        }
        try:
            return Writer.create(settings.JOURNAL_DIR, body.streamSid, head)
        except JournalError as error:
            if error.code == "exists":
                raise
            _log.error("journal.failed", extra={"stream": body.streamSid, "code": error.code})
            count("journal.failed")
            return None

    def _living(self, body: StartBody, journal: Writer | None) -> LiveStream:
        assert self._admitted is not None
        now = self._loop.time()
        words = self._admitted.words and journal is not None
        return LiveStream(
            sid=body.streamSid,
            start=body,
            admitted=self._admitted,
            parameters=_parameters(body.customParameters),
            opened_at=timezone.now(),
            begun_at=now,
            heard_at=now,
            ingest=self._ingest,
            journal=journal,
            hang_up=self.hang_up,
            ticket_id=self._admitted.ticket_id,
            call_id=self._admitted.call_id,
            lines=wordfile.Reader(wordfile.words_path(journal.path)) if words and journal else None,
        )

    def _end(self, reason: str) -> None:
        if self._runner is not None:
            self._runner.end()
        if self._live is not None:
            self._runtime.levels.close(self._live.sid)
            self._runtime.table.end(self._live, reason)

    def _refused(self, error: ProtocolError) -> None:
        """The ingest will take no more."""
        live = self._live
        if live is not None and live.ended_at is not None:  # after `stop`
            self.hang_up(OVER, "stop", "media.closed")
        elif error.code == "too_large":
            self._deny("media.too_large", TOO_LARGE, error.code)
        elif error.code == "flood":
            limit = (RATE, "media.rate") if "second" in error.detail else (BAD, "media.flood")
            self._deny(limit[1], limit[0], error.detail)
        elif error.code == "order":
            again = live is not None and "start" in error.detail
            self._deny("media.start.duplicate" if again else "media.start.order", START_DENIED, error.detail)
        else:
            self._deny("media.start.denied", START_DENIED, error.code)

    def _start_timeout(self) -> None:
        self._deny("media.start.timeout", START_DENIED, f"{START_SECONDS:.0f} s")

    def _deny(self, event: str, code: int, why: str) -> None:
        self._why = why
        self.hang_up(code, "refused", event)

    def _bad(self, error: ProtocolError) -> None:
        """None is borne before `start`; later one line for each kind, and the figures have them all."""
        if self._ingest.start is None:
            self._deny("media.start.denied", START_DENIED, error.code)
            return
        denied("media.message.bad")
        if error.code not in self._named:
            self._named.add(error.code)
            _log.warning("media.message.bad", extra={"stream": self.stream_sid, "why": error.code})

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _limits() -> Limits:
    return Limits(per_second=settings.MEDIA_MAX_FRAMES_PER_SECOND)


def _parameters(given: dict[str, str]) -> dict[str, str]:
    """customParameters as we keep them: cleaned, each as long as Twilio allows, at most MAX_PARAMETERS."""
    few = list(given.items())[:MAX_PARAMETERS]
    return {clean(name, MAX_NAME): clean(value, MAX_VALUE) for name, value in few}
