"""A thousand random conversations: what Twilio played is what we believe was heard.

The judge is the emulator's playback model, behind a network that takes its time; callers interrupt, marks are
lost, providers are slow, fail or end their sessions. What was played and is not believed is named exactly:
its mark was lost, or it was played after we had sent `clear` and before Twilio, or we, knew of the other.
"""

import asyncio
import random
from itertools import count
from typing import ClassVar

import pytest

from streams.voices.base import Said, Silence, Talk
from tests.streams import virtual
from tests.streams.conversing import Conversation, Speaker, at_once

CONVERSATIONS = 1000
EACH = 100
SECONDS = 15.0


class Chatter:
    """A voice that does what voices do, in random order. No word of it is ever said in two sentences."""

    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._words = count(1)
        self.said: list[Said] = []

    async def talk(self, call: Talk) -> None:
        acts = (self._says, self._insists, self._streams, self._listens, self._rolls_over, self._thinks)
        for _ in range(self._chance.randint(1, 12)):
            await self._chance.choice(acts)(call)
        if self._chance.random() < 0.2:
            raise ConnectionError("the provider is gone")

    def _sentence(self) -> str:
        words = [f"w{next(self._words)}" for _ in range(self._chance.randint(1, 12))]
        return " ".join(words) + "."

    async def _says(self, call: Talk) -> None:
        self.said.append(await call.say(f"{self._sentence()} {self._sentence()}"))

    async def _insists(self, call: Talk) -> None:
        self.said.append(await call.say(self._sentence(), interruptible=False))

    async def _streams(self, call: Talk) -> None:
        """Sound that comes in bits, quicker or slower than it is heard."""
        for _ in range(self._chance.randint(1, 20)):
            word = next(self._words)
            await call.play(b"\x55" * self._chance.randint(1, 6000), f"w{word}")
            await asyncio.sleep(self._chance.choice((0, 0, 0.05, 0.8)))
        if self._chance.random() < 0.3:
            self.said.append(call.clear())
        else:
            self.said.append(await call.heard_out())

    async def _listens(self, call: Talk) -> None:
        while not isinstance(await call.hear(timeout_s=self._chance.choice((0.2, 1.5))), Silence):
            pass

    async def _rolls_over(self, call: Talk) -> None:
        """The provider's session ends: what was queued is played to its end, and nothing again."""
        await call.play(b"\x55" * 8000, f"w{next(self._words)}")
        self.said.append(await call.heard_out())
        await asyncio.sleep(0.3)

    async def _thinks(self, call: Talk) -> None:
        await asyncio.sleep(self._chance.random())


def slow(chance: random.Random) -> float:
    return chance.choice((0.0, 0.01, 0.04, 0.12))


def caller(conversation: Conversation, chance: random.Random) -> None:
    """Speaks, coughs and presses keys when it pleases them; some hang up."""
    loop = asyncio.get_running_loop()
    for _ in range(chance.randint(0, 8)):
        at = chance.random() * SECONDS
        act = chance.random()
        if act < 0.5:
            loop.call_later(at, conversation.speaks, "I have something to say", 0.3 + chance.random())
        elif act < 0.7:
            loop.call_later(at, conversation.speaks, "", chance.choice((0.05, 0.3)))
        elif act < 0.95:
            loop.call_later(at, conversation.presses, chance.choice("0123456789*#"))
        else:
            loop.call_later(at, conversation.hang_up)


def a_conversation(seed: int) -> Conversation:
    chance = random.Random(seed)
    lose = chance.choice((0.0, 0.0, 0.0, 0.1, 0.5))
    delay = chance.choice((slow, at_once))

    async def whole() -> Conversation:
        conversation = Conversation(
            Chatter(seed), seed=seed, delay=delay, lose=lose, speaker=Speaker(lambda: chance.random() / 5)
        )
        caller(conversation, chance)
        return await conversation.last(SECONDS)

    return virtual.run(whole)


def spoken(conversation: Conversation, names: set[str]) -> list[str]:
    """The words of these pieces, in the order in which they were sent."""
    return " ".join(piece.text for name, piece in conversation.sent.items() if name in names).split()


@pytest.mark.parametrize("first", range(0, CONVERSATIONS, EACH))
def test_what_twilio_played_is_what_we_believe_was_heard(first: int) -> None:
    pieces = excused = 0
    for seed in range(first, first + EACH):
        conversation = a_conversation(seed)
        played, believed = conversation.played(), conversation.believed()
        beyond = believed - played
        assert not beyond, f"seed {seed}: believed and never played"
        missing = played - believed
        assert missing <= conversation.lost | conversation.excused, f"seed {seed}: played, not believed"
        lines = " ".join(line.heard_text for line in conversation.lines).split()
        assert sorted(lines) == sorted(spoken(conversation, believed)), f"seed {seed}: the transcript"
        twice = spoken(conversation, played - conversation.lost - conversation.excused)
        assert len(set(twice)) == len(twice), f"seed {seed}: said twice"
        assert conversation.warned == [], f"seed {seed}: Twilio warned"
        pieces += len(played)
        excused += len(missing)
    assert pieces > EACH  # they do speak
    assert excused < pieces / 5


def test_without_network_and_interruption_the_two_agree_in_every_piece() -> None:
    for seed in range(100):

        async def whole(seed: int = seed) -> Conversation:
            return await Conversation(Chatter(seed), seed=seed).last(SECONDS * 4)

        conversation = virtual.run(whole)
        missing = conversation.played() - conversation.believed()
        assert conversation.believed() <= conversation.played(), f"seed {seed}"
        assert missing <= conversation.excused, f"seed {seed}"
        assert len(missing) <= 1, f"seed {seed}: more than what `clear` met on its way"
