"""Recordings and scripts: which are played, in which order, by whom."""

import base64
import json
from pathlib import Path

import pytest

from emulator.audio.sound import Library, SoundError, read_wav
from emulator.people.script_files import from_recordings, load, shipped
from emulator.people.scripts import ScriptError
from tests.emulator.conftest import tone


def test_six_or_more_conversations_are_shipped_and_the_first_three_are_the_long_ones() -> None:
    scripts = shipped()
    names = [scripts.choose(None).name for _ in range(9)]
    assert names[:3] == ["conversation", "auto_repair_call", "reading_5min"]
    assert len(set(names)) >= 6
    assert names[len(set(names))] == "conversation"


def test_a_two_track_recording_gives_each_speaker_a_channel_byte_for_byte() -> None:
    scripts = shipped()
    raw = (scripts.library.directory / "conversation.wav").read_bytes()[58:]
    for name, channel in (("caller", 0), ("agent", 1)):
        sound = scripts.library.sound("conversation.wav", name)
        assert b"".join(frame.raw for frame in sound.frames)[: len(raw) // 2] == raw[channel::2]
        assert all(base64.b64decode(frame.text) == frame.raw for frame in sound.frames)


def test_every_recording_that_a_script_names_can_be_played() -> None:
    scripts = shipped()
    for script in scripts.by_name.values():
        for play in script.caller.plays + script.callee.plays:
            assert scripts.library.sound(play.file, play.channel).ms > 0


def test_other_recordings_make_scripts_in_the_order_of_the_demo_noise_last(tmp_path: Path) -> None:
    for name in ("zebra", "reading_5min", "dishes", "conversation", "abc", "auto_repair_call"):
        tone(tmp_path / f"{name}.wav", seconds=0.1, channels=2 if name == "conversation" else 1)
    manifest = {"files": {"dishes.wav": {"speakers": 0}, "abc.wav": {"speakers": 1}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    scripts = from_recordings(tmp_path)
    assert list(scripts.by_name) == [
        "conversation",
        "auto_repair_call",
        "reading_5min",
        "abc",
        "zebra",
        "dishes",
    ]
    both = scripts.by_name["conversation"]
    assert ([p.channel for p in both.caller.plays], [p.channel for p in both.callee.plays]) == (
        ["caller"],
        ["agent"],
    )
    assert scripts.by_name["abc"].callee.plays == ()
    assert both.hangup_after == pytest.approx(1.1)


def test_recordings_need_no_manifest_and_pcm_of_another_rate_is_brought_to_8_khz(tmp_path: Path) -> None:
    tone(tmp_path / "wide.wav", seconds=1, rate=16000)
    library = Library(tmp_path)
    assert library.sound("wide.wav", "caller").ms in {1000, 1020}


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"nonsense", "not a WAV file"), (b"RIFF\x00\x00\x00\x00WAVE", "not a WAV file with a format and data")],
)
def test_what_is_no_recording_is_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(SoundError, match=f"bad.wav: {says}"):
        from_recordings(tmp_path)


def test_an_unplayable_format_is_named() -> None:
    head = bytes.fromhex("0300 0100 401f0000 007d0000 0400 2000".replace(" ", ""))
    body = b"WAVEfmt \x10\x00\x00\x00" + head + b"data\x04\x00\x00\x00\x00\x00\x00\x00"
    with pytest.raises(SoundError, match="format 3 with 32 bits"):
        read_wav(b"RIFF" + len(body).to_bytes(4, "little") + body, "float.wav")


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no recordings"):
        from_recordings(tmp_path)


def test_a_script_says_who_plays_what_when_and_hangs_up(tmp_path: Path) -> None:
    tone(tmp_path / "hello.wav", seconds=2)
    path = tmp_path / "greeting.toml"
    path.write_text(
        """
        title = "Hello"
        hangup_by = "callee"
        [caller]
        name = "Alice"
        plays = [{ file = "hello.wav", at = 3.0 }]
        keys = [{ at = 1.0, digits = "12#" }]
        [callee]
        answer_after = 4.0
        """
    )
    script = load(path, Library(tmp_path))
    assert (script.name, script.caller.name, script.hangup_by) == ("greeting", "Alice", "callee")
    assert script.hangup_after == pytest.approx(6.0)
    assert (script.caller.keys[0].digits, script.callee.answer_after) == ("12#", 4.0)


@pytest.mark.parametrize(
    "text",
    [
        "title = ",
        "[caller]\nplays = [{ file = 'no.wav' }]",
        "colour = 'red'",
        "[caller]\nplays = [{ at = 1 }]",
    ],
    ids=["not TOML", "missing file", "unknown key", "no file"],
)
def test_a_script_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(text)
    with pytest.raises(ScriptError, match=r"^broken\.toml: "):
        load(path, Library(tmp_path))
