"""An AI agent talks over OpenAI's Realtime API: sound both ways, interruptions, keys, tools."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from calls import realtime_options
from calls.briefing import Allowed
from streams.voices.base import Ended
from tests.streams.agent import agent
from tests.streams.talk_fake import briefing

FRAME = bytes(range(100, 228)) + b"\x7f" * 32
SECOND = b"\x55" * 8_000


async def test_the_session_is_told_what_the_voice_is_and_what_it_may_do() -> None:
    async with agent() as one:
        session = await one.session()
        told = session.received[0]["session"]
        assert told["instructions"].startswith("You take orders for pizza.")
        assert told["audio"]["input"]["format"] == told["audio"]["output"]["format"] == {"type": "audio/pcmu"}
        assert told["audio"]["output"]["voice"] == "marin"
        assert [tool["name"] for tool in told["tools"]] == [
            "take_action_kitchen",
            "take_action_ring_back",
            "note_fact",
        ]
        assert list(told["tools"][0]["parameters"]["properties"]) == ["reason"]


async def test_model_and_voice_are_those_of_the_voice_before_those_of_the_site() -> None:
    async with agent(briefing(settings={"model": "gpt-realtime-mini", "voice": "cedar"})) as one:
        session = await one.session()
        assert one.provider.handshakes[0].query["model"] == "gpt-realtime-mini"
        assert session.received[0]["session"]["audio"]["output"]["voice"] == "cedar"


async def test_the_key_goes_in_the_handshake_and_nowhere_else() -> None:
    async with agent() as one:
        session = await one.session()
        assert one.provider.handshakes[0].headers["Authorization"] == "Bearer sk-test-of-a-project"
        assert "sk-test" not in json.dumps(session.received)


async def test_nothing_tells_who_calls_unless_the_voice_is_set_to() -> None:
    async with agent() as one:
        told = json.dumps((await one.session()).received)
        assert [secret for secret in ("Anna", "A-17", "1234567", "123 4567") if secret in told] == []


async def test_name_and_facts_are_told_where_the_voice_says_so_and_never_the_number() -> None:
    async with agent(briefing(settings={"tell": ["name", "facts"]})) as one:
        told = (await one.session()).received[0]["session"]["instructions"]
        assert "Anna Visser" in told
        assert "A-17" in told
        assert "1234567" not in told.replace(" ", "")


async def test_the_agent_speaks_first() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.says(SECOND, "Pizza Roma, good evening.")
        await one.talk.until(lambda: "Pizza Roma, good evening." in one.talk.heard)
        assert b"".join(ulaw for ulaw, _ in one.talk.played) == SECOND


async def test_an_agent_that_is_set_to_waits_for_the_caller() -> None:
    async with agent(briefing(settings={"greet": False})) as one:
        session = await one.session()
        one.talk.presses("1")
        await session.got("response.create")
        assert session.told() == [("user", "(The caller pressed 1)")]


async def test_one_that_was_lost_before_does_not_greet_again() -> None:
    async with agent(briefing(lost=1)) as one:
        session = await one.session()
        await session.got("response.create")
        assert [who for who, _ in session.told()] == ["system"]


async def test_the_callers_sound_passes_as_it_is() -> None:
    async with agent() as one:
        session = await one.session()
        one.talk.says(*[FRAME] * 5)
        await one.provider.until(lambda: session.sound == FRAME * 5)


async def test_a_word_counts_as_said_no_sooner_than_its_sound() -> None:
    text = "Your pizza is on its way and will be with you at seven."
    async with agent() as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, text)
        await one.talk.until(lambda: bool(one.talk.played))
        early = "".join(words for _, words in one.talk.played)
        assert text.startswith(early)
        assert len(early) < 20
        await session.speaks(SECOND * 3)
        await session.ends_item()
        await session.ends()
        await one.talk.until(lambda: text in one.talk.heard)


# -- interruptions ------------------------------------------------------------------------------------


async def test_an_interruption_by_the_caller_cuts_the_item_where_they_heard_it() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.says(SECOND * 4, "One two three four five six seven eight nine ten.")
        await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
        one.talk.hears(1_500)
        one.talk.interrupts()
        cut = await session.got("conversation.item.truncate")
        assert (cut["item_id"], cut["content_index"], cut["audio_end_ms"]) == ("item_1", 0, 1_500)


async def test_the_provider_hearing_speech_clears_what_was_not_heard() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.says(SECOND * 4, "One two three four.")
        await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
        one.talk.hears(500)
        await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="caller")
        assert (await session.got("conversation.item.truncate"))["audio_end_ms"] == 500
        assert one.talk.cleared == 1


async def test_one_interruption_that_both_notice_is_told_once() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.says(SECOND * 4, "One two three four.")
        await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
        one.talk.interrupts()
        await session.got("conversation.item.truncate")
        await session.hears_speech()
        one.talk.presses("1")
        await session.got("conversation.item.create")
        assert session.kinds().count("conversation.item.truncate") == 1


async def test_who_was_cut_off_by_a_noise_goes_on() -> None:
    async with agent(at_once=False, limits={"noise_s": 1.5}) as one:
        session = await one.session()
        await session.says(SECOND * 4, "One two three four.")
        await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
        one.talk.hears(1_000)
        one.talk.interrupts()
        await session.got("conversation.item.truncate")
        one.clock.now += 1.5
        await session.got("response.create")
        assert "noise" in session.told()[-1][1]


async def test_noise_upon_noise_is_not_talked_against_for_ever() -> None:
    async with agent(at_once=False, limits={"noise_s": 1.5}) as one:
        session = await one.session()
        for number in range(4):
            response, item = f"resp_{number}", f"item_{number}"
            await session.says(SECOND * 4, "One two three four.", item=item, response=response)
            await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
            one.talk.interrupts()
            await session.got("conversation.item.truncate")
            one.clock.now += 1.5
            if number < 3:
                await session.got("response.create")
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(session.sound))
        assert sum("noise" in text for _, text in session.told()) == 3


@pytest.mark.parametrize("by", ["speech", "key"])
async def test_who_was_cut_off_by_the_caller_waits_for_what_they_say(by: str) -> None:
    async with agent(at_once=False, limits={"noise_s": 1.5, "keys_s": 5}) as one:
        session = await one.session()
        await session.says(SECOND * 4, "One two three four.")
        await one.talk.until(lambda: one.talk.unheard_ms == 4_000)
        one.talk.interrupts()
        await session.got("conversation.item.truncate")
        if by == "key":
            one.talk.presses("1")
        else:
            await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="caller")
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(session.sound))
        await session.raw('{"type":"rate_limits.updated"}')
        one.clock.now += 3
        one.talk.says(FRAME)
        await one.provider.until(lambda: len(session.sound) == 2 * len(FRAME))
        assert not any("noise" in text for _, text in session.told())


async def test_a_response_that_still_runs_is_stopped_and_its_rest_unheard() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, "One.")
        await one.talk.until(lambda: bool(one.talk.unheard_ms))
        one.talk.interrupts()
        await session.got("response.cancel")
        await session.speaks(SECOND, "Two.")
        await session.ends(status="cancelled")
        await session.says(SECOND, "Three.", item="item_2", response="resp_2")
        await one.talk.until(lambda: one.talk.unheard_ms >= 1_000)
        assert "Two." not in "".join(text for _, text in one.talk.played)


async def test_what_waits_for_room_is_not_heard_after_an_interruption() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.begins()
        for _ in range(20):
            await session.speaks(SECOND, "More and more. ")
        await one.talk.until(lambda: one.talk.unheard_ms >= 10_000)
        one.talk.interrupts()
        await session.got("conversation.item.truncate")
        await one.talk.until(lambda: one.talk.unheard_ms == 0)
        assert len(one.talk.played) < 14


async def test_a_sentence_that_was_heard_to_its_end_is_not_cut() -> None:
    async with agent() as one:
        session = await one.session()
        await session.says(SECOND, "Yes?")
        await one.talk.until(lambda: "Yes?" in one.talk.heard)
        await session.hears_speech()
        one.talk.presses("1")
        await session.got("conversation.item.create")
        assert "conversation.item.truncate" not in session.kinds()


# -- keys ---------------------------------------------------------------------------------------------


async def test_keys_are_told_as_text_and_answered() -> None:
    async with agent(briefing(settings={"greet": False}), limits={"keys_s": 1}) as one:
        session = await one.session()
        one.talk.presses("42#")
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(session.sound))
        one.clock.now += 1
        await session.got("response.create")
        assert session.told() == [("user", "(The caller pressed 4 2 #)")]


# -- tools --------------------------------------------------------------------------------------------


async def test_an_action_is_taken_once_what_was_said_before_is_heard() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, "I put you through.")
        await session.ends_item()
        await session.calls("take_action_kitchen", {"reason": "wants a pizza"})
        await session.ends()
        await one.talk.until(lambda: one.talk.unheard_ms == 1_000)
        assert one.talk.done == []
        one.talk.hears(1_000)
        assert isinstance(await one.ended(), Ended)
        assert one.talk.done == [("kitchen", "wants a pizza", "")]


async def test_an_action_that_the_caller_interrupts_is_not_taken() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, "I put you through.")
        await session.ends_item()
        await session.calls("take_action_kitchen", {"reason": "wants a pizza"})
        await session.ends()
        await one.talk.until(lambda: one.talk.unheard_ms == 1_000)
        one.talk.interrupts()
        await session.got("response.create")
        await session.got("response.create")
        assert one.talk.done == []
        assert session.results() == [{"error": "The caller interrupted. Nothing was done."}]


async def test_a_call_back_is_promised_and_the_conversation_goes_on() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.begins()
        await session.calls("take_action_ring_back", {"reason": "order", "due": "2026-12-01T09:00:00+01:00"})
        await session.ends()
        await session.got("response.create")
        assert one.talk.done == [("ring_back", "order", "2026-12-01T09:00:00+01:00")]
        assert session.results() == [{"done": "The call back is promised."}]


async def test_a_fact_is_noted_and_the_model_goes_on() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.begins()
        await session.calls("note_fact", {"name": "size", "value": "large"})
        await session.ends()
        await session.got("response.create")
        assert one.talk.facts == [("size", "large")]


async def test_the_model_is_asked_to_go_on_once_for_several_tools() -> None:
    async with agent(briefing(settings={"greet": False})) as one:
        session = await one.session()
        await session.begins()
        for place in range(3):
            await session.calls("note_fact", {"name": f"n{place}", "value": "x"}, call=f"call_{place}")
        await session.ends()
        await session.got("response.create")
        await session.says(SECOND, "Noted.", response="resp_2")
        await one.talk.until(lambda: "Noted." in one.talk.heard)
        assert session.kinds().count("response.create") == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("take_action_bank", {"reason": "x"}),
        ("kitchen", {"reason": "x"}),
        ("transfer", {"to": "+31900123456"}),
        ("take_action_kitchen", "no JSON {"),
        ("take_action_kitchen", "[" * 5_000),
        ("take_action_kitchen", [1]),
        ("note_fact", {"value": "nameless"}),
        ("", {}),
    ],
)
async def test_what_is_not_on_the_list_or_cannot_be_read_is_refused(name: str, arguments: object) -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.begins()
        await session.calls(name, arguments)
        await session.ends()
        await session.got("response.create")
        assert "error" in session.results()[0]
        assert (one.talk.done, one.talk.facts) == ([], [])


async def test_what_the_product_does_not_allow_now_is_told_to_the_model() -> None:
    told = briefing(actions=(Allowed("kitchen", "queue"),))
    async with agent(told) as one:
        session = await one.session()
        await session.got("response.create")
        one.talk.briefing = briefing(actions=())  # the action was taken away in admin meanwhile
        await session.begins()
        await session.calls("take_action_kitchen", {"reason": "x"})
        await session.ends()
        await session.got("response.create")
        assert session.results() == [{"error": "There is no such action."}]


async def test_a_tool_of_an_interrupted_response_that_is_not_complete_is_not_used() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.begins()
        item = {"id": "i", "type": "function_call", "status": "incomplete", "name": "take_action_kitchen"}
        item |= {"call_id": "call_1", "arguments": '{"reason": "x"}'}
        await session.send("response.output_item.done", item=item, response_id="resp_1", output_index=0)
        await session.ends(status="cancelled")
        await session.says(SECOND, "Well.", response="resp_2")
        await one.talk.until(lambda: "Well." in one.talk.heard)
        assert one.talk.done == []


# -- settings of a voice ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"modle": "x"}, "modle"),
        ({"model": 5}, "model"),
        ({"session_minutes": 60}, "session_minutes"),
        ({"session_minutes": True}, "session_minutes"),
        ({"silence_ms": 10}, "silence_ms"),
        ({"greet": "yes"}, "greet"),
        ({"tell": ["number"]}, "tell"),
        ({"tell": "name"}, "tell"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        realtime_options.read(settings)


def more(seen: Callable[[], list[str]], what: str, than: int) -> bool:
    return seen().count(what) > than


# -- a caller who says nothing ------------------------------------------------------------------------


async def test_a_silent_caller_is_asked_whether_they_are_there_and_told_goodbye_at_last() -> None:
    patient = {"ask_s": 1e9, "stall_s": 1e9}
    async with agent(briefing(settings={"greet": False}), limits=patient) as one:
        session = await one.session()
        for place in range(3):
            await one.passes(partial(more, session.kinds, "response.create", place))
            await session.says(SECOND, "Hello?", item=f"item_{place}", response=f"resp_{place}")
            await one.talk.until(partial(more, lambda: one.talk.heard, "Hello?", place))
        await one.passes(one.task.done)
        assert await one.ended() is None  # the conversation is over, and nobody was lost
        assert [who for who, _ in session.told()] == ["system"] * 3
