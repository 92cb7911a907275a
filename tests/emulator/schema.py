"""Every answer of the emulator's REST API, held against Twilio's own description of it.

The description says less than it could, so it is read strictly: all documented keys are there, no others, and
what is not said to be nullable is not null. Errors, and the one newer service, are described here by hand.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from jsonschema import Draft202012Validator, FormatChecker

DESCRIPTION = Path(__file__).parent / "openapi" / "twilio_api_v2010.subset.json"
# The description says 200; Twilio's library is tested with 201, as for everything else that is made.
ALSO = {"CreateStream": {201}, "CreateRealtimeTranscription": {201}}
# Said to be null while the conference lives; a reference cannot say so in this version of OpenAPI.
NULLABLE = {"reason_conference_ended"}
METHODS = ("get", "post", "delete")
KEPT = ("type", "format", "enum", "pattern", "minLength", "maxLength")

RFC_2822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d{2}:\d{2}:\d{2} \+0000"
)
FORMATS = FormatChecker(formats=())


def _reference(value: object) -> bool:
    """An address, whole or beginning at the host (as `next_page_uri` does), or the empty one."""
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    return not re.search(r"\s", value) and (parts.scheme in {"http", "https"} or value[:1] in {"", "/"})


def _rfc_2822(value: object) -> bool:
    if not isinstance(value, str):
        return True
    datetime.strptime(value, "%a, %d %b %Y %H:%M:%S %z")
    return RFC_2822.fullmatch(value) is not None


FORMATS.checks("date-time-rfc-2822", raises=ValueError)(_rfc_2822)
FORMATS.checks("int32")(lambda v: not isinstance(v, int) or -(2**31) <= v < 2**31)
FORMATS.checks("uri")(_reference)
FORMATS.checks("uri-map")(lambda v: not isinstance(v, dict) or all(map(_reference, v.values())))
FORMATS.checks("http-method")(lambda v: v is None or v in {"GET", "POST"})
FORMATS.checks("phone-number")(
    lambda v: not isinstance(v, str) or re.fullmatch(r"\+[0-9]{3,15}", v) is not None
)
FORMATS.checks("currency")(lambda v: not isinstance(v, str) or re.fullmatch(r"[A-Z]{3}", v) is not None)
FORMATS.checks("phone-number-capabilities")(lambda v: not isinstance(v, dict) or "voice" in v)
FORMATS.checks("iso-seconds", raises=ValueError)(
    lambda v: not isinstance(v, str) or (bool(datetime.strptime(v, "%Y-%m-%dT%H:%M:%S%z")) and v[-1:] == "Z")
)

SID = {"type": "string", "minLength": 34, "maxLength": 34}
ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "integer", "minimum": 10000, "maximum": 99999},
        "message": {"type": "string", "minLength": 1},
        "more_info": {"type": "string", "pattern": r"^https://www\.twilio\.com/docs/errors/[0-9]{5}$"},
        "status": {"type": "integer"},
    },
    "required": ["code", "message", "more_info", "status"],
    "additionalProperties": False,
}
PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "pattern": "^https://"},
        "title": {"type": "string", "minLength": 1},
        "status": {"type": "integer"},
        "code": {"type": "integer", "minimum": 10000, "maximum": 99999},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
    },
    "required": ["type", "title", "status", "code"],
    "additionalProperties": False,
}
ROUTE = {
    "type": "object",
    "properties": {
        "phone_number": {"type": "string", "format": "phone-number"},
        "url": {"type": "string", "format": "uri"},
        "sid": {**SID, "pattern": "^QQ[0-9a-f]{32}$"},
        "account_sid": {**SID, "pattern": "^AC[0-9a-f]{32}$"},
        "friendly_name": {"type": "string"},
        "voice_region": {"type": "string", "enum": ["us1", "ie1", "au1"]},
        "date_created": {"type": "string", "format": "iso-seconds"},
        "date_updated": {"type": "string", "format": "iso-seconds"},
    },
    "additionalProperties": False,
}
ROUTE["required"] = list(ROUTE["properties"])  # type: ignore[call-overload]


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked: its name, address, fields, and the schema of each answer."""

    name: str
    method: str
    template: str
    fields: frozenset[str]
    answers: dict[int, Draft202012Validator | None]

    def fits(self, method: str, path: str) -> bool:
        """Whether this is what is asked there."""
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.template))
        return method == self.method and re.fullmatch(pattern, path) is not None


