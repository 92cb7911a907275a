"""The people of a replay: they keep quiet, answer as those of the capture did, hang up only when told to."""

from __future__ import annotations

from typing import Literal

from emulator.capture.reel import Asked, Reel
from emulator.capture.schedule import begin
from emulator.people.scripts import Part, Script

LONGEST_S = 4 * 3600.0
RINGS_FIRST_S = 0.2
USUAL_S = 1.5

Reply = Literal["answers", "busy", "no-answer", "failed"]

REPLIES: dict[str, Reply] = {"busy": "busy", "no-answer": "no-answer", "failed": "failed"}


def script(reel: Reel) -> Script:
    """Their script."""
    return Script(
        name="replay",
        caller=Part(reply=_reply(reel, dialled=False), answer_after=_answer_after(reel, dialled=False)),
        callee=Part(reply=_reply(reel, dialled=True), answer_after=_answer_after(reel, dialled=True)),
        hangup_after=LONGEST_S,
        patience=LONGEST_S,
    )


def _reply(reel: Reel, *, dialled: bool) -> Reply:
    """How the called person took the call; a caller of ours always answers."""
    for asked in reel.webhooks:
        form = asked.form
        status = form.get("DialCallStatus", "") if dialled else ""
        if not status and _of_leg(asked, dialled):
            status = form.get("CallStatus", "")
        reply = REPLIES.get(status)
        if reply is not None and (dialled or form.get("Direction") != "inbound"):
            return reply
    return "answers"


def _answer_after(reel: Reel, *, dialled: bool) -> float:
    """How long the called person let it ring, in seconds."""
    legs = [asked for asked in reel.webhooks if _of_leg(asked, dialled)]
    answered = next((a.request.at for a in legs if a.form.get("CallStatus") == "in-progress"), None)
    if answered is None:
        return USUAL_S
    began = legs[0].request.at if dialled else begin(reel)
    return max(0.0, (answered - began) / 1000 - RINGS_FIRST_S)


def _of_leg(asked: Asked, dialled: bool) -> bool:
    return bool(asked.form.get("ParentCallSid")) == dialled and "CallStatus" in asked.form
