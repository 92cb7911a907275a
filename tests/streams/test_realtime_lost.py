"""The provider fails: the caller never sits in silence, and nothing is said twice."""

import json
import logging

import pytest

from contactcenter.logging import configuration
from streams.voices.base import Ended, Hopeless
from streams.voices.openai.line import ProviderLost
from tests.streams.agent import Agent, agent
from tests.streams.openai_realtime import KEY, Session
from tests.streams.talk_fake import briefing

FRAME = b"\x31" * 160
SECOND = b"\x55" * 8_000
SILENT = briefing(settings={"greet": False})


async def lost(one: Agent) -> str:
    """Why the voice was lost; those reasons that stay make it hopeless, and no other."""
    error = await one.ended()
    why = error.__cause__ if isinstance(error, Hopeless) else error
    assert isinstance(why, ProviderLost), error
    assert isinstance(error, Hopeless) == (why.reason in {"denied", "no_key", "not_installed", "settings"})
    return why.reason


async def talks(one: Agent, number: int) -> Session:
    """The session of this number, once the caller's sound reaches it."""
    session = await one.session(number)
    one.talk.says(FRAME)
    await one.provider.until(lambda: bool(session.sound))
    return session


# -- before the first word ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "denied"), (403, "denied"), (429, "limit"), (500, "provider"), (503, "provider")],
)
async def test_a_refused_handshake_is_a_lost_voice(status: int, reason: str) -> None:
    async with agent(refuse=(status,)) as one:
        assert await lost(one) == reason
        assert len(one.provider.handshakes) == 1


async def test_nobody_at_the_address() -> None:
    async with agent(OPENAI_REALTIME_URL="ws://127.0.0.1:9/v1") as one:
        assert await lost(one) == "unreachable"


async def test_without_a_key_nobody_is_asked() -> None:
    async with agent(OPENAI_API_KEY="") as one:
        assert await lost(one) == "no_key"
        assert one.provider.handshakes == []


async def test_without_the_optional_packages_the_voice_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.voices.openai.line.find_spec", lambda name: None)
    async with agent() as one:
        assert await lost(one) == "not_installed"


async def test_a_session_that_is_not_set_up_in_time_is_lost() -> None:
    async with agent(answers=False, limits={"connect_s": 2}) as one:
        assert await lost(one) == "not_set_up"


async def test_settings_that_the_provider_refuses() -> None:
    async with agent(answers=False) as one:
        session = await one.session()
        await session.fails("invalid_value")
        assert await lost(one) == "settings"


async def test_settings_that_cannot_be() -> None:
    async with agent(briefing(settings={"session_minutes": 90})) as one:
        assert await lost(one) == "settings"


# -- in conversation ------------------------------------------------------------------------------------


async def test_nothing_comes_while_an_answer_is_awaited() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        one.clock.now += 7.9
        await session.begins()
        await session.calls("note_fact", {"name": "a", "value": "b"})
        await session.got("conversation.item.create")
        one.clock.now += 7.9
        await session.speaks(SECOND, "One.")
        await one.talk.until(lambda: bool(one.talk.played))
        one.clock.now += 8.1
        assert await lost(one) == "stall"


async def test_a_provider_that_does_not_notice_the_caller_is_asked_whether_it_is_there() -> None:
    async with agent(SILENT) as one:
        session = await one.session()
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(session.sound))
        one.provider.answers = False
        one.clock.now += 4
        await session.got("session.update")
        one.clock.now += 8
        assert await lost(one) == "stall"


async def test_one_that_says_it_is_there_is_not_lost() -> None:
    async with agent(SILENT) as one:
        session = await talks(one, 1)
        one.clock.now += 4
        await session.got("session.update")
        await session.says(SECOND, "I am here.")
        await one.talk.until(lambda: "I am here." in one.talk.heard)


async def test_some_garbage_is_passed_over() -> None:
    async with agent() as one:
        session = await one.session()
        for text in (
            "",
            "nonsense",
            "[]",
            '"text"',
            "{}",
            '{"type":5}',
            '{"type":"response.done","response":5}',
        ):
            await session.raw(text)
        await session.raw('{"type":"response.output_audio.delta","delta":"!!"}')
        await session.raw('{"type":"something.new","delta":5}')
        await session.says(SECOND, "Good evening.")
        await one.talk.until(lambda: "Good evening." in one.talk.heard)


async def test_nothing_but_garbage_is_a_lost_voice() -> None:
    async with agent() as one:
        session = await one.session()
        for _ in range(25):
            await session.raw("[" * 10_000)
        assert await lost(one) == "garbage"


async def test_more_than_a_minute_of_sound_that_nobody_has_heard_is_cut() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.begins()
        for _ in range(80):
            one.clock.now += 1
            await session.speaks(SECOND)
        assert await lost(one) == "flood"
        assert one.talk.unheard_ms == 0


