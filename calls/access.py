"""Who may see and do what. Asked in every view, at every socket's opening, and again each minute."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from calls.models import User

__all__ = ["WALL", "may", "may_control_streams", "may_watch"]

WALL = "calls.view_wall"
STREAMS = "calls.control_streams"
Person = User | AbstractBaseUser | AnonymousUser


def may(person: Person, permission: str) -> bool:
    """Whether an active, signed-in person holds the permission."""
    return isinstance(person, User) and person.is_active and person.has_perm(permission)


def may_watch(person: Person) -> bool:
    """Live calls, levels and words: supervisors and admins."""
    return may(person, WALL)


def may_control_streams(person: Person) -> bool:
    """Start and stop streams on a live call: supervisors and admins."""
    return may(person, STREAMS)
