"""People who call: found by their number, written down by agents and admins, and what is open with them.

The code of a refusal here is the field to mend.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from calls import access, cards
from calls.events import Change, change
from calls.models import Call, CallState, Contact, Matter, PhoneNumber, User
from calls.refusal import Refused
from calls.telephones import region_of
from calls.text import clean, e164, is_withheld

__all__ = [
    "FIELDS",
    "close_matter",
    "default_region",
    "link",
    "match",
    "open_matter",
    "save",
    "set_code",
    "taken",
    "write",
]

FIELDS = ("name", "company", "e164", "tags", "note")
_MAX_OPEN_MATTERS = 50
_MATTER = 200
_log = logging.getLogger("contactcenter.contacts")


def match(caller: str) -> Contact | None:
    """The contact with this E.164 number; None for strangers, words, browsers and SIP addresses."""
    number = "" if is_withheld(caller) else e164(caller)
    return Contact.objects.filter(e164=number).first() if number else None


def save(
    *,
    contact_id: int | None,
    call_id: int | None,
    fields: Mapping[str, object],
    by: User | None,
    now: datetime,
) -> Contact:
    """Make a contact (`contact_id` None) or change one; only the fields given change. Raises Refused.

    `call_id` is the call on which it was written: that call gets the contact, and so does every other call
    of the contact's number that has none. A number without country code is read as in the country called.
    """
    try:
        with change(at=now) as told:
            call = _call(call_id)
            contact = _contact(contact_id) if contact_id is not None else Contact()
            _put(contact, fields, region=_region(call), now=now)
            write(told, contact=contact, by=by)
            _give(told, contact, call)
            return contact
    except Refused as refusal:
        _log.info("contact.refused", extra={"field": refusal.code, "contact": contact_id, "call": call_id})
        raise


def write(told: Change, *, contact: Contact, by: User | None) -> None:
    """Keep a contact whose fields are tidy, give it the calls of its number, tell of it. Raises Refused."""
    kind = "contact.created" if contact.pk is None else "contact.changed"
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError:
        raise taken(contact.e164, by=by) from None
    told.emit(kind=kind, noun="contact", key=contact.pk, by=by.pk if by else None)
    if contact.e164:
        link(told, {contact.e164: contact.pk})


def taken(number: str, *, by: User | None) -> Refused:
    """Why a number that is another's cannot be given: with that one's name for who may see contacts."""
    owner = Contact.objects.filter(e164=number).first()
    if owner and by and access.may(by, "calls.view_contact"):
        return Refused("e164", gettext("This number belongs to %(name)s.") % {"name": owner.name})
    return Refused("e164", gettext("This number belongs to another contact."))


def link(told: Change, contacts: Mapping[str, int]) -> int:
    """Give calls without a contact theirs, by E.164 number → contact; how many. Live ones are told of."""
    theirs = Call.objects.filter(contact__isnull=True, caller__in=[*contacts])
    calls = list(theirs.values_list("pk", "caller", "state"))
    for number in {caller for _, caller, _ in calls}:
        Call.objects.filter(contact__isnull=True, caller=number).update(contact=contacts[number])
    for pk in (pk for pk, _, state in calls if state != CallState.ENDED):
        told.emit(kind="call.changed", noun="call", key=pk, call=pk)
    return len(calls)


def default_region() -> str:
    """How numbers without a country code are read: as in the country of most of our numbers, if any."""
    regions = [region_of(number) for number in PhoneNumber.objects.values_list("e164", flat=True)[:200]]
    known = sorted(
        {region for region in regions if region}, key=lambda region: (-regions.count(region), region)
    )
    return known[0] if known else ""


def set_code(*, contact: Contact, code: str, now: datetime) -> None:
    """Keep the contact's verification code (4 to 12 digits), hashed like a password; "" forgets it.

    Raises Refused. The hash takes about half a second, before the transaction begins.
    """
    try:
        digits = cards.code_of(code)
    except ValueError as wrong:
        raise Refused("code", str(wrong)) from None
    hashed = make_password(digits) if digits else ""
    with change(at=now) as told:
        Contact.objects.filter(pk=contact.pk).update(code=hashed)
        told.emit(kind="contact.changed", noun="contact", key=contact.pk)
    contact.code = hashed


def open_matter(
    *, contact_id: int, text: str, call_id: int | None = None, by: User | None, now: datetime
) -> Matter:
    """Note that something is open with a contact, in at most 200 characters. Raises Refused.

    What is open already in the same words, noted on the same call, is not noted twice.
    """
    line = clean(text, _MATTER + 1)
    if not line or len(line) > _MATTER:
        raise Refused("text", gettext("Say what is open, in at most %(n)s characters.") % {"n": _MATTER})
    with change(at=now) as told:
        contact = _contact(contact_id)
        open_ = contact.matters.filter(closed_at__isnull=True)
        there = open_.filter(text=line, call=call_id).first()
        if there is not None:
            return there
        if open_.count() >= _MAX_OPEN_MATTERS:
            raise Refused(
                "text",
                gettext("%(n)s matters are open with this contact. Close some first.")
                % {"n": _MAX_OPEN_MATTERS},
            )
        matter = Matter.objects.create(
            contact=contact, text=line, call=_call(call_id), opened_by=by, opened_at=now
        )
        told.emit(kind="matter.opened", noun="contact", key=contact.pk, by=by.pk if by else None)
    return matter


def close_matter(*, matter_id: int, by: User | None, now: datetime) -> bool:
    """Note that a matter is settled; False if it was already, or is not there."""
    with change(at=now) as told:
        found = Matter.objects.filter(pk=matter_id, closed_at__isnull=True)
        contact_id = found.values_list("contact", flat=True).first()
        if not found.update(closed_at=now, closed_by=by):
            return False
        told.emit(kind="matter.closed", noun="contact", key=contact_id, by=by.pk if by else None)
    return True


def _contact(pk: int) -> Contact:
    contact = Contact.objects.select_for_update().filter(pk=pk).first()
    if contact is None:
        raise Refused("contact", gettext("This contact has been deleted. Save it as a new one."))
    return contact


def _call(pk: int | None) -> Call | None:
    if pk is None:
        return None
    call = Call.objects.select_related("number").filter(pk=pk).first()
    if call is None:
        raise Refused("call", gettext("This call is not there any more. Save the contact without it."))
    return call


def _region(call: Call | None) -> str:
    called = region_of(call.number.e164) if call and call.number else ""
    return called or default_region()


def _put(contact: Contact, fields: Mapping[str, object], *, region: str, now: datetime) -> None:
    """The given fields, tidy, on the row; a new contact has to have a name."""
    given: dict[str, Any] = {field: fields[field] for field in FIELDS if field in fields}
    if contact.pk is None:
        given.setdefault("name", "")
    kept, faults = cards.tidy(given, region=region, today=now.date())
    if faults:
        raise Refused(faults[0].field, faults[0].text)
    for field, value in kept.items():
        setattr(contact, field, value)


def _give(told: Change, contact: Contact, call: Call | None) -> None:
    """The call on which a contact was written down is theirs, whatever its number."""
    if call and Call.objects.filter(pk=call.pk).exclude(contact=contact).update(contact=contact):
        told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)
