"""Logs: one line an event, JSON in production; phone numbers and media addresses are masked."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

# A run of 7 or more digits with an optional plus is a telephone number; SIDs are hexadecimal words and stay.
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{3,}[0-9]{4}(?![0-9A-Za-z])")
_MEDIA = re.compile(r"/media/(k/)?[^/\s\"]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
# Django gives its whole request, whose text would tell the query.
_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}


def mask(text: str) -> str:
    """The text on one line, telephone numbers as ***, media nonces as ***."""
    text = _CONTROL.sub(" ", text)
    text = _MEDIA.sub(lambda m: f"/media/{m.group(1) or ''}***", text)
    return _NUMBER.sub("***", text)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {
        key: value for key, value in vars(record).items() if key not in _PLAIN and not key.startswith("_")
    }


def _safe(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | type(None)) else mask(str(value))[:500]


def _stack(record: logging.LogRecord) -> Any:
    """What the stack is made from; none for refused requests, where the outside chose the input."""
    return None if record.name.startswith("django.security") else record.exc_info


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, event, and the facts given in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        line["event"] = mask(record.getMessage())[:2000]
        line.update({key: _safe(value) for key, value in _facts(record).items()})
        if stack := _stack(record):
            line["traceback"] = mask(self.formatException(stack).replace("\n", " | "))[:8000]
        return json.dumps(line, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """The same for a person's terminal; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={_safe(value)}" for key, value in _facts(record).items())
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        text = f"{at} {record.levelname:<7} {mask(record.getMessage())} {facts}".rstrip()
        stack = _stack(record)
        return f"{text}\n{self.formatException(stack)}" if stack else text


def configuration(style: str, level: str) -> dict[str, Any]:
    """The LOGGING setting: everything to standard error, in `style` json or console."""
    formatter = "json" if style == "json" else "console"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "contactcenter.logging.JsonFormatter"},
            "console": {"()": "contactcenter.logging.ConsoleFormatter"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": formatter}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "daphne": {"level": "WARNING"},
            "twilio": {"level": "WARNING"},
            # Below that they write down keys and what was said.
            **{name: {"level": "WARNING"} for name in ("openai", "websockets", "httpx2", "httpcore2")},
        },
    }