async def test_a_megabyte_a_second_is_cut() -> None:
    async with agent() as one:
        session = await one.session()
        for _ in range(3):
            await session.raw(json.dumps({"type": "rate_limits.updated", "x": "y" * 600_000}))
        assert await lost(one) == "flood"


async def test_thousands_of_tiny_messages_a_second_are_cut() -> None:
    async with agent() as one:
        session = await one.session()
        for _ in range(1_100):
            await session.raw('{"type":"x"}')
        assert await lost(one) == "flood"


async def test_one_message_beyond_all_measure_is_not_taken() -> None:
    async with agent() as one:
        session = await one.session()
        await session.raw(json.dumps({"type": "rate_limits.updated", "x": "y" * 1_200_000}))
        assert await lost(one) == "flood"


async def test_a_response_that_failed_is_not_waited_for() -> None:
    async with agent() as one:
        session = await one.session()
        await session.begins()
        await session.ends(status="failed")
        assert await lost(one) == "failed"


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("insufficient_quota", "invalid_request_error", "limit"),
        ("invalid_api_key", "invalid_request_error", "denied"),
        ("x", "server_error", "provider"),
    ],
)
async def test_errors_after_which_nothing_comes(code: str, kind: str, reason: str) -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.fails(code, kind)
        assert await lost(one) == reason


async def test_other_errors_are_passed_over() -> None:
    async with agent() as one:
        session = await one.session()
        await session.got("response.create")
        await session.fails("conversation_already_has_active_response")
        await session.says(SECOND, "Good evening.")
        await one.talk.until(lambda: "Good evening." in one.talk.heard)


async def test_tools_in_a_circle_without_a_word_end() -> None:
    async with agent() as one:
        session = await one.session()
        for place in range(6):
            await session.got("response.create")
            await session.begins(f"resp_{place}")
            await session.calls("take_action_x", {}, call=f"call_{place}")
            await session.ends(f"resp_{place}")
        assert await lost(one) == "circle"


# -- another session ------------------------------------------------------------------------------------


async def test_a_lost_session_goes_on_in_another_with_what_was_said() -> None:
    async with agent() as one:
        session = await one.session()
        await session.says(SECOND, "What would you like?")
        await one.talk.until(lambda: "What would you like?" in one.talk.heard)
        one.talk.words("a large pizza please")
        await session.socket.close()
        again = await one.session(2)
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(again.sound))
        assert [text for _, text in again.told()[:2]] == ["What would you like?", "a large pizza please"]
        assert [who for who, _ in again.told()] == ["assistant", "user", "system"]
        assert "response.create" not in again.kinds()


async def test_what_is_under_way_is_heard_to_its_end_and_told_as_said() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.says(SECOND, "We open at nine.")
        await one.talk.until(lambda: one.talk.unheard_ms == 1_000)
        await session.socket.close()
        again = await one.session(2)
        await one.provider.until(lambda: len(again.told()) == 2)
        assert again.told()[0] == ("assistant", "We open at nine.")
        one.talk.hears(1_000)
        await one.talk.until(lambda: "We open at nine." in one.talk.heard)
        assert b"".join(ulaw for ulaw, _ in one.talk.played) == SECOND


@pytest.mark.parametrize("how", ["lost", "cancelled"])
async def test_letters_that_came_ahead_of_their_sound_are_not_said_where_it_breaks_off(how: str) -> None:
    text = "Your code for the door of the house is four seven one one."
    async with agent() as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, text)
        if how == "lost":
            await session.socket.close()
            again = await one.session(2)
            await again.got("response.create")
            assert again.told()[0] == ("assistant", "Your code for the ")
        else:
            await session.ends(status="cancelled")
        await one.talk.until(lambda: "Your code for the " in one.talk.heard)
        assert "door" not in one.talk.heard
        assert b"".join(ulaw for ulaw, _ in one.talk.played) == SECOND


async def test_half_a_sentence_is_gone_on_with_and_not_said_again() -> None:
    async with agent() as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, "We open at")
        await one.talk.until(lambda: bool(one.talk.played))
        await session.socket.close()
        again = await one.session(2)
        await again.got("response.create")
        assert again.told()[0] == ("assistant", "We open at")
        assert "repeat nothing" in again.told()[1][1]


async def test_what_the_caller_said_and_nobody_answered_is_heard_by_the_next_session() -> None:
    async with agent(SILENT) as one:
        session = await one.session()
        one.talk.says(*[FRAME] * 30)
        await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="caller")
        await one.provider.until(lambda: len(session.sound) == 30 * 160)
        one.talk.says(*[b"\x32" * 160] * 100, at_ms=600)
        await one.provider.until(lambda: len(session.sound) == 130 * 160)
        await session.socket.close()
        again = await one.session(2)
        await one.provider.until(lambda: b"\x32" * 16_000 in again.sound)
        assert "response.create" not in again.kinds()


