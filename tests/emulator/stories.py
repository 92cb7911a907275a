"""Random calls, two and two: what the product answers, what people do, what happens from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from emulator.people.scripts import Act, Part, Script

RECORDINGS = ("cmd_today.wav", "cmd_two_people.wav", "cmd_weather.wav")
KEYS = "1234567890*#"
LONGEST_S = 40.0
UNI = ("listen", "close", "drop", "refuse", "talk")
BI = ("listen", "close", "drop", "refuse", "echo", "interrupt", "nonsense")
EVENTS = "initiated ringing answered completed"
HAPPENS = ("hangup", "complete", "redirect", "twiml", "press", "start", "stop", "drop", "twice")
AMONG_MEMBERS = ("hold", "music", "resume", "mute", "unmute", "coach", "redirect", "twice", "remove")
GATHER_TWO = "<Gather action='{next}?of=two' numDigits='2' timeout='1'><Say>Hm</Say></Gather>"
GATHER_ANY = "<Gather action='{next}?of=any' input='speech dtmf' timeout='1' speechTimeout='auto'/>"
TAP = "<Start><Stream url='{media}/listen/' track='both_tracks' statusCallback='{streams}'/></Start>"


@dataclass(frozen=True)
class Story:
    """One call: the verbs of each document, the people, and (seconds, what) that happens from outside."""

    documents: tuple[tuple[str, ...], ...]
    caller: tuple[Act, ...]
    callee: tuple[Act, ...]
    reply: str
    events: tuple[tuple[float, str], ...]

    def script(self, name: str) -> Script:
        callee: Any = Part(does=self.callee, reply=self.reply, answer_after=0.4)  # type: ignore[arg-type]
        caller = Part(does=(*self.caller, Act(hang_up=True, after=1.0)))
        return Script(name, caller=caller, callee=callee, hangup_after=None, patience=6.0)


# Verbs. Words in braces are addresses that the stage puts in; `of` tells an action whose it is.


def room(terms: str = "waitUrl=''") -> str:
    return (
        f"<Dial action='{{next}}?of=room' timeLimit='5'><Conference {terms} beep='false'"
        " statusCallback='{rooms}' statusCallbackEvent='start end join leave mute hold modify'>"
        "room {pair}</Conference></Dial>"
    )


def rooms() -> st.SearchStrategy[str]:
    """A room that two stories share, on all kinds of terms."""
    usual = ["waitUrl=''", "", "waitUrl='{wait}'"]
    other = ["muted='true'", "startConferenceOnEnter='false'", "endConferenceOnExit='true'"]
    return st.sampled_from([*usual * 2, *other, "record='record-from-start'"]).map(room)


def dials() -> st.SearchStrategy[str]:
    """Numbers that are rung, with and without a word to the callee first."""
    told = f"statusCallback='{{progress}}' statusCallbackEvent='{EVENTS}'"
    return st.sampled_from(
        [
            f"<Dial action='{{next}}?of=dial' timeLimit='3'><Number {told}>+3120000</Number></Dial>",
            "<Dial action='{next}?of=dial' timeLimit='4'><Number url='{whisper}'>+3120000</Number></Dial>",
            "<Dial action='{next}?of=dial' record='true' timeLimit='3'><Number>+3120000</Number></Dial>",
            "<Dial timeout='1' answerOnBridge='true'>+3120000</Dial>",
        ]
    )


def waits() -> st.SearchStrategy[str]:
    """Somebody waits in the queue of the pair, with TwiML that ends the wait or with music."""
    return st.sampled_from(
        [
            "<Enqueue action='{next}?of=enqueue' waitUrl='{wait}'>queue {pair}</Enqueue>",
            "<Enqueue action='{next}?of=enqueue'>queue {pair}</Enqueue>",
        ]
    )


def takes() -> st.SearchStrategy[str]:
    """Somebody takes whoever waits in front, with and without a word to them first."""
    start = "<Dial action='{next}?of=take' timeout='3' timeLimit='3'><Queue"
    return st.sampled_from(
        [f"{start}>queue {{pair}}</Queue></Dial>", f"{start} url='{{whisper}}'>queue {{pair}}</Queue></Dial>"]
    )


def streams() -> st.SearchStrategy[str]:
    """A stream of one direction."""
    return st.builds(
        lambda track, name, how: (
            f"<Start><Stream url='{{media}}/{how}/' track='{track}' name='{name}'"
            f" statusCallback='{{streams}}'><Parameter name='how' value='{how}'/></Stream></Start>"
        ),
        st.sampled_from(["both_tracks", "inbound_track", "outbound_track"] * 3 + ["left_track"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(UNI),
    )


def bots() -> st.SearchStrategy[str]:
    """A stream of both directions."""
    return st.builds(
        lambda how, track: (
            f"<Connect action='{{next}}?of=connect'><Stream url='{{media}}/{how}/' track='{track}'"
            " statusCallback='{streams}'/></Connect>"
        ),
        st.sampled_from(BI),
        st.sampled_from(["inbound_track"] * 7 + ["both_tracks"]),
    )


def verbs() -> st.SearchStrategy[str]:
    """One verb."""
    plain = st.sampled_from(
        [
            "<Say>Hello there</Say>",
            "<Pause length='1'/>",
            "<Pause length='2'/>",
            "<Say>A prompt that takes a while to be said</Say>",
            "<Play digits='12'/>",
            "<Stop><Stream name='a'/></Stop>",
            GATHER_TWO,
            GATHER_ANY,
            "<Record action='{next}?of=record' timeout='1' maxLength='2'/>",
            "<Start><Transcription statusCallbackUrl='{words}'/></Start>",
            "<Redirect>{next}</Redirect>",
            "<Hangup/>",
            "<Reject/>",
            "<Leave/>",
            "<Tango/>",
        ]
    )
    return st.one_of(
        streams(), streams(), bots(), plain, plain, plain, st.one_of(dials(), rooms(), waits(), takes())
    )


# People.


def acts() -> st.SearchStrategy[Act]:
    """One thing that somebody does."""
    after = st.sampled_from([0.0, 0.1, 0.5, 1.3])
    wait = st.sampled_from(["", "", "", "answered", "gather", "connected", "prompt", "stream"])
    return st.one_of(
        st.builds(Act, wait=wait, after=after, play=st.sampled_from(RECORDINGS)),
        st.builds(Act, wait=wait, after=after, press=st.text(KEYS, min_size=1, max_size=3)),
        st.builds(Act, wait=wait, after=after),
    )


def talk() -> st.SearchStrategy[tuple[Act, ...]]:
    """Somebody who speaks once they are listened to, and then listens."""
    return st.tuples(
        st.builds(Act, after=st.sampled_from([0.5, 1.3, 2.1]), play=st.sampled_from(RECORDINGS)),
        st.builds(Act, after=st.sampled_from([0.5, 2.0])),
    )


def keys() -> st.SearchStrategy[tuple[Act, ...]]:
    """Somebody who presses keys, now and then, before and after they are asked to."""
    press = st.builds(
        Act,
        after=st.sampled_from([0.0, 0.1, 0.2, 0.6]),
        press=st.text(KEYS, min_size=1, max_size=4),
    )
    return st.lists(press, min_size=1, max_size=3).map(tuple)


# Calls.


def stories(
    opening: st.SearchStrategy[str] | None = None,
    happens: tuple[str, ...] = HAPPENS,
    caller: st.SearchStrategy[tuple[Act, ...]] | None = None,
) -> st.SearchStrategy[Story]:
    """One call of at most LONGEST_S; with an `opening` it is listened to and begins with that verb."""
    document = st.lists(verbs(), min_size=2, max_size=6).map(tuple)
    documents = st.lists(document, min_size=1, max_size=3).map(tuple)
    if opening is not None:
        documents = st.tuples(st.tuples(st.just(TAP), opening, verbs()), documents).map(
            lambda told: (told[0], *told[1][:2])
        )
    people: Any = st.lists(acts(), min_size=1, max_size=4).map(tuple)
    return st.builds(
        Story,
        documents=documents,
        caller=caller if caller is not None else people if opening is None else talk(),
        callee=st.lists(acts(), max_size=2).map(tuple) if opening is None else talk(),
        reply=st.sampled_from(["answers", "answers", "busy", "no-answer", "failed"]),
        events=st.lists(st.tuples(st.floats(0.1, 8.0), st.sampled_from(happens)), max_size=2).map(tuple),
    )


def pairs() -> st.SearchStrategy[tuple[Story, Story]]:
    """Two calls that share a room and a queue: they meet there, or one dials or is asked something."""
    asked = st.sampled_from([GATHER_TWO, GATHER_ANY])
    recorded = st.just("<Record action='{next}?of=record' timeout='1' maxLength='3'/>")
    members = stories(rooms(), AMONG_MEMBERS)
    return st.one_of(
        st.tuples(stories(), stories()),
        st.tuples(members, members),
        st.tuples(stories(waits()), stories(takes())),
        st.tuples(stories(dials()), stories(asked, caller=keys())),
        st.tuples(stories(recorded), stories(asked, caller=keys())),
    )
