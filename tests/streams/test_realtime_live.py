"""An AI agent on a live stream: Twilio's playback on one side, OpenAI's socket on the other, in real time."""

import asyncio

from django.test import override_settings

from calls.briefing import Allowed
from streams.voices.realtime import RealtimeVoice
from tests.streams.conversing import Conversation
from tests.streams.openai_realtime import KEY, Provider, provider
from tests.streams.talk_fake import briefing

TENTH = b"\x55" * 800


async def script(server: Provider, call: Conversation) -> int:
    """It greets, is interrupted, answers, and hands over; the ms at which it was told to be cut."""
    session = await server.session()
    await session.got("response.create")
    await session.begins()
    for place in range(20):
        await session.speaks(TENTH, "Pizza Roma, good evening, what can I do for you? " if not place else "")
    await session.ends_item()
    await session.ends()
    asyncio.get_running_loop().call_later(0.8, call.speaks, "a large pizza please", 0.4)
    cut = await session.got("conversation.item.truncate")
    await session.hears_speech(end_ms=call.at_ms)
    await session.begins("resp_2")
    await session.speaks(TENTH * 4, "Coming up.", item="item_2", response="resp_2")
    await session.ends_item("item_2", "resp_2")
    await session.calls("take_action_person", {"reason": "pizza"}, response="resp_2")
    await session.ends("resp_2")
    return int(cut["audio_end_ms"])


async def test_what_the_model_is_told_was_heard_is_what_twilio_played() -> None:
    async with provider() as server:
        with override_settings(OPENAI_API_KEY=KEY, OPENAI_REALTIME_URL=server.url):
            told = briefing(actions=(Allowed("person", "queue"),))
            call = Conversation(RealtimeVoice(), briefing=told)
            scripted = asyncio.create_task(script(server, call))
            await call.last(20)
            cut_ms = await scripted
    assert call.over == ["done"]
    assert call.office.did == [("perform", "person", "pizza", "")]
    assert call.believed() == call.played()
    heard = {line.number: line.heard_text for line in call.lines}
    assert "Pizza Roma, good evening, what can I do for you?".startswith(heard[1])
    assert heard[2] == "Coming up."
    assert cut_ms == round(sum(piece.ms for piece in call.heard if piece.say == 1))