async def test_a_second_loss_is_the_end() -> None:
    async with agent() as one:
        for number in (1, 2):
            await (await talks(one, number)).socket.close()
        assert await lost(one) == "disconnected"


async def test_another_session_that_is_refused_is_the_end() -> None:
    async with agent() as one:
        session = await one.session()
        one.provider.refuse = [429]
        await session.socket.close()
        assert await lost(one) == "limit"


async def test_an_interruption_of_what_an_older_session_said_is_told_in_words() -> None:
    async with agent(at_once=False) as one:
        session = await one.session()
        await session.says(SECOND * 3, "We open at nine and close at five.")
        await one.talk.until(lambda: one.talk.unheard_ms == 3_000)
        await session.socket.close()
        again = await one.session(2)
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(again.sound))
        one.talk.interrupts()
        await one.provider.until(lambda: len(again.told()) == 3)
        assert "interrupted" in again.told()[2][1]
        assert "conversation.item.truncate" not in again.kinds()


async def test_a_tool_of_a_lost_session_is_answered_in_words() -> None:
    async with agent(SILENT, at_once=False) as one:
        session = await one.session()
        await session.begins()
        await session.speaks(SECOND, "I promise.")
        await session.ends_item()
        await session.calls("take_action_ring_back", {"reason": "x"})
        await session.ends()
        await one.talk.until(lambda: one.talk.unheard_ms == 1_000)
        await session.socket.close()
        again = await one.session(2)
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(again.sound))
        one.talk.hears(1_000)
        await again.got("response.create")
        assert ("system", '{"done": "The call back is promised."}') in again.told()
        assert again.kinds().count("response.create") == 1


# -- before the provider's limit --------------------------------------------------------------------------


async def test_a_session_is_left_before_its_limit_when_nobody_speaks() -> None:
    async with agent(SILENT) as one:
        session = await one.session()
        await session.says(SECOND, "Hello?")
        await one.talk.until(lambda: "Hello?" in one.talk.heard)
        one.clock.now += 55 * 60
        again = await one.session(2)
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(again.sound))
        assert again.told()[0] == ("assistant", "Hello?")
        assert "response.create" not in again.kinds()
        assert len(one.talk.played) == 2  # the sound and its last frame, once


async def test_it_is_not_left_while_the_caller_speaks_until_there_is_no_more_time() -> None:
    async with agent(SILENT, limits={"stall_s": 10_000, "ask_s": 10_000}) as one:
        session = await one.session()
        await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="caller")
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(session.sound))
        one.clock.now += 55 * 60 + 1
        one.talk.presses("1")
        await session.got("conversation.item.create")
        assert len(one.provider.sessions) == 1
        one.clock.now += 120
        again = await one.session(2)
        await one.provider.until(lambda: FRAME in again.sound)


async def test_any_number_of_sessions_may_be_left_and_one_still_be_lost() -> None:
    async with agent(briefing(settings={"greet": False, "session_minutes": 1})) as one:
        for number in range(1, 5):
            await talks(one, number)
            one.clock.now += 60
        await (await talks(one, 5)).socket.close()
        session = await talks(one, 6)
        await session.calls("take_action_kitchen", {"reason": "x"})
        assert isinstance(await one.ended(), Ended)


async def test_a_session_that_the_provider_ends_for_its_age_is_renewed() -> None:
    async with agent(SILENT) as one:
        session = await one.session()
        await session.fails("session_expired")
        again = await one.session(2)
        one.talk.says(FRAME)
        await one.provider.until(lambda: bool(again.sound))


# -- what is written down ---------------------------------------------------------------------------------


async def test_neither_key_nor_what_is_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "contactcenter")
    async with agent() as one:
        session = await one.session()
        await session.says(SECOND, "Your code is secret.")
        await one.talk.until(lambda: "Your code is secret." in one.talk.heard)
        await session.calls("take_action_bank", {"reason": "the caller told a secret"})
        await session.fails("insufficient_quota")
        assert await lost(one) == "limit"
    text = "".join(json.dumps(vars(record), default=str) for record in caplog.records)
    assert "voice.provider.lost" in text
    assert [word for word in (KEY, "secret", "4111", "1234567") if word in text] == []


def test_the_clients_own_debug_lines_stay_off() -> None:
    """They hold the handshake's headers and every message."""
    loggers = configuration("json", "DEBUG")["loggers"]
    assert {loggers[name]["level"] for name in ("openai", "websockets", "httpx2", "httpcore2")} == {"WARNING"}
