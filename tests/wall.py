"""A supervisor's browser without a browser: signs in over HTTP, opens /ws/live/, keeps what it is told.

It behaves as the page does: says hello with the last id it saw, acknowledges levels, follows the chain
of ids, and says hello again when the chain broke.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from http.cookiejar import CookieJar
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.people import PASSWORD


def signed_in(url: str, username: str) -> str:
    """The Cookie header of a person who signed in through the login page of a running site."""
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))
    page = opener.open(f"{url}/accounts/login/", timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "the login page has no form"
    form = {"csrfmiddlewaretoken": token.group(1), "username": username, "password": PASSWORD, "next": "/"}
    request_url = f"{url}/accounts/login/"
    opener.addheaders = [("Referer", request_url), ("Origin", url)]
    opener.open(request_url, urlencode(form).encode(), timeout=10)
    cookies = {cookie.name: cookie.value for cookie in jar}
    assert "sessionid" in cookies, f"{username} could not sign in"
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


class Wall:
    """One browser socket of a signed-in person. `messages` holds all it was sent, `counts` them by type."""

    def __init__(self, url: str, username: str, path: str = "/ws/live/") -> None:
        self.url, self.path = url, path
        self.cookie = signed_in(url, username)
        self.messages: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.last_id: int | None = None
        self.connection = self.open()

    def open(self) -> ClientConnection:
        """Connect as the page does, and say hello."""
        connection: ClientConnection = connect(
            self.url.replace("http", "ws", 1) + self.path,
            additional_headers={"Cookie": self.cookie},
            origin=Origin(self.url),
            compression=None,
            proxy=None,
        )
        connection.send(json.dumps({"type": "hello", "last_id": self.last_id}))
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def again(self) -> None:
        """Reconnect after a break, resuming from the last id seen."""
        self.connection.close()
        self.connection = self.open()

    def until(
        self, wanted: Callable[[dict[str, Any]], bool], what: str = "", *, seconds: float = 60
    ) -> dict[str, Any]:
        """Read on until a message is as wanted; it. Fails with what came instead, by type."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.take(json.loads(self.connection.recv(timeout=left)))
            except TimeoutError:
                break
            if wanted(message):
                return message
        raise AssertionError(f"not on the wall within {seconds} s: {what}; came: {dict(self.counts)}")

    def sees(
        self, wanted: Callable[[dict[str, Any]], bool], what: str = "", *, seconds: float = 60
    ) -> dict[str, Any]:
        """The newest message so far that is as wanted, else as `until`."""
        told = next((message for message in reversed(self.messages) if wanted(message)), None)
        return told or self.until(wanted, what, seconds=seconds)

    def take(self, message: dict[str, Any]) -> dict[str, Any]:
        """What the page does with each message."""
        self.messages.append(message)
        self.counts[message["type"]] += 1
        if message["type"] == "levels":
            self.connection.send('{"type":"ack"}')
        elif message["type"] == "snapshot":
            self.last_id = message["last_id"]
        elif "id" in message:
            if message["after"] != self.last_id:
                self.connection.send(json.dumps({"type": "hello", "last_id": self.last_id}))
            else:
                self.last_id = message["id"]
        return message

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All messages of a type."""
        return [message for message in self.messages if message["type"] == kind]
