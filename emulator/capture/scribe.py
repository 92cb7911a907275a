"""Turns what was heard into lines that name nobody."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from emulator.capture import document, entries, headers, socketmessage
from emulator.capture.framing import CLOSE, TEXT, Frame, close_code
from emulator.capture.hypertext import Head, Whole
from emulator.capture.placeholders import Placeholders
from emulator.capture.shapes import Shapes
from emulator.capture.signatures import Signatures
from emulator.capture.tape import Tape
from emulator.capture.vocabulary import ADDRESS, ASK, HOOK, REPLY, STREAM, TOLD, Contract

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 500


class Scribe:
    """Writes requests, answers, handshakes and messages on one tape."""

    def __init__(self, tape: Tape, places: Placeholders, signatures: Signatures) -> None:
        self.tape = tape
        self._shapes = Shapes(places)
        self._signatures = signatures
        self._numbers = count(1)
        self.pieces = 0

    def number(self) -> int:
        """A number that pairs a request with its answer, or the messages of a socket."""
        return next(self._numbers)

    def request(self, number: int, door: entries.Door, whole: Whole, at: float) -> None:
        """A webhook, or a REST request of the application."""
        head, (path, query) = whole.head, _target(whole.head)
        form = _form(whole)
        signed = None
        if door == "webhook":
            signed = self._signatures.of(head.words[1], head.headers, form, whole.plain())
        self.tape.write(
            entries.Request(
                at=at,
                number=number,
                door=door,
                method=_method(head),
                path=self._shapes.path(path),
                headers=headers.cleaned(head.headers, self._shapes, ours=door == "rest"),
                query=self._fields(_pairs(query), _in_query(door, head)),
                form=self._fields(form, HOOK if door == "webhook" else ASK),
                bytes=whole.size,
                signed=signed,
            )
        )

    def answer(self, number: int, door: entries.Door, whole: Whole, at: float) -> None:
        """What was answered to it."""
        head, body = whole.head, whole.plain()
        kind = head.get("content-type").partition(";")[0].strip().lower()
        twiml = kind.endswith("xml") or (door == "webhook" and body.lstrip().startswith(b"<"))
        self.tape.write(
            entries.Answer(
                at=at,
                number=number,
                door=door,
                status=head.status,
                headers=headers.cleaned(head.headers, self._shapes, ours=door == "webhook"),
                twiml=document.cleaned(body.decode(errors="replace"), self._shapes) if twiml else "",
                json=self._json(body, TOLD if door == "rest" else REPLY) if kind.endswith("json") else None,
                bytes=whole.size,
            )
        )

    def handshake(self, socket: int, head: Head, at: float, answer: Head | None) -> None:
        """A socket was asked for, and was answered so; None when the answer never came."""
        path, query = _target(head)
        self.tape.write(
            entries.Handshake(
                at=at,
                socket=socket,
                path=self._shapes.path(path),
                headers=headers.cleaned(head.headers, self._shapes),
                status=answer.status if answer else 0,
                answered=self.tape.now(),
                query=self._fields(_pairs(query), ADDRESS),
                answer_headers=headers.cleaned(answer.headers, self._shapes, ours=True) if answer else [],
                signed=self._signatures.of(head.words[1], head.headers, [], socket=True),
            )
        )

    def frame(self, socket: int, sender: entries.Sender, frame: Frame, at: float) -> None:
        """One message, or a close."""
        if frame.opcode == CLOSE:
            code = close_code(frame.data)
            self.tape.write(entries.Closed(at=at, socket=socket, sender=sender, code=code))
            return
        text = frame.opcode == TEXT and not frame.reserved and frame.size == len(frame.data)
        content = self._said(sender, frame.data) if text else None
        self.tape.write(
            entries.Message(
                at=at, socket=socket, sender=sender, form=frame.name, bytes=frame.size, json=content
            )
        )

    def gone(self, socket: int, sender: entries.Sender, *, reset: bool) -> None:
        """One side of a socket's connection ended."""
        now = self.tape.now()
        self.tape.write(entries.Gone(at=now, socket=socket, sender=sender, how="reset" if reset else "end"))

    def _said(self, sender: entries.Sender, data: bytes) -> Any:
        return socketmessage.cleaned(data, self._shapes, STREAM if sender == "twilio" else REPLY)

    def _fields(self, pairs: list[tuple[str, str]], contract: Contract) -> list[entries.Field]:
        fields = self._shapes.fields(pairs[:MOST_FIELDS], contract)
        return [
            (name, "TwiML", document.cleaned(given, self._shapes)) if name == "Twiml" else (name, kind, text)
            for (name, kind, text), (_, given) in zip(fields, pairs, strict=False)
        ]

    def _json(self, body: bytes, contract: Contract) -> Any:
        try:
            return self._shapes.json(msgspec.json.decode(body), contract)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


def _in_query(door: entries.Door, head: Head) -> Contract:
    """Twilio's own fields are in the query of a GET alone; elsewhere it is the application's."""
    if door == "rest":
        return ASK
    return HOOK if head.words[0] == "GET" else ADDRESS


def _method(head: Head) -> str:
    return head.words[0] if head.words[0] in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "OTHER"


def _target(head: Head) -> tuple[str, str]:
    path, _, query = head.words[1].partition("?")
    return path, query


def _form(whole: Whole) -> list[tuple[str, str]]:
    if not whole.head.get("content-type").lower().startswith(FORM):
        return []
    return _pairs(whole.plain().decode(errors="replace"))


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=2 * MOST_FIELDS)
    except ValueError:
        return []
