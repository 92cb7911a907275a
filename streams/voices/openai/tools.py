"""What an AI agent may do, and the doing: it names one of the voice's actions and says why, nothing more.

The list is made from the voice's configuration before the model has heard a word. A name that is not on it is
refused whoever asks, and of the arguments only those named here are read: a destination in them is nothing.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from calls.briefing import Allowed, Briefing
from calls.counters import denied
from streams.voices.base import NotAllowed, Talk

__all__ = ["FACT", "PREFIX", "Asked", "Tools"]

PREFIX: Final = "take_action_"
FACT: Final = "note_fact"
MOST_ASKED: Final = 100
"""Tools of one conversation; what comes beyond is refused."""
MOST_PROMISED: Final = 3
"""How often one call back may be promised in a conversation: a changed time, not a flood of rows."""
_LONGEST_ARGUMENTS: Final = 4_000
_LONGEST: Final = {"reason": 300, "due": 40, "name": 40, "value": 200}

_log = logging.getLogger("contactcenter.voice")


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool that the model asks for. `line` counts the sessions: a later one knows no `call_id` of it."""

    line: int
    call_id: str
    name: str
    arguments: str

    @property
    def notes(self) -> bool:
        """Whether it only notes a fact, for which nobody needs to be heard out."""
        return self.name == FACT


class Refused(Exception):
    """Not done; the text says why, for the model."""


class Tools:
    """The tools of one conversation."""

    def __init__(self, briefing: Briefing) -> None:
        self._actions = {PREFIX + action.name: action for action in briefing.actions}
        self._asked = 0
        self._promised: Counter[str] = Counter()

    def described(self) -> list[dict[str, Any]]:
        """As a session is told of them."""
        return [_described(name, action) for name, action in self._actions.items()] + [_NOTE]

    async def use(self, call: Talk, asked: Asked) -> str:
        """Do what is asked, if it may be; what the model is told. Raises Ended when that was the end."""
        try:
            said = await self._use(call, asked)
        except (Refused, NotAllowed) as refused:
            denied("voice.action.refused")
            _log.warning("voice.action.refused", extra={"voice": call.briefing.voice})
            return json.dumps({"error": str(refused)[:300]})
        return json.dumps({"done": said})

    async def _use(self, call: Talk, asked: Asked) -> str:
        self._asked += 1
        if self._asked > MOST_ASKED:
            raise Refused("Too much was asked for. Nothing was done.")
        arguments = _arguments(asked.arguments)
        if asked.notes:
            return await _note(call, arguments)
        if (action := self._actions.get(asked.name)) is None:
            raise Refused("There is no such action. Nothing was done.")
        return await self._take(call, action, arguments)

    async def _take(self, call: Talk, action: Allowed, arguments: dict[str, str]) -> str:
        if self._promised[action.name] >= MOST_PROMISED:
            raise Refused("That was promised already. Nothing was done.")
        due = arguments.get("due", "") if action.kind == "callback" else ""
        await call.do(action.name, reason=arguments.get("reason", ""), due=due)
        self._promised[action.name] += 1
        return "The call back is promised."


async def _note(call: Talk, arguments: dict[str, str]) -> str:
    if not arguments.get("name"):
        raise Refused("A fact needs a name. Nothing was noted.")
    await call.fact(arguments["name"], arguments.get("value", ""))
    return "It is noted."


def _arguments(text: str) -> dict[str, str]:
    """Those texts of a tool's arguments that we know, cut to length. Raises Refused."""
    if len(text) > _LONGEST_ARGUMENTS:
        raise Refused("The arguments are too long. Nothing was done.")
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Refused("The arguments cannot be read. Nothing was done.")
    return {
        name: value[:most] for name, most in _LONGEST.items() if isinstance(value := given.get(name), str)
    }


def _described(name: str, action: Allowed) -> dict[str, Any]:
    properties = {
        "reason": {"type": "string", "description": "Why, in a few words for the person who reads it."}
    }
    if action.kind == "callback":
        properties["due"] = {"type": "string", "description": "When, ISO 8601 with offset; empty: soon."}
    return _function(
        name, f"{_KINDS.get(action.kind, '')} {action.description}".strip(), properties, ["reason"]
    )


def _function(
    name: str, description: str, properties: dict[str, dict[str, str]], required: list[str]
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
    return {"type": "function", "name": name, "description": description, "parameters": schema}


_KINDS = {
    "queue": "Hands the caller over to people; the conversation ends.",
    "phone": "Connects the caller with a telephone; the conversation ends.",
    "voicemail": "Lets the caller leave a message; the conversation ends.",
    "callback": "Promises that somebody calls back; the conversation goes on.",
    "end": "Ends the call; say goodbye first.",
}
_NOTE = _function(
    FACT,
    "Notes something that the caller said, for whoever takes the call over.",
    {"name": {"type": "string", "description": "Such as order"}, "value": {"type": "string"}},
    ["name", "value"],
)
