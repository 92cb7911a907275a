"""The recogniser and its second hearings, on people."""

import pytest

from streams.engines.hearing import Hearing
from streams.engines.moonshine import Heard, Moonshine
from streams.engines.sound import padded, steady, ulaw_samples, widen
from streams.scoring import normalise, score, total
from tests.streams.sounds import MODELS, RECORDINGS, clips, recorded

COMMANDS = {
    "cmd_book_a_room.wav": "book a room",
    "cmd_two_people.wav": "two people",
    "cmd_half_an_hour.wav": "half an hour",
    "cmd_today.wav": "today",
    "cmd_230pm.wav": "two thirty p m",
    "cmd_brooklyn_bridge.wav": "how old is the brooklyn bridge",
    "cmd_weather.wav": "what's the weather like",
}
JFK = (
    "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
)


@pytest.fixture(scope="module")
def model() -> Moonshine:
    return Moonshine(MODELS)


@pytest.fixture(scope="module")
def hearing(model: Moonshine) -> Hearing:
    return Hearing(model)


def said(hearing: Hearing, name: str) -> str:
    return " ".join(hearing.final(clip).text for clip in clips(recorded(name)))


@pytest.mark.parametrize("name", COMMANDS)
def test_short_commands_are_understood(hearing: Hearing, name: str) -> None:
    assert normalise(said(hearing, name)) == normalise(COMMANDS[name])


def test_a_speech_is_understood_but_for_a_few_words(hearing: Hearing) -> None:
    rate = score(JFK, said(hearing, "jfk.wav")).rate
    assert rate is not None
    assert rate <= 0.15


def test_telephone_numbers_are_nearly_right(hearing: Hearing) -> None:
    numbers = {"jackson": "4155550132", "nicolas": "2025550179", "theo": "8005550123"}
    spoken = {name: " ".join(number) for name, number in numbers.items()}
    rate = total(score(spoken[name], said(hearing, f"phone_number_{name}.wav")) for name in numbers).rate
    assert rate is not None
    assert rate <= 0.2


def test_words_bring_their_confidence(hearing: Hearing) -> None:
    (clip,) = clips(recorded("cmd_brooklyn_bridge.wav"))
    heard = hearing.final(clip)
    assert " ".join(word.text for word in heard.words) == heard.text
    assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in heard.words)
    assert heard.confidence is not None
    assert heard.confidence > 0.7


def test_a_draft_changes_nothing_but_the_time_it_takes(model: Moonshine) -> None:
    sound = widen(ulaw_samples(recorded("cmd_weather.wav")))
    heard = model.hear(sound)
    assert model.hear(sound, heard.tokens).tokens == heard.tokens
    assert model.hear(sound, heard.tokens[:2]).tokens == heard.tokens
    assert model.hear(sound, (*heard.tokens[:2], 77, 78, 79)).tokens == heard.tokens


def test_almost_no_sound_is_nothing(model: Moonshine) -> None:
    assert model.hear(ulaw_samples(b"\xff" * 300)) == Heard()


def test_a_clip_without_words_has_no_text(hearing: Hearing) -> None:
    (clip,) = clips(recorded("cmd_today.wav"))[:1]
    silent = type(clip)(clip.samples * 0, clip.voiced & False, 0, 0, 0, clip.used_ms)
    assert hearing.final(silent).text == ""


def test_hearing_stops_when_it_is_no_longer_wanted(hearing: Hearing) -> None:
    asked: list[bool] = []

    def unwanted() -> bool:
        asked.append(True)
        return True

    doubtful = clips(recorded("two_colleagues_mono.wav"))[-1]
    assert hearing.final(doubtful, (), unwanted).text
    assert asked


def test_quiet_and_loud_speakers_are_brought_to_one_loudness() -> None:
    (clip,) = clips(recorded("cmd_weather.wav"))
    loud, low = (steady(clip.samples * factor, clip.voiced) for factor in (0.9, 0.1))
    assert abs(loud).max() == pytest.approx(abs(low).max(), rel=0.01)
    assert abs(steady(padded(clip.samples * 50, 0, 0), clip.voiced)).max() <= 1


def test_the_wide_sound_goes_through_the_narrow_one() -> None:
    sound = ulaw_samples(recorded("cmd_today.wav"))
    wide = widen(sound)
    assert len(wide) == 2 * len(sound)
    assert (wide[::2] == sound).all()
    between = (sound[:-1] + sound[1:]) / 2
    assert abs(wide[1:-1:2] - between).mean() < 0.2 * abs(sound).mean() + 1e-3


def test_missing_models_name_the_remedy(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="speech install"):
        Moonshine(tmp_path)


def test_the_recordings_are_there() -> None:
    assert {path.name for path in RECORDINGS.glob("cmd_*.wav")} == set(COMMANDS)
