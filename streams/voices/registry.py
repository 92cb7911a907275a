"""Which voices there are: ours by their kind, and those that a site names in VOICES."""

from collections.abc import Mapping
from importlib import import_module

from streams.voices.base import Voice

__all__ = ["BUILT_IN", "UnknownVoice", "make"]

BUILT_IN = {
    "flow": "streams.voices.flow:FlowVoice",
    "realtime": "streams.voices.realtime:RealtimeVoice",
    "echo": "streams.voices.echo:EchoVoice",
}


class UnknownVoice(Exception):
    """No such voice, or its module cannot be imported; the text says which and why."""


def make(kind: str, own: Mapping[str, str]) -> Voice:
    """A new voice of this kind; `own` maps the site's kinds to `module:Class`. Raises UnknownVoice."""
    place = own.get(kind) or BUILT_IN.get(kind)
    if place is None:
        raise UnknownVoice(f"there is no voice {kind}; known: {', '.join([*BUILT_IN, *own])}")
    module, _, name = place.partition(":")
    try:
        made: Voice = getattr(import_module(module), name)()
        _ = made.wants_frames, made.wants_words, made.talk
    except Exception as error:  # whatever a site's own module does wrong
        raise UnknownVoice(f"{place} cannot be used: {type(error).__name__}: {error}") from error
    return made
