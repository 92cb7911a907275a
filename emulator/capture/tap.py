"""Listens to one connection between Twilio and the application, and can do it no harm."""

from __future__ import annotations

import logging
from collections import deque

from emulator.capture import framing, hypertext
from emulator.capture.entries import Sender
from emulator.capture.hypertext import Head, HypertextError, Whole
from emulator.capture.scribe import Scribe

logger = logging.getLogger("contactcenter.emulator")

MOST_HELD = 1 << 20


class Tap:
    """`heard` takes copies of the bytes that were forwarded. An error makes it deaf; nobody else notices."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._requests = hypertext.Reader(answers=False)
        self._answers = hypertext.Reader(answers=True, bodyless=self._is_bodyless)
        self._waiting: deque[tuple[int, Head]] = deque()
        self._handshake: tuple[int, Head, float] | None = None
        self._socket = 0
        self._frames: dict[Sender, framing.Reader] = {
            "twilio": framing.Reader(),
            "application": framing.Reader(),
        }
        self._gone: set[Sender] = set()
        self._deaf = False

    @property
    def asked(self) -> bool:
        """Whether something waits for an answer."""
        return bool(self._waiting) or self._handshake is not None

    def heard(self, sender: Sender, data: bytes) -> None:
        """Take what this side said. Never raises."""
        self._scribe.pieces += 1
        if self._deaf:
            return
        try:
            self._hear(sender, data)
        except Exception as error:
            self._fall_deaf(error)

    def ended(self, sender: Sender, *, reset: bool) -> None:
        """This side's half of the connection is over. Never raises."""
        if self._deaf or sender in self._gone:
            return
        self._gone.add(sender)
        try:
            self._end(sender, reset)
        except Exception as error:
            self._fall_deaf(error)

    def _fall_deaf(self, error: Exception) -> None:
        self._deaf = True
        what = str(error) if isinstance(error, HypertextError) else type(error).__name__
        logger.warning("emulator.capture.deaf", exc_info=error)
        self._scribe.tape.trouble(f"one connection is not recorded any further: {what}")

    def _hear(self, sender: Sender, data: bytes) -> None:
        if self._socket:
            self._hear_frames(sender, data)
        elif sender == "twilio":
            self._hear_twilio(data)
        else:
            self._hear_application(data)

    def _hear_twilio(self, data: bytes) -> None:
        if self._handshake is None:
            for whole in self._requests.feed(data):
                self._ask(whole)
        else:  # already speaking to a socket that has not been granted yet
            self._requests.hold(data, MOST_HELD)

    def _ask(self, whole: Whole) -> None:
        number, now = self._scribe.number(), self._scribe.tape.now()
        if whole.head.get("upgrade").lower() == "websocket":
            self._handshake = number, whole.head, now
            return
        self._waiting.append((number, whole.head))
        self._scribe.request(number, "webhook", whole, now)

    def _hear_application(self, data: bytes) -> None:
        for whole in self._answers.feed(data):
            if whole.head.status >= 200 or whole.head.status == 101:
                self._answer(whole)
        if self._socket and (rest := self._answers.rest()):
            self._hear_frames("application", rest)

    def _answer(self, whole: Whole) -> None:
        if self._waiting:
            number, _ = self._waiting.popleft()
            self._scribe.answer(number, "webhook", whole, self._scribe.tape.now())
        elif self._handshake is not None:
            self._grant(*self._handshake, whole.head)

    def _grant(self, socket: int, head: Head, at: float, answer: Head) -> None:
        self._scribe.handshake(socket, head, at, answer)
        self._handshake = None
        if answer.status == 101:
            self._socket = socket
            if rest := self._requests.rest():
                self._hear_frames("twilio", rest)
        else:
            self._hear_twilio(b"")

    def _hear_frames(self, sender: Sender, data: bytes) -> None:
        now = self._scribe.tape.now()
        for frame in self._frames[sender].feed(data):
            self._scribe.frame(self._socket, sender, frame, now)

    def _end(self, sender: Sender, reset: bool) -> None:
        if self._socket:
            self._scribe.gone(self._socket, sender, reset=reset)
            return
        if sender == "application":
            for whole in self._answers.end():
                self._answer(whole)
        if self._handshake is not None:
            socket, head, at = self._handshake
            self._handshake = None
            self._scribe.handshake(socket, head, at, None)
            self._scribe.gone(socket, sender, reset=reset)
        if sender == "application" and self._waiting:
            self._waiting.clear()
            self._scribe.tape.trouble("the application ended a connection without an answer")

    def _is_bodyless(self, head: Head) -> bool:
        return bool(self._waiting) and self._waiting[0][1].words[0] == "HEAD"
