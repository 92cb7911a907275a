"""Reading requests to the doors: JSON objects, scripts, and refusals that say what is wrong."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from emulator.people.script_files import read
from emulator.people.scripts import Script, ScriptError, Scripts


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request, {} when it has none. Raises HTTPBadRequest."""
    try:
        given = json.loads(await request.text() or "{}")
    except (ValueError, LookupError, RecursionError) as error:
        raise bad("the body is not JSON") from error
    if not isinstance(given, dict):
        raise bad("the body is not a JSON object")
    return given


def text(given: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text field, the default when it is missing or null. Raises HTTPBadRequest."""
    value = given.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise bad(f"{name} must be a text")
    return value


def given(fields: dict[str, Any], name: str, *, empty: bool = False) -> str:
    """A text field that must be there, and not be empty unless it may. Raises HTTPBadRequest."""
    if fields.get(name) is None or not (empty or text(fields, name).strip()):
        raise bad(f"{name} is missing")
    return text(fields, name)


def refused(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    """A refusal with its reason as JSON."""
    return kind(text=json.dumps({"error": message}), content_type="application/json")


def bad(message: str) -> web.HTTPException:
    """400."""
    return refused(web.HTTPBadRequest, message)


def script(given: Any, scripts: Scripts) -> str | Script | None:
    """A script by its name, or written out with the keys of a file; None for none. Raises ScriptError."""
    if isinstance(given, dict):
        return read({"name": "inline", **given}, scripts.library)
    if given is not None and not isinstance(given, str):
        raise ScriptError("script must be a name or an object")
    return scripts.choose(given).name if given else None
