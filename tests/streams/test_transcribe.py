"""Judging recordings by command: any WAV, the live segmenter, word error rate where a reference is known."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from streams.audio import ulaw_to_pcm
from streams.engines.recording import RecordingError, read
from streams.scoring import normalise, score
from tests.streams.sounds import RECORDINGS, recorded

BRIDGE = "how old is the brooklyn bridge"


def wav(path: Path, code: int, bits: int, rate: int, body: bytes, channels: int = 1) -> Path:
    """A WAV file with an odd chunk before its sound, as some programs write."""
    form = struct.pack(
        "<HHIIHH", code, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    chunks = [(b"fmt ", form), (b"LIST", b"odd"), (b"data", body)]
    whole = b"".join(struct.pack("<4sI", name, len(of)) + of + b"\0" * (len(of) % 2) for name, of in chunks)
    path.write_bytes(struct.pack("<4sI4s", b"RIFF", len(whole) + 4, b"WAVE") + whole)
    return path


def spoken(rate: int = 8000) -> np.ndarray:
    """A question as samples in −1 … 1."""
    sound = np.frombuffer(ulaw_to_pcm(recorded("cmd_brooklyn_bridge.wav")), dtype="<i2") / 32768
    at = np.arange(int(len(sound) * rate / 8000)) * 8000 / rate
    return np.interp(at, np.arange(len(sound)), sound)


def judged(capsys: pytest.CaptureFixture[str], *files: Path) -> list[dict[str, Any]]:
    call_command("transcribe", *map(str, files), json=True)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def text(entry: dict[str, Any], track: str) -> str:
    said = [line["text"] for line in entry["utterances"] if line["track"] == track]
    return " ".join(normalise(" ".join(said)))


def test_a_recording_with_a_reference_is_scored(capsys) -> None:
    (entry,) = judged(capsys, RECORDINGS / "cmd_brooklyn_bridge.wav")
    (line,) = entry["utterances"]
    assert text(entry, "inbound") == BRIDGE
    assert line["track"] == "inbound"
    assert 300 < line["start_ms"] < line["end_ms"] < 2700
    assert 0.5 < line["confidence"] <= 1
    assert (entry["words"], entry["errors"], entry["word_error_rate"]) == (6, 0, 0.0)


def test_a_recording_without_one_is_written_down_all_the_same(capsys, tmp_path: Path) -> None:
    copy = shutil.copy(RECORDINGS / "cmd_brooklyn_bridge.wav", tmp_path)
    (entry,) = judged(capsys, Path(copy))
    assert text(entry, "inbound") == BRIDGE
    assert (entry["words"], entry["word_error_rate"]) == (None, None)


def test_noise_has_no_words(capsys) -> None:
    (entry,) = judged(capsys, RECORDINGS / "noise_dishes.wav")
    assert entry["utterances"] == []
    assert (entry["words"], entry["words_heard"], entry["word_error_rate"]) == (0, 0, None)


def test_two_tracks_are_told_apart_by_the_names_of_the_manifest(capsys, tmp_path: Path) -> None:
    question, answer = (recorded(name) for name in ("cmd_brooklyn_bridge.wav", "cmd_today.wav"))
    answer += b"\xff" * (len(question) - len(answer))
    path = wav(tmp_path / "call.wav", 7, 8, 8000, bytes(np.array([list(question), list(answer)], "u1").T), 2)
    turns = [{"track": "agent", "text": BRIDGE}, {"track": "caller", "text": "today"}]
    manifest = {"files": {"call.wav": {"channel_names": ["agent", "caller"], "text": None, "turns": turns}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (entry,) = judged(capsys, path)
    assert (text(entry, "agent"), text(entry, "caller")) == (BRIDGE, "today")
    assert (entry["words"], entry["errors"]) == (7, 0)


@pytest.mark.parametrize(
    ("code", "bits", "rate"),
    [(1, 16, 8000), (1, 16, 16_000), (1, 24, 44_100), (1, 8, 11_025), (1, 32, 48_000), (3, 32, 22_050)],
)
def test_recordings_of_other_codings_and_rates_are_understood(
    capsys, tmp_path: Path, code: int, bits: int, rate: int
) -> None:
    path = wav(tmp_path / "other.wav", code, bits, rate, coded(spoken(rate), code, bits))
    (entry,) = judged(capsys, path)
    assert score(BRIDGE, text(entry, "inbound")).errors <= (1 if bits == 8 else 0)


def coded(sound: np.ndarray, code: int, bits: int) -> bytes:
    if code == 3:
        return sound.astype("<f4").tobytes()
    if bits == 8:
        return (sound * 127 + 128).round().astype(np.uint8).tobytes()
    whole = (sound * (2 ** (bits - 1) - 1)).astype("<i4")
    raw: bytes = whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    return raw


def test_mu_law_of_a_telephone_passes_untouched(tmp_path: Path) -> None:
    body = bytes(range(256)) * 4
    assert read(wav(tmp_path / "a.wav", 7, 8, 8000, body)).channels == (body,)


def test_a_law_is_the_same_sound(tmp_path: Path) -> None:
    body = bytes([0xD5, 0x55, 0xAA, 0x2A]) * 100  # smallest and largest, both signs
    (ulaw,) = read(wav(tmp_path / "a.wav", 6, 8, 8000, body)).channels
    first = np.frombuffer(ulaw_to_pcm(ulaw[:4]), dtype="<i2")
    assert abs(first[:2]).max() <= 16
    assert first[2] > 30_000
    assert first[3] < -30_000


def test_sound_above_the_telephone_band_does_not_fold_into_it(tmp_path: Path) -> None:
    high = 0.5 * np.sin(2 * np.pi * 6500 * np.arange(48_000) / 48_000)
    (ulaw,) = read(wav(tmp_path / "a.wav", 1, 16, 48_000, (high * 32767).astype("<i2").tobytes())).channels
    heard = np.frombuffer(ulaw_to_pcm(ulaw), dtype="<i2")[500:-500]
    assert abs(heard).max() < 60


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a WAV"),
        (b"RIFF\x04\x00\x00\x00WAVE", "no format"),
        (b"RIFF\x14\x00\x00\x00WAVEfmt \x04\x00\x00\x00\x01\x00\x01\x00", "cut off"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=said):
        read(path)


def test_the_command_names_the_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="absent"):
        call_command("transcribe", str(tmp_path / "absent.wav"))


def test_people_read_lines_and_a_total(capsys) -> None:
    call_command("transcribe", *(str(RECORDINGS / f"cmd_{name}.wav") for name in ("today", "two_people")))
    out = capsys.readouterr().out
    assert "Two people." in out
    assert "all: 0.0% of 3 words wrong" in out
