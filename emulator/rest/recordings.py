"""Recordings of the account, of a call, of a conference: started, paused, stopped, listed, heard, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import takes
from emulator.rest.orders import ORDER_FIELDS, order
from emulator.rest.pages import Span, page, spans
from emulator.rest.shown import parts, uri
from emulator.rooms.recording import Recording
from emulator.world import API_VERSION, rfc2822

CURRENT = "Twilio.CURRENT"
STATUSES = frozenset({"paused", "in-progress", "stopped"})
BEHAVIORS = frozenset({"skip", "silence"})
NOT_ELIGIBLE, SEVERAL, RUNS = 21220, 16108, 20009
PARTS = ("transcriptions", "add_on_results")
CREATED = spans("DateCreated")
KEPT_DELETED = "IncludeSoftDeleted"


def routes() -> list[web.RouteDef]:
    """The addresses of the resource, in its three places, and of its sound."""
    call, conference = f"{BASE}/Calls/{{call}}/Recordings", f"{BASE}/Conferences/{{conference}}/Recordings"
    one = f"{BASE}/Recordings/{{recording}}"
    return [
        web.post(f"{call}.json", create),
        web.get(f"{call}.json", list_of_call),
        web.get(f"{call}/{{recording}}.json", fetch),
        web.post(f"{call}/{{recording}}.json", update),
        web.delete(f"{call}/{{recording}}.json", delete),
        web.get(f"{conference}.json", list_of_conference),
        web.get(f"{conference}/{{recording}}.json", fetch),
        web.post(f"{conference}/{{recording}}.json", update),
        web.delete(f"{conference}/{{recording}}.json", delete),
        web.get(f"{BASE}/Recordings.json", list_all),
        web.get(f"{one}.json", fetch),
        web.delete(f"{one}.json", delete),
        web.get(f"{one}.wav", sound),
        web.get(f"{one}.mp3", no_sound),
        web.get(f"{one}/Transcriptions.json", list_transcriptions),
        web.get(f"{one}/Transcriptions/{{transcription}}.json", no_transcription),
        web.delete(f"{one}/Transcriptions/{{transcription}}.json", no_transcription),
        web.get(one, sound),
    ]


@takes(*ORDER_FIELDS)
async def create(request: web.Request) -> web.Response:
    """Record a call that is in progress, from now on."""
    exchange, given = exchange_of(request), form_of(request)
    leg = exchange.leg(request.match_info["call"], region_of(request))
    if leg is None:
        raise not_found(request)
    asked = order(given, "StartCallRecordingAPI")
    if leg.call.status != "in-progress":
        raise bad("Requested resource is not eligible for recording", NOT_ELIGIBLE)
    return web.json_response(show(exchange.recordings.of_leg(leg, asked), "Calls"), status=201)


@takes(*CREATED)
async def list_of_call(request: web.Request) -> web.Response:
    """A call's recordings, newest first."""
    sid = request.match_info["call"]
    if exchange_of(request).leg(sid, region_of(request)) is None:
        raise not_found(request)
    return _page(request, (r for r in _kept(request) if r.call_sid == sid), "Calls")


@takes(*CREATED)
async def list_of_conference(request: web.Request) -> web.Response:
    """A conference's recordings, newest first."""
    sid = request.match_info["conference"]
    conference = exchange_of(request).conferences.by_sid.get(sid)
    if conference is None or conference.region != region_of(request):
        raise not_found(request)
    return _page(request, (r for r in _kept(request) if r.conference_sid == sid), "Conferences")


@takes(*CREATED, "CallSid", "ConferenceSid", KEPT_DELETED)
async def list_all(request: web.Request) -> web.Response:
    """The region's recordings, newest first."""
    given = form_of(request)
    call, conference = given.get("CallSid"), given.get("ConferenceSid")
    rows = (
        recording
        for recording in _kept(request)
        if call in {None, "", recording.call_sid} and conference in {None, "", recording.conference_sid}
    )
    return _page(request, rows, "")


@takes(KEPT_DELETED)
async def fetch(request: web.Request) -> web.Response:
    """One recording."""
    return web.json_response(show(_recording(request), _place(request)))


