"""The buttons on a number: check and fix it at Twilio, test it, ingest addresses."""

from typing import Any

from django.utils import timezone

from calls.admin.actions import ActionRefused, ObjectAction, Table
from calls.gateway.client import GatewayError
from calls.models import PhoneNumber, User
from calls.services import numbers, proof, tickets
from calls.services.numbers import Difference, NotOurs

__all__ = ["ACTIONS", "rows"]

_HEADINGS = ("", "ours", "Twilio's")
_STATES = {"right": "right", "note": "note", "wrong": "WRONG"}
_SLOW = "Twilio takes up to five minutes to move it; until then its calls come as before."


def rows(differences: list[Difference]) -> list[tuple[str, ...]]:
    """Field, ours, Twilio's: for people."""
    return [(numbers.WORDS[one.field], one.wanted or "–", one.found or "–") for one in differences]


def _check(number: PhoneNumber, person: User, data: dict[str, Any]) -> str | Table:
    try:
        differences = numbers.compare(number=number, now=timezone.now())
    except (NotOurs, GatewayError) as error:
        raise _refused(error) from None
    if not differences:
        return f"Right: its calls are processed in {number.region} and sent here."
    return Table("It differs at Twilio. Fix sets it right.", _HEADINGS, rows(differences))


def _before(number: PhoneNumber) -> Table:
    """What Fix would change; only read."""
    try:
        _, differences = numbers.look(e164=number.e164, region=number.region)
    except (NotOurs, GatewayError) as error:
        raise _refused(error) from None
    if not differences:
        return Table("Nothing differs: it is right at Twilio already.")
    return Table("At Twilio this would be set:", _HEADINGS, rows(differences))


def _fix(number: PhoneNumber, person: User, data: dict[str, Any]) -> str:
    try:
        differences = numbers.connect(number=number, now=timezone.now())
    except (NotOurs, GatewayError) as error:
        raise _refused(error) from None
    if not differences:
        return "Nothing was to be set: it is right at Twilio already."
    words = ", ".join(dict.fromkeys(numbers.WORDS[one.field] for one in differences))
    moved = any(one.field == numbers.INBOUND_REGION for one in differences)
    return f"Set at Twilio: {words}." + (f" {_SLOW}" if moved else "")


def _test(number: PhoneNumber, person: User, data: dict[str, Any]) -> Table:
    findings = proof.prove(number=number, now=timezone.now())
    wrong = sum(one.state == "wrong" for one in findings)
    text = (
        f"{wrong} of {len(findings)} wrong." if wrong else "All that can be proved without a call is right."
    )
    return Table(
        f"{text} The rest a call shows: {number.e164}.",
        ("", "", ""),
        [(_STATES[one.state], one.what, one.text) for one in findings],
    )


def _refused(error: NotOurs | GatewayError) -> ActionRefused:
    code = f" ({error.code})" if isinstance(error, GatewayError) and error.code.isdigit() else ""
    return ActionRefused(f"{error}{code}")


def _issue(number: PhoneNumber, person: User, data: dict[str, Any]) -> str:
    key = tickets.issue_key(number=number, by=person, now=timezone.now())
    return f"The address is {tickets.key_url(key)} — put it into the TwiML as the Stream url."


def _revoke(number: PhoneNumber, person: User, data: dict[str, Any]) -> str:
    keys = number.ingest_keys.filter(revoked_at__isnull=True)
    if not keys:
        raise ActionRefused("This number has no ingest address in use.")
    count = sum(1 for key in keys if tickets.revoke_key(key=key, now=timezone.now()) or True)
    return f"{count} ingest address{'es' if count > 1 else ''} revoked. Streams that are open go on."


def _has_key(number: PhoneNumber) -> bool:
    return number.ingest_keys.filter(revoked_at__isnull=True).exists()


ACTIONS = (
    ObjectAction(
        name="check",
        label="Check",
        question="Compares the number with Twilio; nothing is changed there.",
        permission="calls.change_phonenumber",
        run=_check,
    ),
    ObjectAction(
        name="fix",
        label="Fix",
        question="Sets the number at Twilio as shown. Calls that are going on are not touched.",
        permission="calls.change_phonenumber",
        run=_fix,
        details=_before,
    ),
    ObjectAction(
        name="test",
        label="Test this number",
        question="Looks at everything that can be proved without a call: the number at Twilio, our public "
        "address with a signed request, hours, and who would answer. Nobody is called.",
        permission="calls.change_phonenumber",
        run=_test,
    ),
    ObjectAction(
        name="issue-ingest",
        label="Issue ingest address",
        question="Whoever holds this address and signs with the account's token may open a stream for "
        "this number. It can be revoked at any time.",
        permission="calls.add_ingestkey",
        run=_issue,
    ),
    ObjectAction(
        name="revoke-ingest",
        label="Revoke ingest addresses",
        question="New streams to these addresses will be refused. Streams that are open go on.",
        permission="calls.change_ingestkey",
        run=_revoke,
        offered=_has_key,
        danger=True,
    ),
)
