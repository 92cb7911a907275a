"""Announcements: TwiML, or a sound, played once to one member of a conference or to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from emulator import run, twiml
from emulator.rooms.conference import Conference
from emulator.rooms.seat import WAIT_VERBS, Seat
from emulator.twiml import Document, Step, TwimlError, Verb
from emulator.waiting import first

MAX_REDIRECTS = 10
VERBS = {name: run.VERBS[name] for name in WAIT_VERBS}


def announce(conference: Conference, seat: Seat | None, step: Step) -> None:
    """Play what `step` gives to this member, or with None to all; the room tells how it went."""
    conference.exchange.courier.spawn(_announce(conference, seat, step))


async def _announce(conference: Conference, seat: Seat | None, step: Step) -> None:
    try:
        following: Step | None = step
        for _ in range(MAX_REDIRECTS):
            if following is None:
                break
            following = await _play(conference, seat, await _ask(conference, seat, following))
    except TwimlError as error:
        conference.note(error.code, error.detail, conference.exchange.world.clock.now())
        _tell(conference, "announcement-fail", seat, {"ReasonAnnouncementFailed": error.detail}, step)
    else:
        _tell(conference, "announcement-end", seat, {}, step)


async def _play(conference: Conference, seat: Seat | None, document: Document) -> Step | None:
    """Perform it for everybody who is addressed; where a <Redirect> leads."""
    seats = [seat] if seat is not None else list(conference.seats.values())
    outcomes = await asyncio.gather(*(_perform(one, document) for one in seats))
    return next((outcome for outcome in outcomes if isinstance(outcome, Step)), None)


async def _perform(seat: Seat, document: Document) -> object:
    """What the verbs lead to; nothing for whoever leaves while they are played."""
    performing = asyncio.ensure_future(run.perform(seat.leg, document, VERBS))
    try:
        await first(asyncio.wait({performing}), seat.over.wait())
        return performing.result() if performing.done() else None
    finally:
        performing.cancel()


async def _ask(conference: Conference, seat: Seat | None, step: Step) -> Document:
    """The document. Raises TwimlError."""
    if not step.url.startswith(("http://", "https://")):
        raise TwimlError(11100, f"Invalid URL format: {step.url[:200]!r}")
    owner = seat.leg.call if seat is not None else conference
    form = {**(seat.leg.call.form() if seat is not None else {}), **_room(conference)}
    answer = await conference.exchange.courier.ask(owner, "announce", step.url, step.method, form)
    if answer.error:
        raise TwimlError(answer.error, answer.detail)
    if answer.content_type.startswith("audio/"):
        return Document((Verb("Play", text=step.url),), step.url, "")
    if answer.content_type not in run.XML_TYPES:
        raise TwimlError(12300, f"Invalid Content-Type {answer.content_type!r} from {answer.url}")
    return twiml.read(answer.body, answer.url)


def _room(conference: Conference) -> dict[str, str]:
    return {
        "AccountSid": conference.exchange.world.account.sid,
        "ConferenceSid": conference.sid,
        "FriendlyName": conference.friendly_name,
    }


def _tell(
    conference: Conference, event: str, seat: Seat | None, facts: Mapping[str, str], step: Step
) -> None:
    """A member is described only while it is still there."""
    here = seat if seat is not None and not seat.over.is_set() else None
    conference.tell(event, here, AnnounceUrl=step.url, **facts)
