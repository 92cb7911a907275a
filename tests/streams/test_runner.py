"""A voice on a live stream: it speaks, is interrupted, hears, and never leaves its caller in nothing."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import OperationalError

from calls.briefing import Briefing
from calls.path import GOODBYE
from calls.refusal import Refused
from streams.voices import registry
from streams.voices.base import (
    Event,
    Frame,
    Hopeless,
    Interrupted,
    Key,
    NotAllowed,
    Said,
    Silence,
    Talk,
    Words,
)
from streams.voices.echo import EchoVoice
from tests.streams import virtual
from tests.streams.conversing import VOICE, Conversation, Speaker

LONG = "one two three four five six seven eight"


class Told:
    """A voice that does what a test writes."""

    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    def __init__(self, talk: Callable[[Talk], Awaitable[None]]) -> None:
        self.talk = talk


class Listening(Told):
    wants_frames = True
    wants_words = False


class Both(Told):
    wants_frames = True


def converse(
    talk: Callable[[Talk], Awaitable[None]],
    *acts: tuple[float, Callable[[Conversation], None]],
    seconds: float = 60.0,
    kind: type[Told] = Told,
    **how: Any,
) -> Conversation:
    """The whole conversation with this voice; the caller acts at these seconds of it."""

    async def whole() -> Conversation:
        conversation = Conversation(kind(talk), **how)
        loop = asyncio.get_running_loop()
        for at, act in acts:
            loop.call_later(at, act, conversation)
        return await conversation.last(seconds)

    return virtual.run(whole)


def speaks(text: str, seconds: float = 1.0) -> Callable[[Conversation], None]:
    return lambda conversation: conversation.speaks(text, seconds)


def presses(digit: str) -> Callable[[Conversation], None]:
    return lambda conversation: conversation.presses(digit)


def texts(conversation: Conversation) -> list[str]:
    return [line.heard_text for line in conversation.lines if line.heard_text]


async def hush(call: Talk) -> None:
    await call.hear()


def test_what_is_said_is_heard_and_becomes_a_line() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say("Good morning. How are you?"))

    conversation = converse(talk)
    assert said == [Said("Good morning. How are you?", 1250, True)]
    assert texts(conversation) == ["Good morning. How are you?"]
    assert conversation.believed() == conversation.played()
    assert conversation.warned == []


def test_only_what_is_said_to_everybody_is_kept_as_sound() -> None:
    speaker = Speaker()

    async def talk(call: Talk) -> None:
        await call.say("Welcome to the line. Good morning Carla.")

    briefing = Briefing(1, "Test", "flow", text="say: Welcome to\n  the line.")
    converse(talk, speaker=speaker, briefing=briefing)
    assert speaker.asked == [("Welcome to the line.", True), ("Good morning Carla.", False)]


def test_a_voice_that_is_done_says_goodbye_and_closes_the_socket() -> None:
    async def talk(call: Talk) -> None:
        await call.say("Hello.")

    conversation = converse(talk)
    assert conversation.office.did == [("goodbye", GOODBYE)]
    assert conversation.over == ["done"]


def test_a_voice_that_raises_leaves_its_caller_to_what_comes_next() -> None:
    async def talk(call: Talk) -> None:
        raise KeyError("mistake")

    conversation = converse(talk)
    assert conversation.office.did == []
    assert conversation.over == ["failed"]


async def waits_for_what_was_cancelled(call: Talk) -> None:
    other = asyncio.create_task(asyncio.sleep(60))
    asyncio.get_running_loop().call_soon(other.cancel)
    await other


async def hopeless(call: Talk) -> None:
    raise Hopeless


@pytest.mark.parametrize("talk", [waits_for_what_was_cancelled, hopeless])
def test_whatever_becomes_of_a_voice_its_caller_does_not_stay_in_silence(
    talk: Callable[[Talk], Awaitable[None]],
) -> None:
    async def away() -> None:
        raise OperationalError("database is locked")

    async def whole() -> Conversation:
        conversation = Conversation(Told(talk))
        conversation.office.give_up = away  # type: ignore[method-assign]
        return await conversation.last(10)

    assert virtual.run(whole).over == ["failed"]


def test_a_voice_that_would_fail_again_has_its_caller_led_on_at_once() -> None:
    async def talk(call: Talk) -> None:
        raise Hopeless

    conversation = converse(talk)
    assert conversation.office.did == [("give_up",)]
    assert conversation.over == ["failed"]


def test_a_voice_from_which_nothing_comes_is_taken_for_lost_after_a_minute() -> None:
    assert converse(hush, seconds=59).over == []
    assert converse(hush, seconds=70).over == ["silent"]


def test_a_caller_who_speaks_for_longer_is_heard_to_the_end() -> None:
    async def talk(call: Talk) -> None:
        await call.hear()
        await call.end("Thank you.")

    assert converse(talk, (1.0, speaks("a long story", 70.0)), seconds=90).over == ["done"]


def test_a_voice_that_hangs_is_lost_however_long_the_caller_speaks() -> None:
    async def talk(call: Talk) -> None:
        await asyncio.sleep(100)

    assert converse(talk, (1.0, speaks("hello", 80.0)), seconds=90).over == ["silent"]


def test_the_caller_interrupts_by_speech_and_the_rest_is_never_heard() -> None:
    said: list[Said] = []
    heard: list[Event | Silence] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say(LONG))
        heard.append(await call.hear(timeout_s=5))

    conversation = converse(talk, (0.8, speaks("stop please")))
    assert not said[0].whole
    assert said[0].text == "one two"
    assert [one.text for one in heard if isinstance(one, Words)] == ["stop please"]
    assert texts(conversation) == ["one two"]
    assert conversation.lines[0].is_cut
    assert conversation.believed() == conversation.played()


def test_clear_goes_out_as_soon_as_the_ear_is_sure() -> None:
    conversation = converse(lambda call: call.say(LONG), (0.8, speaks("stop")))  # type: ignore[arg-type, return-value]
    clear = next(one for one in conversation.judge.commands if one["event"] == "clear")
    assert 800 <= clear["played_ms"] + 30 <= 1000


def test_a_cough_is_no_interruption_and_the_rest_is_said() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say(LONG))

    conversation = converse(talk, (0.8, speaks("", 0.3)))
    assert said[0].text == LONG
    assert said[0].whole
    assert " ".join(texts(conversation)) == LONG


def test_who_takes_frames_too_is_not_kept_from_hearing_whether_it_was_a_cough() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say(LONG))

    conversation = converse(talk, (0.8, speaks("", 0.3)), kind=Both)
    assert said[0].whole
    assert said[0].text.endswith("seven eight")
    assert conversation.over == ["done"]


def says_and_hears(said: list[Any], seconds: float = 1.03) -> Callable[[Talk], Awaitable[None]]:
    async def talk(call: Talk) -> None:
        await asyncio.sleep(seconds)
        said.append((await call.say(LONG)).whole)
        said.append(await call.hear(timeout_s=3.0))

    return talk


def test_who_speaks_already_is_let_finish_and_heard_first() -> None:
    said: list[Any] = []
    conversation = converse(says_and_hears(said), (0.7, speaks("and then the other", 3.0)))
    assert said[0] is False
    assert said[1].text == "and then the other"
    assert texts(conversation) == [GOODBYE] or texts(conversation) == []


@pytest.mark.parametrize("seconds", [0.8, 30.0])
def test_what_is_no_word_is_not_waited_for_for_long(seconds: float) -> None:
    """A cough, or a television."""
    said: list[Any] = []
    conversation = converse(says_and_hears(said), (0.7, speaks("", seconds)))
    assert said[0] is True
    assert texts(conversation)[0] == LONG
    assert conversation.lines[0].start_ms < 6000


def test_words_that_come_late_stop_what_was_gone_on_with() -> None:
    said: list[Any] = []

    def late(conversation: Conversation) -> None:
        conversation.runner.words("stop please", 1600, 2000, 0.9)

    conversation = converse(says_and_hears(said, 0.5), (1.5, speaks("", 0.6)), (4.2, late))
    assert said[0] is False
    assert said[1].text == "stop please"
    assert conversation.runner.interruptions == 2


def test_words_that_the_ear_has_not_heard_are_an_echo_and_stop_nothing() -> None:
    said: list[Any] = []

    def echoed(conversation: Conversation) -> None:
        conversation.runner.words("one two three", 1300, 1900, 0.9)

    conversation = converse(says_and_hears(said), (2.2, echoed))
    assert said[0] is True
    assert conversation.runner.interruptions == 0


def test_words_of_before_do_not_stop_the_answer_to_them() -> None:
    said: list[Any] = []

    def late(conversation: Conversation) -> None:
        conversation.runner.words("yes", 100, 400, 0.9)

    conversation = converse(says_and_hears(said), (1.5, late))
    assert said[0] is True
    assert conversation.runner.interruptions == 0


def test_a_carrier_that_sends_nothing_of_silence_keeps_nobody_waiting() -> None:
    said: list[Any] = []

    async def talk(call: Talk) -> None:
        said.append(await call.hear())
        said.append(await call.hear(timeout_s=3.0))
        said.append((await call.say(LONG)).text)

    conversation = converse(talk, (1.0, speaks("hello")), (6.8, speaks("", 0.5)), seconds=30, suppresses=True)
    assert [type(one) for one in said[:2]] == [Words, Silence]
    assert said[2] == LONG, "the cough in it is over though no frame said so"
    assert conversation.runner.interruptions == 1


def test_what_we_say_is_kept_in_its_place_where_the_carrier_sends_nothing_of_silence() -> None:
    async def talk(call: Talk) -> None:
        await asyncio.sleep(5)
        await call.say("and then some more " * 6)

    conversation = converse(talk, suppresses=True)
    assert conversation.sounded[0][0] == pytest.approx(5000, abs=60)
    ends = [at_ms + len(sound) // 8 for at_ms, sound in conversation.sounded]
    assert all(at_ms >= end for (at_ms, _), end in zip(conversation.sounded[1:], ends, strict=False))
    first = b"".join(sound for at_ms, sound in conversation.sounded if at_ms < 11_000)
    assert len(first) // 8 == pytest.approx(24 * 250, abs=600), "all but the last piece is known by its mark"


def test_a_key_interrupts_at_once() -> None:
    heard: list[Event | Silence] = []

    async def talk(call: Talk) -> None:
        assert not (await call.say(LONG)).whole
        heard.append(await call.hear(timeout_s=5))

    conversation = converse(talk, (0.8, presses("5")))
    assert [one.digit for one in heard if isinstance(one, Key)] == ["5"]
    assert texts(conversation) == ["one two"]


def test_what_must_be_heard_is_not_interrupted() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say(LONG, interruptible=False))

    converse(talk, (0.8, speaks("stop")), (1.0, presses("1")))
    assert said == [Said(LONG, 2000, True)]


def test_silence_is_told_when_neither_has_spoken_for_so_long() -> None:
    waited: list[float] = []

    async def talk(call: Talk) -> None:
        await call.say("Well?")
        began = asyncio.get_running_loop().time()
        assert isinstance(await call.hear(timeout_s=5), Silence)
        waited.append(asyncio.get_running_loop().time() - began)

    converse(talk)
    assert waited[0] == pytest.approx(5, abs=0.1)


def test_sound_that_is_queued_is_interrupted_where_somebody_listens() -> None:
    heard: list[Event | Silence] = []

    async def talk(call: Talk) -> None:
        await call.play(b"\x55" * 16000, LONG)
        while not heard or not isinstance(heard[-1], Interrupted):
            heard.append(await call.hear())

    conversation = converse(talk, (0.8, speaks("stop")), kind=Listening)
    interrupted = heard[-1]
    assert isinstance(interrupted, Interrupted)
    assert interrupted.said == Said("one two", 500, False)
    assert any(isinstance(one, Frame) for one in heard)
    assert conversation.believed() == conversation.played()


def test_more_than_ten_seconds_are_waited_for() -> None:
    took: list[float] = []

    async def talk(call: Talk) -> None:
        for _ in range(30):
            await call.play(b"\x55" * 8000)
        took.append(asyncio.get_running_loop().time())
        await call.heard_out()

    conversation = converse(talk)
    assert took[0] == pytest.approx(19, abs=1.1)
    assert conversation.warned == []


def test_sound_with_a_files_header_is_refused_before_twilio_plays_it_as_noise() -> None:
    async def talk(call: Talk) -> None:
        with pytest.raises(ValueError, match="without a file's header"):
            await call.play(b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x55" * 800)

    assert converse(talk).judge.played_bytes == 0


def test_frames_that_nobody_asks_for_are_kept_for_two_seconds() -> None:
    frames: list[int] = []

    async def talk(call: Talk) -> None:
        await asyncio.sleep(5)
        while isinstance(event := await call.hear(timeout_s=0.01), Frame) and len(frames) < 100:
            frames.append(event.at_ms)

    converse(talk, kind=Listening)
    assert frames[0] >= 2900


def test_how_long_the_answer_took_is_told_for_each_turn() -> None:
    async def talk(call: Talk) -> None:
        for _ in range(2):
            await call.hear()
            await call.say("I see.")

    conversation = converse(talk, (1.0, speaks("one")), (5.0, speaks("two")))
    assert [number for number, *_ in conversation.turns] == [1, 2]
    for _, spoken_ms, gap_ms in conversation.turns:
        assert spoken_ms in (1980, 5980)
        assert 600 <= gap_ms <= 680


def test_what_the_caller_hears_of_us_is_told_in_the_streams_own_time() -> None:
    async def talk(call: Talk) -> None:
        await call.say("one two three four")

    conversation = converse(talk)
    sound = b"".join(sound for _, sound in conversation.sounded)
    assert len(sound) == 8000
    starts = [at for at, _ in conversation.sounded]
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] == pytest.approx(980, abs=20)


def test_an_action_ends_the_conversation_behind_what_was_said_last() -> None:
    async def talk(call: Talk) -> None:
        await call.play(b"\x55" * 8000, "One moment please.")
        await call.do("person", reason="wants a person")
        raise AssertionError("goes on")

    conversation = converse(talk)
    assert conversation.office.did == [("perform", "person", "wants a person", "")]
    assert texts(conversation) == ["One moment please."]
    assert conversation.over == ["done"]


def test_an_action_that_there_is_not_changes_nothing() -> None:
    async def talk(call: Talk) -> None:
        with pytest.raises(NotAllowed, match="no action refund"):
            await call.do("refund")
        await call.do("callback", due="2026-11-27T10:00")
        await call.say("Done.")

    conversation = converse(talk)
    assert conversation.office.did == [
        ("perform", "callback", "", "2026-11-27T10:00"),
        ("goodbye", GOODBYE),
    ]


def test_facts_places_and_a_check_of_who_it_is() -> None:
    async def talk(call: Talk) -> None:
        await call.fact("order", "4711")
        await call.at("status")
        await call.verify(then="known", failed="person")

    did = converse(talk).office.did
    assert did == [("fact", "order", "4711"), ("place", "status"), ("verify", "known", "person")]


@pytest.mark.parametrize(
    ("act", "choice"),
    [(speaks("a large one"), "large"), (presses("1"), "small"), (speaks("I do not know"), "")],
)
def test_a_choice_is_made_by_speech_or_key(act: Callable[[Conversation], None], choice: str) -> None:
    chosen: list[str] = []

    async def talk(call: Talk) -> None:
        chosen.append(await call.choose("Which?", {"small": ["small"], "large": ["large", "big"]}))

    converse(talk, (1.0, act))
    assert chosen == [choice]


@pytest.mark.parametrize(("word", "answer"), [("yes it is", True), ("no", False), ("hm", False)])
def test_a_question_is_confirmed_or_not(word: str, answer: bool) -> None:
    answers: list[bool] = []

    async def talk(call: Talk) -> None:
        answers.append(await call.confirm("Is that right?"))

    converse(talk, (1.5, speaks(word)))
    assert answers == [answer]


def test_digits_are_spoken_in_parts_or_keyed_up_to_the_hash() -> None:
    found: list[str] = []

    async def talk(call: Talk) -> None:
        found.append(await call.digits("Which number?", least=4, most=8))
        found.append(await call.digits("And the other?", least=2, most=8))

    keys = [(12.0 + 0.3 * n, presses(key)) for n, key in enumerate("42#")]
    converse(talk, (1.0, speaks("four seven")), (3.0, speaks("one one")), *keys)
    assert found == ["4711", "42"]


def test_a_hash_key_behind_digits_that_are_enough_disturbs_nothing() -> None:
    found: list[Any] = []

    async def talk(call: Talk) -> None:
        found.append(await call.digits("Which number?", least=4, most=4))
        found.append((await call.say("Thank you, one moment please.")).whole)
        found.append(await call.choose("Which?", {"small": ["small"], "large": ["large"]}))

    keys = [(2.0 + 0.2 * n, presses(key)) for n, key in enumerate("4711#")]
    conversation = converse(talk, *keys, (6.0, presses("2")))
    assert found == ["4711", True, "large"]
    assert not any(command["event"] == "clear" for command in conversation.judge.commands)


@pytest.mark.parametrize("kind", ["choice", "yes"])
def test_keys_that_mean_nothing_are_one_answer_together(kind: str) -> None:
    found: list[Any] = []

    async def talk(call: Talk) -> None:
        if kind == "yes":
            found.append(await call.confirm("Yes or no?"))
        else:
            found.append(await call.choose("Which?", {"yes": ["yes"]}, keys={"1": "yes"}) == "yes")

    keys = [(1.0 + 0.2 * n, presses(key)) for n, key in enumerate("821#")]
    conversation = converse(talk, *keys, (5.0, presses("1")))
    assert found == [True]
    assert len(conversation.lines) == 2, "asked again once"


def test_what_is_too_long_for_an_engine_is_made_in_pieces() -> None:
    said: list[Said] = []
    text = "and then some more " * 60

    async def talk(call: Talk) -> None:
        said.append(await call.say(text))

    conversation = converse(talk, seconds=180)
    assert said[0].text.split() == text.split()
    assert max(len(text) for text, _ in conversation.runner.part.speaker.asked) <= 500


@pytest.mark.parametrize(("seconds", "over"), [(8, []), (20, ["done"])])
def test_a_voice_whose_caller_is_fetched_leaves_the_closing_to_twilio_for_a_while(
    seconds: float, over: list[str]
) -> None:
    async def talk(call: Talk) -> None:
        await call.at("menu")

    async def taken(at: str) -> None:
        raise Refused("taken_over", "Somebody else has the call now.")

    async def whole() -> list[str]:
        conversation = Conversation(Told(talk))
        conversation.office.place = taken  # type: ignore[method-assign]
        return list((await conversation.last(seconds)).over)

    assert virtual.run(whole) == over


def test_who_talks_on_without_a_digit_is_asked_again_and_not_for_ever() -> None:
    found: list[str] = []

    async def talk(call: Talk) -> None:
        found.append(await call.digits("Which number?", least=4, most=8))

    chat = [(1.0 + 3 * n, speaks("well you see")) for n in range(60)]
    conversation = converse(talk, *chat)
    assert found == [""]
    assert len(conversation.lines) == 3
    assert conversation.at_ms < 90_000


def test_the_echo_says_what_it_hears_and_ends_with_the_hash_key() -> None:
    async def whole() -> Conversation:
        conversation = Conversation(EchoVoice())
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, conversation.speaks, "hello", 1.0)
        loop.call_later(5.0, conversation.presses, "#")
        return await conversation.last(60)

    conversation = virtual.run(whole)
    assert conversation.over == ["done"]
    sound = b"".join(sound for _, sound in conversation.sounded)
    assert sound.count(VOICE) == 50
    assert not any(command["event"] == "clear" for command in conversation.judge.commands)


def test_who_hangs_up_ends_the_voice() -> None:
    ended: list[str] = []

    async def talk(call: Talk) -> None:
        try:
            await call.say(LONG * 10)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    conversation = converse(talk, (1.0, lambda one: one.hang_up()), seconds=3)
    assert ended == ["cancelled"]
    assert conversation.over == []
    assert conversation.lines[0].is_cut


def test_a_mark_that_never_comes_back_keeps_nobody_waiting_and_is_not_believed() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say("Hello there."))

    conversation = converse(talk, lose=1.0)
    assert said == [Said("", 0, False)]
    assert conversation.believed() == set()
    assert len(conversation.played()) == 1


def test_a_socket_that_takes_nothing_more_keeps_no_voice_waiting_for_ever() -> None:
    said: list[Said] = []

    async def talk(call: Talk) -> None:
        said.append(await call.say(" ".join(["word"] * 120) + "."))
        await call.do("person")

    def stall(conversation: Conversation) -> None:
        conversation.outlet.get = asyncio.Event().wait  # type: ignore[assignment, method-assign]

    conversation = converse(talk, (1.0, stall))
    assert not said[0].whole
    assert conversation.over == ["done"]


def test_a_site_names_its_own_voices() -> None:
    own = {"parrot": "streams.voices.echo:EchoVoice", "gone": "nowhere.at_all:Gone"}
    assert isinstance(registry.make("parrot", own), EchoVoice)
    assert isinstance(registry.make("echo", own), EchoVoice)
    with pytest.raises(registry.UnknownVoice, match="known: flow, realtime, echo, parrot, gone"):
        registry.make("nobody", own)
    with pytest.raises(registry.UnknownVoice, match="nowhere"):
        registry.make("gone", own)


@pytest.mark.parametrize(
    "text", ["class Parrot:", "raise OSError('no key')", "class Parrot:\n    async def talk(self, call): ..."]
)
def test_what_is_wrong_with_a_sites_own_voice_is_told_by_name(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parrot_house.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "parrot_house", raising=False)
    with pytest.raises(registry.UnknownVoice, match="parrot_house:Parrot cannot be used"):
        registry.make("parrot", {"parrot": "parrot_house:Parrot"})


def test_who_hears_sound_and_words_answers_the_sound() -> None:
    """An AI agent answers before the engine has its line, which then begins no turn."""

    class Agent(Listening):
        wants_words = True

    async def talk(call: Talk) -> None:
        quiet = 0
        while quiet < 15:
            event = await call.hear()
            if isinstance(event, Frame):
                quiet = quiet + 1 if event.payload == b"\xff" * 160 and event.at_ms > 1500 else 0
        await call.play(b"\x55" * 800, "yes")
        await call.heard_out()
        await call.hear(timeout_s=3)
        await call.play(b"\x55" * 8000, "and more")
        await call.heard_out()

    conversation = converse(talk, (1.0, speaks("a pizza please")), kind=Agent)
    assert [number for number, *_ in conversation.turns] == [1]
    assert 200 <= conversation.turns[0][2] <= 500
