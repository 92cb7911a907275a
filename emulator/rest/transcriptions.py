"""Real-time transcriptions of a call: create, and stop by id or name."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.rest.calls import live_leg
from emulator.rest.envelope import BASE, form_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import Form, takes
from emulator.rest.shown import uri
from emulator.rooms.transcription import Asked, Transcription
from emulator.twiml import TRACKS
from emulator.world import rfc2822

ENGINES = frozenset({"google", "deepgram"})
BAD_CALLBACK, NOT_IN_PROGRESS = 21502, 21220
MAX_NAME, MAX_PER_CALL = 256, 100


def routes() -> list[web.RouteDef]:
    """The addresses of this resource; as at Twilio there is no list and no fetch."""
    return [
        web.post(f"{BASE}/Calls/{{call}}/Transcriptions.json", create),
        web.post(f"{BASE}/Calls/{{call}}/Transcriptions/{{transcription}}.json", update),
    ]


@takes(
    "Name",
    "Track",
    "StatusCallbackUrl",
    "StatusCallbackMethod",
    "InboundTrackLabel",
    "OutboundTrackLabel",
    "PartialResults",
    "LanguageCode",
    "TranscriptionEngine",
    "ProfanityFilter",
    "SpeechModel",
    "Hints",
    "EnableAutomaticPunctuation",
    "IntelligenceService",
    "ConversationConfiguration",
    "ConversationId",
    "ConfigurationId",
    "TranscriptionConfigurationId",
    "EnableProviderData",
)
async def create(request: web.Request) -> web.Response:
    """Begin to write down what is said on a call in progress."""
    leg, asked = live_leg(request), _asked(form_of(request))
    if leg.call.status != "in-progress":
        raise bad("Call is not in-progress. Cannot start a transcription.", NOT_IN_PROGRESS)
    if asked.name and any(one.live and one.asked.name == asked.name for one in leg.transcriptions):
        raise bad(f"Transcription name {asked.name!r} is in use on this call")
    if len(leg.transcriptions) >= MAX_PER_CALL:
        raise bad("The emulator keeps no more transcriptions of one call")
    made = Transcription(leg, asked)
    made.start()
    return web.json_response(_show(request, made), status=201)


@takes("Status")
async def update(request: web.Request) -> web.Response:
    """Stop one, by id or name."""
    leg, given = live_leg(request), form_of(request)
    wanted = request.match_info["transcription"]
    found = next((t for t in leg.transcriptions if t.live and wanted in {t.sid, t.asked.name}), None)
    if found is None:
        raise not_found(request)
    given.needed("Status")
    given.choice("Status", {"stopped"})
    found.stop()
    return web.json_response(_show(request, found))


def _asked(given: Form) -> Asked:
    return Asked(
        name=given.text("Name", MAX_NAME) or "",
        track=given.choice("Track", TRACKS) or "both_tracks",
        callback=given.callback("StatusCallbackUrl", BAD_CALLBACK),
        method=given.method("StatusCallbackMethod"),
        language=given.get("LanguageCode") or "en-US",
        engine=given.choice("TranscriptionEngine", ENGINES) or "google",
        partial=given.flag("PartialResults") or False,
        inbound_label=given.get("InboundTrackLabel") or "",
        outbound_label=given.get("OutboundTrackLabel") or "",
    )


def _show(request: web.Request, of: Transcription) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    account, call = request.match_info["account"], request.match_info["call"]
    return {
        "sid": of.sid,
        "account_sid": account,
        "call_sid": call,
        "name": of.asked.name or None,
        "status": "in-progress" if of.live else "stopped",
        "date_updated": rfc2822(of.updated),
        "uri": f"{uri(account, f'Calls/{call}/Transcriptions/{of.sid}')}.json",
    }
