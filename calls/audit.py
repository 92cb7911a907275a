"""The one way into the audit: who did what to what."""

from calls.models import AuditEvent, User

__all__ = ["record"]


def record(*, who: User | None, what: str, on: object, ip: str | None = None) -> None:
    """Append one row; `on` names the thing by its id or SID, never by a person's number."""
    AuditEvent.objects.create(who=who, what=what, on=str(on)[:120], ip=ip)
