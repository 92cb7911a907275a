"""The order of Twilio's statuses. Callbacks arrive late, twice and shuffled; whatever the order, the same
rows result: a status only moves up, and a call's state is a function of its legs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["LIVE", "TERMINAL", "LegFacts", "Outcome", "has_ended", "highest", "known", "outcome"]

# Of two terminal words for one leg the one that says more wins, so that it does not matter which came first.
_RANK = {
    "queued": 0,
    "initiated": 1,
    "ringing": 2,
    "in-progress": 3,
    "canceled": 4,
    "failed": 5,
    "no-answer": 6,
    "busy": 7,
    "completed": 8,
}
_SAME = {"answered": "in-progress", "cancelled": "canceled"}
TERMINAL = frozenset(word for word, rank in _RANK.items() if rank > _RANK["in-progress"])
LIVE = "in-progress"


def known(status: str) -> str:
    """Twilio's status in our spelling; nothing for a word that we do not know (they add some)."""
    word = _SAME.get(status, status)
    return word if word in _RANK else ""


def highest(one: str, other: str) -> str:
    """The later of two known statuses."""
    return max(one, other, key=_RANK.__getitem__)


def has_ended(status: str) -> bool:
    """Whether the leg is over."""
    return status in TERMINAL


@dataclass(frozen=True)
class LegFacts:
    """What decides about a call in one of its legs: is it the person's whose call it is (who called us, or
    whom we called), or one of those who talk with them?
    """

    status: str
    is_persons: bool
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """A call as its legs make it: state ringing, live or ended; outcome answered, missed, failed or none."""

    state: str
    outcome: str
    answered_at: datetime | None
    ended_at: datetime | None


def outcome(legs: Iterable[LegFacts], *, dials: bool, outbound: bool = False) -> Outcome:
    """The call of these legs; it ends with the person's leg.

    A call in is answered when somebody whom our TwiML dials (`dials`) answers, else when the person's leg is;
    a call out when the person answers. Before the person is called, a call out lives by its agent's leg.
    """
    legs = list(legs)
    persons = [leg for leg in legs if leg.is_persons]
    others = [leg for leg in legs if not leg.is_persons]
    answering = persons if outbound or not dials else others
    lasting = persons or (others if outbound else [])
    answered_at = min((leg.answered_at for leg in answering if leg.answered_at), default=None)
    if not lasting or not all(has_ended(leg.status) for leg in lasting):
        word = "answered" if answered_at else ""
        return Outcome("live" if answered_at else "ringing", word, answered_at, None)
    ended_at = max((leg.ended_at for leg in lasting if leg.ended_at), default=None)
    return Outcome("ended", _word(lasting, answering, answered_at), answered_at, ended_at)


def _word(lasting: list[LegFacts], answering: list[LegFacts], answered_at: datetime | None) -> str:
    if answered_at or any(leg.status == "completed" for leg in answering):
        return "answered"  # completed is said only of what was answered
    return "failed" if all(leg.status == "failed" for leg in lasting) else "missed"
