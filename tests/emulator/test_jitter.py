"""The buffer between a browser and its leg."""

from emulator.audio.jitter import DEEPEST, TARGET, Jitter
from emulator.audio.sound import SILENCE, Frame


def frames(number: int) -> list[Frame]:
    return [Frame.of(bytes([at % 100]) * 160) for at in range(number)]


def filled(sent: list[Frame]) -> Jitter:
    jitter = Jitter()
    for frame in sent:
        jitter.push(frame)
    return jitter


def test_it_waits_until_enough_is_there() -> None:
    sent = frames(TARGET)
    jitter = filled(sent[:-1])
    assert jitter.frame(100) is SILENCE
    jitter.push(sent[-1])
    assert [jitter.frame(tick) for tick in range(101, 101 + TARGET)] == sent


def test_what_is_asked_twice_at_one_tick_is_given_twice() -> None:
    sent = frames(5)
    jitter = filled(sent)
    assert [jitter.frame(7), jitter.frame(7), jitter.frame(8)] == [sent[0], sent[0], sent[1]]


def test_ticks_at_which_nobody_asked_have_passed() -> None:
    sent = frames(6)
    jitter = filled(sent)
    jitter.frame(1)
    assert jitter.frame(4) == sent[3]


def test_when_it_runs_dry_it_fills_again_before_it_plays() -> None:
    sent = frames(TARGET)
    jitter = filled(sent)
    for tick in range(TARGET):
        jitter.frame(tick)
    assert (jitter.frame(TARGET), jitter.starved) == (SILENCE, 1)
    jitter.push(sent[0])
    assert jitter.frame(TARGET + 1) is SILENCE
    for frame in sent[1:]:
        jitter.push(frame)
    assert jitter.frame(TARGET + 2) == sent[0]


def test_it_never_grows_beyond_its_depth() -> None:
    sent = frames(DEEPEST + 10)
    jitter = filled(sent)
    assert (jitter.depth, jitter.dropped, jitter.frame(0)) == (DEEPEST, 10, sent[10])


def test_delay_that_has_built_up_is_taken_away() -> None:
    jitter = filled(frames(20))
    for tick in range(200):
        jitter.push(frames(1)[0])
        jitter.frame(tick)
    assert jitter.depth <= TARGET
    assert jitter.dropped >= 20 - TARGET - 1
