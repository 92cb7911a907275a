"""What is wrong with a voice before a caller meets it, and which kinds of voices there are."""

from collections.abc import Mapping

from django.conf import settings

from calls import realtime_options, tables
from calls.flows.file import FlowError, parse
from calls.models import Action, Voice, VoiceTable

__all__ = ["fault", "kinds"]


def kinds() -> Mapping[str, str]:
    """The kinds of voices, ours and those that the site names in VOICES, with what people call them."""
    own = getattr(settings, "VOICES", {})
    return {**Voice.KINDS, **{name: f"{name} (own)" for name in own if name not in Voice.KINDS}}


def fault(voice: Voice) -> str:
    """The first thing for which the voice could not lead a call; "" if there is none. At most two queries."""
    if voice.kind not in kinds():
        return f"there is no voice of the kind {voice.kind}; is it missing in VOICES?"
    if voice.kind == Voice.REALTIME:
        return _of_settings(voice)
    if voice.kind != Voice.FLOW:
        return ""
    actions = dict(Action.objects.filter(voice=voice).values_list("name", "kind"))
    rows = VoiceTable.objects.filter(voice=voice)
    try:
        parse(voice.text, actions=actions, tables={row.name: tables.columns(row.text) for row in rows})
    except FlowError as refused:
        return f"its flow is refused, line {refused.line}: {refused.reason}"
    return ""


def _of_settings(voice: Voice) -> str:
    try:
        realtime_options.read(voice.settings or {})
    except ValueError as refused:
        return f"its settings are refused: {refused}"
    return ""
