"""Who may see and do what. Asked in every view, at every socket's opening, and again every few seconds.

A permission says what a person may do, a `Scope` with whose calls. A call without a team is seen by every
supervisor, one with a team by the supervisors of that team and by whoever may watch every team.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from calls.models import Team, User

__all__ = [
    "EVERY",
    "NOTHING",
    "NOWHERE",
    "WALL",
    "Scope",
    "may",
    "may_call_out",
    "may_control_streams",
    "may_intervene",
    "may_listen",
    "may_use_desk",
    "may_watch",
    "me",
    "scope_of",
]

DESK = "calls.use_desk"
WALL = "calls.view_wall"
EVERY_TEAM = "calls.view_every_team"
STREAMS = "calls.control_streams"
LISTEN = "calls.listen_in"
INTERVENE = "calls.intervene"
OUT = "calls.dial_out"
NOWHERE = -1  # in place of a team: of no call, or of one whose row is gone
Person = User | AbstractBaseUser | AnonymousUser
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Scope:
    """Whose calls somebody sees: those of `teams` and those of no team; `teams` None means all there are."""

    teams: frozenset[int] | None
    teamless: bool = True

    def sees(self, team: int | None) -> bool:
        """Whether a call of this team is seen; None is a call without one."""
        if self.teams is None:
            return True
        return self.teamless if team is None else team in self.teams

    def shares(self, teams: frozenset[int]) -> bool:
        """Whether somebody of these teams is shown: who is in one of ours, or in none."""
        if self.teams is None:
            return True
        return bool(teams & self.teams) if teams else self.teamless

    def where(self, path: str = "") -> Q:
        """The same as a filter; `path` leads from the rows to their call, such as `leg__call__`."""
        if self.teams is None:
            return Q()
        ours = Q(**{f"{path}team__in": self.teams})
        return ours | Q(**{f"{path}team__isnull": True}) if self.teamless else ours

    def of(self, rows: QuerySet[Row], path: str = "") -> QuerySet[Row]:
        """Only the rows that are seen."""
        return rows if self.teams is None else rows.filter(self.where(path))

    def name(self) -> str:
        """What a page repeats in its `hello`: a changed scope makes what it shows worthless."""
        return "every" if self.teams is None else ",".join(str(team) for team in sorted(self.teams)) or "none"


EVERY = Scope(None)
NOTHING = Scope(frozenset(), teamless=False)


def may(person: Person, permission: str) -> bool:
    """Whether an active, signed-in person holds the permission."""
    return isinstance(person, User) and person.is_active and person.has_perm(permission)


def may_watch(person: Person) -> bool:
    """Live calls, levels and words: supervisors and admins."""
    return may(person, WALL)


def may_control_streams(person: Person) -> bool:
    """Start and stop streams on a live call: supervisors and admins."""
    return may(person, STREAMS)


def may_listen(person: Person) -> bool:
    """Hear live calls through the media fork: supervisors and admins."""
    return may(person, LISTEN)


def may_intervene(person: Person) -> bool:
    """Coach, join, transfer and end live calls: supervisors and admins."""
    return may(person, INTERVENE)


def may_use_desk(person: Person) -> bool:
    """Take calls at a desk; the desk itself is the agent's who is this person."""
    return may(person, DESK)


def may_call_out(person: Person) -> bool:
    """Call somebody from the desk; that, too, takes being an agent."""
    return may(person, OUT)


def me(person: Person) -> dict[str, Any]:
    """What a page is told of who looks at it: who that is, and what they may do with a live call."""
    if not isinstance(person, User):
        return {}
    may_do = {
        "listen": may_listen(person),
        "intervene": may_intervene(person),
        "control_streams": may_control_streams(person),
    }
    return {"user": person.pk, "name": person.shown(), "may": may_do}


def scope_of(person: Any) -> Scope:
    """Whose calls a person sees, if they may see calls at all. One query; none for who sees every team.

    While there is no team, every call is without one, and everybody's scope is EVERY.
    """
    if not isinstance(person, User):
        return NOTHING
    if may(person, EVERY_TEAM):
        return EVERY
    mine = User.teams.through.objects.filter(user=person.pk, team=OuterRef("pk"))
    teams = dict(Team.objects.order_by().annotate(mine=Exists(mine)).values_list("pk", "mine"))
    return Scope(frozenset(team for team, is_mine in teams.items() if is_mine)) if teams else EVERY
