"""Plans as documents: what a call's plan says, as TwiML with addresses that know what they were given for."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.templatetags.static import static

from calls import path, steps, turns, twiml
from calls.models import Call, Conference, Offer, Ticket
from calls.selectors import path as selector
from calls.services import tickets
from calls.waiting import Round

__all__ = [
    "addresses",
    "document",
    "failed_at",
    "follows",
    "music",
    "number_of",
    "seal",
    "sealed_as",
    "tap",
    "write_out",
]

OF_CODE = "code"  # what a <Gather> was given for
OF_CHOICE = "choice"
_TURN = re.compile(r"/twilio/(next|gather|queue)/([0-9a-f]{32})/")
_OURS = "sounds/hold.wav"
_NO_NUMBER = path.NumberSettings(e164="", destination="")


def document(call: Call, *before: steps.Step | twiml.Tap) -> str:
    """What comes before, then what the call's plan says. Whose agent's page was lost at this very moment asks
    again: the tick is about to say where they go.
    """
    if _is_over(call.plan):
        lost = Offer.objects.filter(call=call, state=Offer.State.ACCEPTED, hung_up=False).exists()
        return write_out(call, *before, steps.Go(after=1) if lost else steps.End(path.GOODBYE))
    return write_out(call, *before, *path.meaning(call.plan, number_of(call), call.caller))


def write_out(call: Call, *pieces: steps.Step | twiml.Tap | Round, chapter: str = "") -> str:
    """These pieces, with addresses for this call and its plan; `chapter` is what a round is about."""
    there = addresses(next_of=seal(call), queue_of=chapter, gather_of=_asked(call), music_of=music(call))
    return twiml.render(*pieces, addresses=there, language=number_of(call).language)


def addresses(
    *, next_of: str = "", queue_of: str = "", gather_of: str = "", music_of: str = ""
) -> twiml.Addresses:
    """Each answer names turns of its own, so that a legal repeat differs from a replay."""
    site = f"{settings.PUBLIC_URL}/twilio"
    return twiml.Addresses(
        next_turn=f"{site}/next/{_turn(next_of)}/",
        queue=f"{site}/queue/{_turn(queue_of)}/",
        gather=f"{site}/gather/{_turn(gather_of)}/",
        call_status=f"{site}/call-status/",
        recording=f"{site}/recording/",
        conference=f"{site}/conference/",
        music=music_of or music(None),
    )


def seal(call: Call) -> str:
    """The call's plan in one line: a turn sealed with it tells later whether the plan has moved on."""
    return f"{call.pk} {json.dumps(_lasting(call.plan), sort_keys=True)}"


def follows(turn: str, call: Call) -> bool:
    """Whether the turn was given with the plan as it is now: what it said has come to its end."""
    return sealed_as(turn, seal(call))


def sealed_as(turn: str, of: str) -> bool:
    """Whether we gave this turn for `of`."""
    return turns.given_for(turn, of=of, key=settings.SECRET_KEY)


def tap(ticket: Ticket) -> twiml.Tap:
    """The stream that a ticket permits."""
    return twiml.Tap(
        url=tickets.media_url(ticket),
        name=ticket.name,
        track=ticket.track,
        status_callback=f"{settings.PUBLIC_URL}/twilio/stream-status/",
        parameters=ticket.parameters,
    )


def failed_at(error_url: str) -> tuple[str, str]:
    """Which of our addresses Twilio could not use, by its kind and turn; nothing for the first one."""
    failed = _TURN.search(error_url)
    return (failed[1], failed[2]) if failed else ("", "")


def music(call: Call | None) -> str:
    """The address of the call's music: its queue's, else ours."""
    own = call.queue.music if call is not None and call.queue else ""
    return own or f"{settings.PUBLIC_URL}{static(_OURS)}"


def number_of(call: Call) -> path.NumberSettings:
    """What the owner of the dialled number chose; nothing special if the number is gone."""
    return selector.settings_of(call.number) if call.number else _NO_NUMBER


def _turn(of: str) -> str:
    return turns.make(of=of, key=settings.SECRET_KEY, chance=secrets.token_bytes(turns.CHANCE_BYTES))


def _asked(call: Call) -> str:
    return OF_CODE if path.asks_secret(call.plan) else OF_CHOICE


def _lasting(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan without what counts within one step."""
    return {key: value for key, value in plan.items() if key not in ("tries", "heard", "stopped")}


def _is_over(plan: Mapping[str, Any]) -> bool:
    """Whether the plan is a conference that has ended: nobody is sent back into an empty room."""
    name = plan.get("name") if plan.get("step") == "conference" else None
    return bool(name) and Conference.objects.filter(name=name, ended_at__isnull=False).exists()
