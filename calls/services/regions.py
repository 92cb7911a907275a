"""Which of Twilio's regions a signed request comes from, and whether it may speak for its call.

Each region signs with a token of its own. A call belongs to the region that signed its first request, which
is right also in the minutes in which a number moves from one region to another. From then on only tokens of
that region count for it: a leaked token of one region opens no call of another.
"""

from collections.abc import Mapping

from django.db import Error as DatabaseAway

from calls.gateway import credentials
from calls.models import Call

__all__ = ["Foreign", "are_told_apart", "of_request", "only"]


class Foreign(Exception):
    """The call belongs to another region than the one that signed."""


def are_told_apart() -> bool:
    """Whether more than one region has a token here; else there is nothing to compare, and no query."""
    return len(credentials.tokens_by_region()) > 1


def only(signers: frozenset[str]) -> str:
    """The region that signed; nothing where several share a token."""
    return next(iter(signers)) if len(signers) == 1 else ""


def of_request(*, fields: Mapping[str, str], signers: frozenset[str]) -> str:
    """The region of a webhook's call; of a call that we do not know, the one that signed. Raises Foreign.

    At most two queries, none with one region. While the database is away a call counts as unknown.
    """
    if not are_told_apart():
        return only(signers)
    try:
        known = _of_call(fields)
    except DatabaseAway:
        known = ""
    if known and known not in signers:
        raise Foreign
    return known or only(signers)


def _of_call(fields: Mapping[str, str]) -> str:
    """By the call's own SID, its parent's, or its conference's; nothing if we know none of them."""
    sids = [fields[name] for name in ("CallSid", "ParentCallSid") if fields.get(name)]
    found = Call.objects.filter(legs__sid__in=sids).values_list("region", flat=True).first()
    if found is None and fields.get("ConferenceSid"):
        calls = Call.objects.filter(conferences__sid=fields["ConferenceSid"])
        found = calls.values_list("region", flat=True).first()
    return found or ""
