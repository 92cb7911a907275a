"""Twilio's REST API as far as a test scripts it: a real server on loopback."""

import io
import json
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import override_settings

from tests import twilio

Answer = tuple[int, dict[str, Any] | str | bytes]
Rule = Callable[["Asked"], Answer | None]


class Asked:
    """One request: method, path below the account, form fields, query, headers."""

    def __init__(self, method: str, url: str, body: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self.method = method
        self.path = parts.path.removeprefix(f"/2010-04-01/Accounts/{twilio.ACCOUNT_SID}")
        self.query = dict(parse_qsl(parts.query))
        self.form = dict(parse_qsl(body, keep_blank_values=True))
        self.headers = headers


class Rest:
    """Answers each request by the first rule that gives something; everything asked is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.rules: list[Rule] = []
        self.url = ""

    def on(self, method: str, path: str, status: int, body: dict[str, Any] | str | bytes) -> None:
        """Answer requests for this path; a later rule for the same path takes over."""
        self.rules.insert(0, lambda a: (status, body) if (a.method, a.path) == (method, path) else None)

    def answer(self, asked: Asked) -> Answer:
        """What to answer; an error 20404 without a rule."""
        self.asked.append(asked)
        for rule in self.rules:
            found = rule(asked)
            if found is not None:
                return found
        return error(404, 20404, "The requested resource was not found")

    def posts(self) -> list[Asked]:
        """The requests that may change something."""
        return [asked for asked in self.asked if asked.method == "POST"]


def error(status: int, code: int, message: str = "Refused") -> Answer:
    """An error in Twilio's form."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": message, "more_info": more, "status": status}


def stream_body(sid: str, call_sid: str = twilio.CALL_SID, status: str = "in-progress") -> dict[str, Any]:
    """A Stream resource."""
    return {
        "sid": sid,
        "account_sid": twilio.ACCOUNT_SID,
        "call_sid": call_sid,
        "name": "tap",
        "status": status,
        "date_updated": "Fri, 20 Nov 2026 12:00:00 +0000",
        "uri": f"/2010-04-01/Accounts/{twilio.ACCOUNT_SID}/Calls/{call_sid}/Streams/{sid}.json",
    }


def call_body(sid: str = twilio.CALL_SID, **fields: Any) -> dict[str, Any]:
    """A Call resource; numbers are text or null, `from` is a word of Python's."""
    body: dict[str, Any] = {
        "sid": sid,
        "account_sid": twilio.ACCOUNT_SID,
        "parent_call_sid": None,
        "from": "+31612345678",
        "to": "+31201234567",
        "caller_name": None,
        "status": "in-progress",
        "direction": "inbound",
        "start_time": "Fri, 20 Nov 2026 12:00:00 +0000",
        "end_time": None,
        "duration": None,
    }
    return {**body, **fields}


def page(key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One page of a list, with nothing after it."""
    return {key: rows, "page": 0, "page_size": 50, "next_page_uri": None, "uri": "/", "start": 0, "end": 0}


@contextmanager
def rest(**settings: Any) -> Iterator[Rest]:
    """A server that the gateway asks in place of Twilio."""
    scripted = Rest()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(scripted))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    try:
        with override_settings(TWILIO_API_URL=scripted.url, **settings):
            yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wav(seconds: float = 1.0) -> bytes:
    """A recording: silence, 16-bit PCM at 8 kHz."""
    with io.BytesIO() as file:
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(int(16000 * seconds)))
        return file.getvalue()


def _text(answer: dict[str, Any] | str) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer)


def _handler(scripted: Rest) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked = Asked(self.command, self.path, body, dict(self.headers.items()))
            status, answer = scripted.answer(asked)
            if status == 0:  # the answer is lost
                self.connection.close()
                self.close_connection = True
                return
            sound = isinstance(answer, bytes)
            text = answer if isinstance(answer, bytes) else _text(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "audio/x-wav" if sound else "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