@takes("Status", "PauseBehavior")
async def update(request: web.Request) -> web.Response:
    """Pause, resume or stop."""
    given = form_of(request)
    given.needed("Status")
    status = given.choice("Status", STATUSES)
    behavior = given.choice("PauseBehavior", BEHAVIORS) or "silence"
    recording = _recording(request)
    if not recording.live:
        raise bad("Recording is not in-progress", NOT_ELIGIBLE)
    if status == "paused":
        recording.pause(behavior)
    elif status == "in-progress":
        recording.resume()
    else:
        recording.stop()
        # What becomes of it is known a moment later.
        return web.json_response(show(recording, _place(request)) | {"status": "stopped"})
    return web.json_response(show(recording, _place(request)))


async def delete(request: web.Request) -> web.Response:
    """Forget the sound; that there was a recording is remembered for a while."""
    recording = _recording(request)
    if recording.live:
        raise bad("Cannot delete this resource before it is complete", RUNS)
    exchange_of(request).recordings.delete(recording)
    return web.Response(status=204)


async def sound(request: web.Request) -> web.Response:
    """The sound as WAV: 16-bit PCM at 8 kHz."""
    recording = _recording(request)
    if recording.live or not recording.kept or not recording.taken:
        raise not_found(request)
    return web.Response(body=recording.wav(), content_type="audio/x-wav")


async def no_sound(request: web.Request) -> web.Response:
    """Refuse MP3 clearly: an encoder would be another package."""
    _recording(request)
    raise bad("The emulator gives recordings as .wav alone")


async def list_transcriptions(request: web.Request) -> web.Response:
    """The emulator writes no recording down: there is none."""
    _recording(request)
    return page(request, form_of(request), "transcriptions", [], dict, str)


async def no_transcription(request: web.Request) -> web.Response:
    """There is none to fetch or delete."""
    raise not_found(request)


def _place(request: web.Request) -> str:
    """In which of the three places it is asked for."""
    return next((n.capitalize() + "s" for n in ("call", "conference") if n in request.match_info), "")


def _kept(request: web.Request) -> list[Recording]:
    """The region's recordings that may be seen."""
    deleted = form_of(request).flag(KEPT_DELETED)
    rows = exchange_of(request).recordings.in_region(region_of(request))
    return [recording for recording in rows if deleted or recording.status != "deleted"]


def _recording(request: web.Request) -> Recording:
    """The one that the path names. Raises RestError 20404, 16108."""
    owner = request.match_info.get("call") or request.match_info.get("conference")
    rows = [r for r in _kept(request) if owner in {None, r.call_sid, r.conference_sid}]
    wanted = request.match_info["recording"]
    current = wanted == CURRENT and owner is not None
    found = [r for r in rows if (r.live if current else r.sid == wanted)]
    if len(found) > 1:
        raise bad("Request failed due to concurrent recordings", SEVERAL)
    if not found:
        raise not_found(request)
    return found[0]


def _page(request: web.Request, rows: Iterable[Recording], place: str) -> web.Response:
    given = form_of(request)
    created = Span(given, "DateCreated")
    listed = [recording for recording in rows if created.holds(recording.created)]
    return page(request, given, "recordings", listed[::-1], lambda r: show(r, place), lambda r: r.sid)


def show(recording: Recording, place: str) -> dict[str, Any]:
    """A recording as Twilio shows it in one of its three places."""
    account = recording.exchange.world.account.sid
    owner = {"Calls": recording.call_sid, "Conferences": recording.conference_sid}.get(place, "")
    here = uri(
        account, f"{place}/{owner}/Recordings/{recording.sid}" if place else f"Recordings/{recording.sid}"
    )
    shown: dict[str, Any] = {
        "sid": recording.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "call_sid": recording.call_sid or None,
        "conference_sid": recording.conference_sid or None,
        "date_created": rfc2822(recording.created),
        "date_updated": rfc2822(recording.updated),
        "start_time": rfc2822(recording.created),
        "duration": None if recording.live else str(recording.seconds()),
        "status": recording.status,
        "channels": recording.order.channels,
        "source": recording.order.source,
        "error_code": None,
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "uri": f"{here}.json",
    }
    if place == "Calls":
        shown["track"] = recording.order.track
    if not place:
        shown |= {"media_url": recording.url(), "subresource_uris": parts(here, PARTS)}
    return shown