@cache
def description() -> dict[str, Any]:
    """Twilio's description."""
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return found


@cache
def operations() -> tuple[Operation, ...]:
    """All that it describes."""
    return tuple(
        _operation(path, method, described[method])
        for path, described in description()["paths"].items()
        for method in METHODS
        if method in described
    )


def operation(method: str, path: str) -> Operation | None:
    """What is asked by this request."""
    return next((one for one in operations() if one.fits(method, path)), None)


def _operation(path: str, method: str, of: dict[str, Any]) -> Operation:
    body = of.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
    queries = {given["name"] for given in of.get("parameters", []) if given["in"] == "query"}
    answers = {int(status): _validator(answer) for status, answer in of["responses"].items()}
    for status in ALSO.get(of["operationId"], ()):
        answers[status] = answers[200]
    fields = frozenset(body.get("schema", {}).get("properties", {})) | queries
    return Operation(of["operationId"], method.upper(), path, fields, answers)


def _validator(answer: dict[str, Any]) -> Draft202012Validator | None:
    content = answer.get("content")
    if not content:
        return None
    return Draft202012Validator(strict(content["application/json"]["schema"]), format_checker=FORMATS)


def strict(schema: dict[str, Any], name: str = "") -> dict[str, Any]:
    """The schema as JSON Schema, with every documented key needed and no other allowed."""
    if "$ref" in schema:
        return strict(description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
    made = {key: schema[key] for key in KEPT if key in schema}
    if schema.get("nullable") or name in NULLABLE:
        made |= {"type": [schema["type"], "null"]} if "type" in schema else {}
        made |= {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    if "properties" in schema:
        made["properties"] = {key: strict(one, key) for key, one in schema["properties"].items()}
        made["required"] = list(made["properties"])
        made["additionalProperties"] = False
    if "items" in schema:
        made["items"] = strict(schema["items"])
    return made


def problems(method: str, path: str, status: int, kind: str, body: bytes) -> list[str]:
    """What is wrong with an answer, nothing when it is as Twilio describes it."""
    found = _problems(method, path, status, kind, body)
    return [f"{method} {path} → {status}: {problem}" for problem in found]


def _problems(method: str, path: str, status: int, kind: str, body: bytes) -> list[str]:
    if status >= 400:
        return _error(path, status, kind, body)
    if path.startswith("/v2/"):
        return _json(kind, body, Draft202012Validator(ROUTE, format_checker=FORMATS))
    if (asked := operation(method, path)) is None:
        # Only the sound of recordings is not described.
        return [] if kind == "audio/x-wav" and body.startswith(b"RIFF") else ["not described by Twilio"]
    if status not in asked.answers:
        return [f"a status that {asked.name} does not have"]
    schema = asked.answers[status]
    if schema is None:
        return [] if not body else ["a body where there is none"]
    return _json(kind, body, schema)


def _error(path: str, status: int, kind: str, body: bytes) -> list[str]:
    newer = path.startswith("/v2/")
    if kind != ("application/problem+json" if newer else "application/json"):
        return [f"an error in {kind}"]
    wrong = _json(
        "application/json", body, Draft202012Validator(PROBLEM if newer else ERROR, format_checker=FORMATS)
    )
    if wrong:
        return wrong
    said = json.loads(body)
    if said["status"] != status:
        return [f"the body says {said['status']}"]
    if not newer and not said["more_info"].endswith(f"/{said['code']}"):
        return ["more_info leads to another error"]
    return ["a fault of the emulator"] if "Fault of the emulator" in body.decode() else []


def _json(kind: str, body: bytes, schema: Draft202012Validator) -> list[str]:
    if kind != "application/json":
        return [f"{kind} instead of JSON"]
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(json.loads(body))]


class Watch:
    """Looks at every answer that an application gives from its REST API."""

    def __init__(self, app: web.Application) -> None:
        self.problems: list[str] = []
        self.seen = 0
        app.on_response_prepare.append(self._look)

    async def _look(self, request: web.Request, answer: web.StreamResponse) -> None:
        if not request.path.startswith(("/2010-04-01/", "/v2/")):
            return
        self.seen += 1
        body = answer.body if isinstance(answer, web.Response) else None
        found = bytes(body) if isinstance(body, bytes | bytearray) else b""
        method = "GET" if request.method == "HEAD" else request.method
        self.problems += problems(method, request.path, answer.status, answer.content_type, found)
