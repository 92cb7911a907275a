"""What an agent says on its way to the caller: what was heard, and when it counts."""

import asyncio
from contextlib import suppress

import pytest

from streams.voices.base import Said
from streams.voices.openai.line import ProviderLost
from streams.voices.openai.mouth import Mouth
from streams.voices.openai.tools import Asked
from tests.streams.talk_fake import FakeTalk, briefing

SECOND = b"\x55" * 8_000
ASKED = Asked(1, "call_1", "take_action_kitchen", "{}")


class Speaker:
    """A mouth that speaks, and what came of it."""

    def __init__(self) -> None:
        self.talk = FakeTalk(briefing(), at_once=False)
        self.said: list[str] = []
        self.acted: list[Asked] = []
        self.cuts: list[Said] = []
        self.mouth = Mouth(self.talk, 60_000, said=self.said.append, act=self.act, interrupted=self.cut)
        self.task = asyncio.create_task(self.mouth.run())

    async def act(self, asked: Asked) -> None:
        self.acted.append(asked)

    async def cut(self, said: Said) -> None:
        self.cuts.append(said)
        self.mouth.cut(said)

    async def __aenter__(self) -> "Speaker":
        self.mouth.letters("resp_1", "item_1", "I put you through.", 1)
        self.mouth.sound("resp_1", "item_1", SECOND, 1)
        self.mouth.end("item_1")
        self.mouth.ask(ASKED, "resp_1")
        await self.talk.until(lambda: self.talk.unheard_ms == 1_000)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def settles(self) -> None:
        """Until nothing waits or plays."""
        for _ in range(20):
            await asyncio.sleep(0)
        assert self.mouth.quiet


async def test_what_is_heard_to_its_end_is_said_and_then_done() -> None:
    async with Speaker() as one:
        assert (one.said, one.acted) == ([], [])
        one.talk.hears(1_000)
        await one.settles()
        assert (one.said, one.acted, one.cuts) == (["I put you through."], [ASKED], [])


async def test_speech_that_begins_as_the_last_word_was_heard_leaves_it_said() -> None:
    async with Speaker() as one:
        one.talk.hears(1_000)
        said = one.talk.clear()  # before the mouth itself has asked
        assert said == Said("I put you through.", 1_000, whole=True)
        cut = one.mouth.cut(said)
        assert (cut.text, cut.items, cut.asked) == ("I put you through.", (), (ASKED,))
        await one.settles()
        assert one.acted == []


async def test_words_that_come_after_their_sound_are_said() -> None:
    async with Speaker() as one:
        one.talk.hears(1_000)
        await one.settles()
        one.mouth.sound("resp_2", "item_2", SECOND, 1)
        one.mouth.letters("resp_2", "item_2", "One moment.", 1)
        one.mouth.end("item_2")
        await one.talk.until(lambda: one.talk.unheard_ms == 1_000)
        one.talk.hears(1_000)
        await one.settles()
        assert one.said == ["I put you through.", "One moment."]


async def test_an_answer_that_an_interruption_took_is_waited_for() -> None:
    async with Speaker() as one:
        one.talk.hears(300)
        said = one.talk.clear()
        await asyncio.sleep(0)
        cut = one.mouth.cut(said)
        assert [(item, ms) for _, item, ms in cut.items] == [("item_1", 300)]
        assert cut.asked == (ASKED,)
        await one.settles()
        assert (one.said, one.acted, one.cuts) == ([], [], [])


async def test_no_item_says_more_than_anybody_does_at_once() -> None:
    async with Speaker() as one:
        for _ in range(100):
            one.mouth.letters("resp_2", "item_2", "x" * 1_000, 1)
        with pytest.raises(ProviderLost, match="flood"):
            one.mouth.letters("resp_2", "item_2", "x", 1)


async def test_no_hundred_tools_wait_for_what_is_said_before_them() -> None:
    async with Speaker() as one:
        for _ in range(99):  # one waits already
            one.mouth.ask(ASKED, "resp_2")
        with pytest.raises(ProviderLost, match="flood"):
            one.mouth.ask(ASKED, "resp_2")
