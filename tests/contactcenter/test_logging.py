"""Logs: one line an event, no number, no nonce, no stack for what the outside sent."""

import json
import logging
import re
from typing import Any

import pytest
from django.test import Client

from contactcenter.logging import ConsoleFormatter, JsonFormatter, mask


def line(message: str, **extra: Any) -> dict[str, Any]:
    record = logging.getLogger("contactcenter.tests").makeRecord(
        "contactcenter.tests", logging.WARNING, __file__, 1, message, (), None, extra=extra
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_a_line_names_the_event_and_its_facts() -> None:
    told = line("media.handshake.denied", stream="MZ1", count=3)
    assert (told["event"], told["stream"], told["count"], told["level"]) == (
        "media.handshake.denied",
        "MZ1",
        3,
        "warning",
    )


@pytest.mark.parametrize("number", ["+31612345678", "0612345678", "+15550100123", "15550100"])
def test_telephone_numbers_are_masked(number: str) -> None:
    assert number not in json.dumps(line(f"from {number}", caller=number))


def test_media_addresses_are_masked() -> None:
    nonce = "0123456789abcdef0123456789abcdef"
    assert mask(f"GET /media/{nonce}/ and /media/k/{nonce}/") == "GET /media/***/ and /media/k/***/"


@pytest.mark.parametrize("break_", ["\n", "\r", "\x1b[2J", "\u2028", "\x85", "\x00"])
def test_foreign_text_cannot_begin_a_line_of_its_own(break_: str) -> None:
    told = line("call.name", person=f"Eve{break_}12:00:00 INFO forged")
    assert break_ not in told["person"]


def test_the_console_keeps_one_line_too() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "a\nb", (), None)
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    a b", ConsoleFormatter().format(record))


def test_a_foreign_host_is_refused_in_one_line_without_a_stack(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/healthz", headers={"host": "evil.example"})
    assert answer.status_code in (200, 400)
    assert client.get("/live/", headers={"host": "evil.example"}).status_code == 400
    for record in caplog.records:
        if record.name.startswith("django.security"):
            assert "traceback" not in json.loads(JsonFormatter().format(record))
