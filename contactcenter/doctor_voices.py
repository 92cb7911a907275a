"""What the doctor looks at for voices that answer: can they speak, do they hear, in their languages."""

from collections.abc import Iterator

from django.conf import settings

from calls import realtime_options
from calls.models import Voice
from contactcenter.reach import Careful, Several, Wrong
from streams.engines import install
from streams.engines import registry as engines
from streams.speech import registry as speakers
from streams.voices.openai import line as openai_line

__all__ = ["voices"]

DEAF = "callers interrupt voices by keys only, and are not understood"


def voices() -> str:
    """Each voice can speak and hear. Raises Wrong, Careful or Several."""
    rows = list(Voice.objects.exclude(kind=Voice.ECHO))
    if not rows:
        return "none answers a number"
    faults = [*_hearing(), *_speaking(rows), *_agents(rows)]
    if faults:
        raise Several(faults)
    return f"{len(rows)}; they speak by {settings.SPEAKER}"


def _hearing() -> list[Wrong]:
    if install.installed(settings.SPEECH_MODEL_DIR):
        return []
    return [Careful(f"no models in {settings.SPEECH_MODEL_DIR}: {DEAF}", "Run: make setup")]


def _speaking(rows: list[Voice]) -> list[Wrong]:
    """Of the voices that need a speaker: an AI agent brings its own."""
    spoken = [row for row in rows if row.kind == Voice.FLOW]
    if not spoken:
        return []
    if (found := speakers.trouble(settings.SPEAKER)) is not None:
        return [Wrong(*found)]
    faults: list[Wrong] = []
    for row in spoken:
        if not speakers.speaks(settings.SPEAKER, row.language):
            what = f"{row.name} is to speak {row.language}, which SPEAKER={settings.SPEAKER} does not"
            faults.append(Wrong(what, "Set its language in admin to one that is spoken, such as en-GB."))
        elif not _understood(row.language):
            what = f"{row.name}: TRANSCRIBER={settings.TRANSCRIBER} does not understand {row.language}"
            faults.append(Careful(what, "Callers answer it by keys, or set another TRANSCRIBER."))
    return faults


def _agents(rows: list[Voice]) -> Iterator[Wrong]:
    """Of AI agents: the optional client, a key, settings that can be."""
    agents = [row for row in rows if row.kind == Voice.REALTIME]
    if agents and not openai_line.installed():
        yield Wrong(f"{agents[0].name}: OpenAI's client is not installed", f"Run: {openai_line.REMEDY}")
    if agents and not settings.OPENAI_API_KEY:
        yield Wrong(f"{agents[0].name}: there is no key", "Set OPENAI_API_KEY (docs/realtime.md).")
    for row in agents:
        try:
            realtime_options.read(row.settings)
        except ValueError as error:
            yield Wrong(f"{row.name}: {str(error).rstrip('.')}", "Correct its settings in admin.")


def _understood(language: str) -> bool:
    return settings.TRANSCRIBER != "none" and engines.hears(settings.TRANSCRIBER, language)
