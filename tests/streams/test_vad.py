"""Voice activity on people, and on what a telephone line sounds like without any."""

import pytest

from streams.engines.sound import ulaw_samples
from streams.engines.vad import WINDOW, Vad, VadModel
from tests.streams.sounds import MODELS, NOISES, recorded


@pytest.fixture(scope="module")
def model() -> VadModel:
    return VadModel(MODELS)


def chances(model: VadModel, ulaw: bytes) -> list[float]:
    vad, sound = Vad(model), ulaw_samples(ulaw)
    return [vad.probability(sound[at : at + WINDOW]) for at in range(0, len(sound) - WINDOW, WINDOW)]


def test_a_speaker_is_voice_and_the_pause_is_not(model: VadModel) -> None:
    heard = chances(model, recorded("jfk.wav"))
    speaking, pausing = heard[int(1.3 / 0.032) : int(2.0 / 0.032)], heard[int(2.7 / 0.032) : int(3.1 / 0.032)]
    assert min(speaking) > 0.5 > max(pausing)


@pytest.mark.parametrize("noise", NOISES)
def test_noises_of_a_line_are_not_voice(model: VadModel, noise: str) -> None:
    assert max(chances(model, NOISES[noise])) < 0.5


def test_tracks_do_not_disturb_each_other(model: VadModel) -> None:
    alone = chances(model, recorded("cmd_today.wav"))
    one, other = Vad(model), Vad(model)
    sound, noise = ulaw_samples(recorded("cmd_today.wav")), ulaw_samples(NOISES["dishes"])
    mixed = []
    for at in range(0, len(sound) - WINDOW, WINDOW):
        mixed.append(one.probability(sound[at : at + WINDOW]))
        other.probability(noise[at : at + WINDOW])
    assert mixed == alone


def test_missing_models_name_the_remedy(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="speech install"):
        VadModel(tmp_path)
