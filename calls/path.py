"""What the caller meets next, decided from the number's settings and what has happened."""

from dataclasses import dataclass

from calls.text import e164

__all__ = [
    "APOLOGY",
    "NOBODY",
    "UNKNOWN_NUMBER",
    "Dial",
    "End",
    "Listen",
    "NumberSettings",
    "Step",
    "after_dial",
    "first_step",
    "seconds_to_say",
]

APOLOGY = "We are sorry, your call cannot be connected right now. Please try again later."
NOBODY = "We are sorry, nobody can take your call right now. Please try again later."
UNKNOWN_NUMBER = "We are sorry, this number is not in service. Goodbye."

_SPOKEN = {"completed", "answered"}
_CHARACTERS_PER_SECOND = 8  # slow speech: the estimate must not be too short


@dataclass(frozen=True)
class NumberSettings:
    """What the number's owner chose. `target` is the telephone or the agent's identity, by `destination`."""

    e164: str
    destination: str  # phone, agent or tap
    target: str
    consent: str
    stream: bool


@dataclass(frozen=True)
class Dial:
    """Connect the caller with a telephone (`kind` number) or a browser (`kind` client)."""

    kind: str
    target: str
    caller_id: str


@dataclass(frozen=True)
class Listen:
    """Nobody is dialled: the call lives as long as it is streamed. `again` after the first round."""

    again: bool = False


@dataclass(frozen=True)
class End:
    """Say something, perhaps, and hang up."""

    text: str = ""


Step = Dial | Listen | End


def first_step(number: NumberSettings, caller: str) -> Step:
    """What follows the consent text and the start of the stream. `caller` is From, cleaned."""
    if number.destination == "tap":
        return Listen()
    if not number.target:
        return End(NOBODY)
    kind = "number" if number.destination == "phone" else "client"
    return Dial(kind=kind, target=number.target, caller_id=e164(caller) or number.e164)


def after_dial(status: str) -> End:
    """What follows `<Dial>`: nothing after a conversation, an apology when nobody answered."""
    return End() if status in _SPOKEN else End(NOBODY)


def seconds_to_say(text: str) -> int:
    """How long `<Say>` may take with the text, in seconds, estimated from above."""
    return -(-len(text) // _CHARACTERS_PER_SECOND)
