"""Say, Play and Pause: what the party is told."""

from __future__ import annotations

from emulator.audio.ear import Prompt
from emulator.audio.sound import Sound, SoundError, Word, cut, read_wav
from emulator.audio.speech import words_of
from emulator.leg import Leg
from emulator.pacing import TICK_S
from emulator.people.loopback import send_keys
from emulator.twiml import Document, Verb
from emulator.verbs.base import Outcome, absolute

LISTENING_S = 5.0
MAX_LOOPS = 1000
AUDIO = ("audio/", "application/octet-stream")


async def say(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Answer, then speak the text."""
    leg.answer()
    text = spoken_text(verb)
    with leg.exchange.world.clock.hold():
        sound = await leg.exchange.voice.speak(text)
    await _play(leg, sound, text, verb, words_of(text, sound.ms))
    return None


async def play(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Answer, then play a WAV file, or press keys: those are no sound, and only another call hears them."""
    leg.answer()
    if digits := verb.get("digits"):
        await send_keys(leg, digits)
        return None
    sound = await _fetched(leg, absolute(verb.text, document)) if verb.text else None
    if sound is not None:
        await _play(leg, sound, f"<Play> {verb.text}", verb)
    return None


async def pause(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Wait. A pause does not answer a call; in a long one the caller begins to speak."""
    length = verb.seconds("length", 1)
    if length >= LISTENING_S and leg.answered.is_set() and leg.party.conversation is not None:
        leg.party.conversation.begin()
    await leg.exchange.world.clock.sleep(length)
    return None


def spoken_text(verb: Verb) -> str:
    """The words of a <Say>, without the markup of speech in it."""
    return " ".join(part for part in (verb.text, *(spoken_text(c) for c in verb.children), verb.tail) if part)


async def _play(leg: Leg, sound: Sound, text: str, verb: Verb, words: list[Word] | None = None) -> None:
    clock, pacer = leg.exchange.world.clock, leg.exchange.pacer
    leg.party.notice("prompt")
    # 0 is for ever.
    loops = MAX_LOOPS if verb.get("loop").strip() == "0" else max(1, int(verb.seconds("loop", 1)))
    for _ in range(min(loops, MAX_LOOPS)):
        with leg.ear.hearing(Prompt(sound, pacer.number + 1, text, words=words or ())):
            # Half a tick more, so that the last frame is heard whichever wakes first, this or the pacer.
            await clock.sleep(sound.ms / 1000 + TICK_S / 2)
    leg.party.notice("quiet")


async def _fetched(leg: Leg, url: str) -> Sound | None:
    """The file at `url`; None, which is noted or was when it was asked for, if it cannot be played."""
    status, kind, raw = await leg.exchange.courier.fetch_media(leg.call, url)
    if not 200 <= status < 300:
        return None
    if not kind.startswith(AUDIO):
        leg.note(12300, f"<Play>: Invalid Content-Type {kind!r} from {url}")
        return None
    try:
        return Sound("", "", cut(read_wav(raw, url)[0]))
    except (SoundError, IndexError) as error:
        leg.note(12400, f"<Play>: {error}")
        return None
