"""How a participant takes part, as REST sets it: mute, hold, coach, what happens when it waits or leaves."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.rest.errors import bad
from emulator.rest.forms import Form
from emulator.rooms.conference import Conference
from emulator.rooms.seat import Terms
from emulator.twiml import Step

NOT_HERE, ON_HOLD = 16028, 16027
# What is told when it begins and when it ends.
EVENTS = {
    "muted": ("participant-mute", "participant-unmute"),
    "hold": ("participant-hold", "participant-unhold"),
}
TERMS_FIELDS = (
    "Muted",
    "Hold",
    "HoldUrl",
    "HoldMethod",
    "WaitUrl",
    "WaitMethod",
    "BeepOnExit",
    "EndConferenceOnExit",
    "Coaching",
    "CallSidToCoach",
)


@dataclass(frozen=True)
class Change:
    """What an update does: set these attributes of the terms, then tell these events."""

    attributes: dict[str, object]
    events: tuple[str, ...]

    @property
    def music(self) -> bool:
        """Whether what is played to somebody who waits or is on hold is another."""
        return not {"wait", "hold_music"}.isdisjoint(self.attributes)

    def apply(self, terms: Terms) -> None:
        """Do it."""
        for name, value in self.attributes.items():
            setattr(terms, name, value)


def changes(given: Form, terms: Terms, own_sid: str, conference: Conference) -> Change:
    """What the request changes of these terms. Raises RestError: 16028, 16027, 21205, 20001."""
    modified = {
        "end_on_exit": given.flag("EndConferenceOnExit"),
        "beep": _beep(given),
        **coaching(given, terms, own_sid, conference),
        **_music(given, "Wait", "POST", "wait"),
    }
    switched = {"muted": given.flag("Muted"), "hold": given.flag("Hold")}
    wanted = {name: value for name, value in (modified | switched).items() if value is not None}
    changed = {name: value for name, value in wanted.items() if getattr(terms, name) != value}
    events = [on if changed[name] else off for name, (on, off) in EVENTS.items() if name in changed]
    if set(changed) & set(modified):
        events.append("participant-modify")
    return Change(changed | _music(given, "Hold", "GET", "hold_music"), tuple(events))


def coaching(given: Form, terms: Terms, own_sid: str, conference: Conference) -> dict[str, object]:
    """Whom the participant coaches from now on; nothing when that is not spoken of. Raises RestError."""
    wanted, whom = given.flag("Coaching"), given.get("CallSidToCoach") or ""
    if wanted is None and not whom:
        return {}
    if wanted is False:
        return {"coaching": False, "coach": ""}
    whom = whom or terms.coach
    if not whom or whom == own_sid:
        raise bad("CallSidToCoach must be another participant when Coaching is true")
    seat = conference.seats.get(whom)
    if seat is None:
        raise bad("Participant to be whispered is not present in the conference", NOT_HERE)
    if seat.terms.hold:
        raise bad("Participant to be whispered is on hold", ON_HOLD)
    return {"coaching": True, "coach": whom}


def _beep(given: Form) -> str | None:
    """What is left of the beeps of somebody who has come in."""
    wanted = given.flag("BeepOnExit")
    return None if wanted is None else "onExit" if wanted else "false"


def _music(given: Form, name: str, usual: str, attribute: str) -> dict[str, object]:
    """What is played meanwhile; an empty address is silence."""
    url, method = given.url(f"{name}Url"), given.method(f"{name}Method", usual)
    return {attribute: Step(url, method)} if given.get(f"{name}Url") is not None else {}
