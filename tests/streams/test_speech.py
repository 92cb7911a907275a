"""Voices speak: by flite as a small process, at a telephone's loudness, and nothing is spoken twice."""

import asyncio
import dataclasses
import os
import re
import stat
import sys
import wave
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calls.flows.file import parse
from streams.audio import SILENCE, level
from streams.engines.sound import ulaw_samples
from streams.speech import registry
from streams.speech.base import MOST_CHARACTERS, SpeechError
from streams.speech.cache import SHIPPED, Cache
from streams.speech.flite import Flite, plain
from streams.speech.sound import from_wav, telephone
from streams.speech.store import Store
from tests.streams.waiting import until
from tools.house import ROOT

FLOW = ROOT / "calls" / "flows" / "self_service.yaml"
# What stands in for flite: it says in how many characters, and by a tone of half a second.
PROGRAM = """#!{python}
import math, struct, sys, wave
text = sys.stdin.buffer.read()
assert sys.argv[1:5] == ["-voice", "slt", "-f", "-"] and sys.argv[5] == "-o", sys.argv
open({told!r}, "ab").write(text + b"\\n")
{more}
with wave.open(sys.argv[6], "wb") as file:
    file.setparams((1, 2, 16000, 0, "NONE", ""))
    file.writeframes(b"".join(struct.pack("<h", int(3000 * math.sin(n / 5))) for n in range(8000)))
"""


class Made(Flite):
    """flite with a stand-in for its program; `texts` are those that reached it."""

    def __init__(self, directory: Path, more: str = "", **how: Any) -> None:
        self._told = directory / "told"
        program = directory / "flite"
        program.write_text(PROGRAM.format(python=sys.executable, told=str(self._told), more=more))
        program.chmod(0o700)
        super().__init__(str(program), **how)

    @property
    def texts(self) -> list[str]:
        return self._told.read_text().splitlines() if self._told.exists() else []


class Counting:
    """A speaker that counts, and waits to be let go on."""

    def __init__(self, bytes_each: int = 800) -> None:
        self.spoken: list[str] = []
        self.may = asyncio.Event()
        self.may.set()
        self._bytes = bytes_each

    def voice(self, language: str) -> str:
        return f"counting-{language}"

    async def speak(self, text: str, language: str) -> bytes:
        self.spoken.append(text)
        await self.may.wait()
        if text == "broken":
            raise SpeechError("it is broken", "Mend it.")
        return bytes([len(self.spoken) % 250]) * self._bytes


def waves(rate: int, *hertz: float, seconds: float = 1.0) -> Any:
    at = np.arange(int(rate * seconds)) / rate
    return sum(0.2 * np.sin(2 * np.pi * each * at) for each in hertz)


def loudness(ulaw: bytes, hertz: float) -> float:
    """How loud one tone of the sound is, in dB of full scale."""
    samples = ulaw_samples(ulaw)[800:-1600]
    at = np.arange(len(samples)) / 8000
    return float(20 * np.log10(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hertz * at))) + 1e-9))


# -- sound ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 24_000, 48_000])
def test_speech_of_any_rate_lies_at_minus_20_dbfs(rate: int) -> None:
    spoken = telephone(waves(rate, 300, 700) * 0.05, rate)
    assert level(spoken[:8000]).rms_dbfs == pytest.approx(-20, abs=0.7)
    assert abs(len(spoken) - 8000) < 1100  # a second, and up to an eighth of silence behind it


def test_what_lies_above_a_telephone_does_not_come_back_as_noise_below() -> None:
    spoken = telephone(waves(16_000, 1000, 5000), 16_000)
    assert loudness(spoken, 3000) < loudness(spoken, 1000) - 38  # 5 kHz folds to 3 kHz; mu-law has 38 dB


def test_peaks_are_not_clipped() -> None:
    clicks = np.zeros(8000)
    clicks[::400] = 0.01
    assert level(telephone(clicks + waves(8000, 300) * 0.001, 8000)).peak_dbfs <= -0.9


def test_silence_around_is_left_out_and_silence_alone_is_nothing() -> None:
    silent = np.zeros(8000)
    spoken = telephone(np.concatenate([silent, waves(8000, 500, seconds=0.5), silent]), 8000)
    assert len(spoken) // 8 == pytest.approx(20 + 500 + 120, abs=10)
    assert telephone(silent, 8000) == b""
    assert telephone(silent[:0], 16_000) == b""


def test_what_is_no_wav_of_16_bits_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt "):
        with pytest.raises(ValueError):  # noqa: PT011  any text
            from_wav(data)
    with wave.open(str(tmp_path / "eight.wav"), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x80" * 800)
    with pytest.raises(ValueError, match="16-bit"):
        from_wav((tmp_path / "eight.wav").read_bytes())


# -- flite ---------------------------------------------------------------------------------------


async def test_a_text_is_spoken_as_bare_mulaw(tmp_path: Path) -> None:
    spoken = await Made(tmp_path).speak("How can I help you?", "en-GB")
    assert len(spoken) == pytest.approx(4000 + 960, abs=200)
    assert level(spoken[:4000]).rms_dbfs == pytest.approx(-20, abs=0.7)


@pytest.mark.parametrize(
    ("text", "reaches"),
    [
        ("-o /etc/passwd", "-o /etc/passwd"),
        ("; rm -rf / $(date)", "; rm -rf / $(date)"),
        ("It’s  £5 –\n“now”, José…\x00\x1b[0m", 'It\'s pounds 5 , "now", Jose. [0m'),
    ],
)
async def test_whatever_the_text_says_it_is_only_spoken(text: str, reaches: str, tmp_path: Path) -> None:
    flite = Made(tmp_path)
    await flite.speak(text, "en")
    assert flite.texts == [" ".join(reaches.split())]


@pytest.mark.parametrize("text", ["", " … ", "你好", "—"])
async def test_a_text_without_anything_to_say_is_no_sound(text: str, tmp_path: Path) -> None:
    flite = Made(tmp_path)
    assert await flite.speak(text, "en") == b""
    assert flite.texts == []


async def test_what_flite_cannot_do_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="not installed") as refused:
        await Flite(None).speak("Hello", "en")
    assert "apt-get install flite" in refused.value.remedy
    with pytest.raises(SpeechError, match="English"):
        await Made(tmp_path).speak("Guten Tag", "de-DE")
    with pytest.raises(SpeechError, match="characters"):
        await Made(tmp_path).speak("a" * (MOST_CHARACTERS + 1), "en")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("sys.exit(3)", "ended with 3"),
        ("sys.exit(0)", "no sound"),
        ("open(sys.argv[6], 'wb').write(b'RIFF'); sys.exit(0)", "no sound"),
    ],
)
async def test_a_program_that_fails_is_a_speech_error(more: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=why):
        await Made(tmp_path, more).speak("Hello", "en")


async def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    hangs = f"import os, signal; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); signal.pause()"
    with pytest.raises(SpeechError, match="took more than 1 s"):
        await Made(tmp_path, hangs, limit_s=1).speak("Hello", "en")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_caller_who_hangs_up_ends_the_program(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hangs = f"import os, signal; open({str(pid)!r}, 'w').write(str(os.getpid())); signal.pause()"
    speaking = asyncio.create_task(Made(tmp_path, hangs).speak("Hello", "en"))
    await asyncio.to_thread(until, lambda: pid.exists() and bool(pid.read_text()))
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_at_most_two_speak_at_once(tmp_path: Path) -> None:
    flite = Made(tmp_path, "import signal; signal.pause()", at_once=2)
    tasks = [asyncio.create_task(flite.speak(f"text {n}", "en")) for n in range(5)]
    await asyncio.to_thread(until, lambda: len(flite.texts) == 2)
    assert flite._free.locked()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(flite.texts) == 2


# -- cache ---------------------------------------------------------------------------------------


def kept(directory: Path) -> list[Path]:
    return sorted(directory.glob("*"))


async def test_nothing_is_spoken_twice_even_after_a_restart(tmp_path: Path) -> None:
    first = Counting()
    cache = Cache(first, tmp_path / "speech")
    sound = await cache.speak("Good morning.", "en")
    assert await cache.speak(" Good  morning.\n", "en") == sound
    later = Counting()
    assert await Cache(later, tmp_path / "speech").speak("Good morning.", "en") == sound
    assert (len(first.spoken), len(later.spoken)) == (1, 0)


async def test_another_language_is_another_sound(tmp_path: Path) -> None:
    speaker = Counting()
    cache = Cache(speaker, tmp_path)
    await cache.speak("Garage", "en")
    await cache.speak("Garage", "de")
    assert speaker.spoken == ["Garage", "Garage"]


async def test_only_its_owner_may_read_what_is_kept(tmp_path: Path) -> None:
    directory = tmp_path / "speech"
    await Cache(Counting(), directory).speak("Good morning.", "en")
    (file,) = kept(directory)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert "morning" not in file.name


async def test_what_is_about_a_caller_reaches_no_file(tmp_path: Path) -> None:
    speaker = Counting()
    cache = Cache(speaker, tmp_path / "speech")
    await cache.speak("Your order comes on Friday, Carla.", "en", keep=False)
    await cache.speak("Your order comes on Friday, Carla.", "en", keep=False)
    assert len(speaker.spoken) == 1
    assert kept(tmp_path) == []


async def test_two_who_ask_at_once_make_one_synthesis(tmp_path: Path) -> None:
    speaker = Counting()
    speaker.may.clear()
    cache = Cache(speaker, tmp_path)
    asked = [asyncio.create_task(cache.speak("Good morning.", "en")) for _ in range(5)]
    await asyncio.to_thread(until, lambda: len(speaker.spoken) == 1)
    asked[0].cancel()  # the first hangs up, the others still hear it
    speaker.may.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, *[bytes] * 4]
    assert len(speaker.spoken) == 1


async def test_a_failure_is_told_to_each_and_tried_again_by_the_next(tmp_path: Path) -> None:
    speaker = Counting()
    cache = Cache(speaker, tmp_path)
    for _ in range(2):
        both = await asyncio.gather(*[cache.speak("broken", "en") for _ in "ab"], return_exceptions=True)
        assert [str(error) for error in both] == ["it is broken"] * 2
    assert len(speaker.spoken) == 2
    assert kept(tmp_path) == []


async def test_memory_is_bounded_and_what_was_not_used_goes_first(tmp_path: Path) -> None:
    speaker = Counting(bytes_each=1000)
    cache = Cache(speaker, tmp_path, memory_bytes=3000)
    for text in ("one", "two", "three", "one", "four"):
        await cache.speak(text, "en", keep=False)
    for text in ("one", "four", "two"):
        await cache.speak(text, "en", keep=False)
    assert speaker.spoken == ["one", "two", "three", "four", "two"]


async def test_what_has_no_sound_takes_no_memory(tmp_path: Path) -> None:
    speaker = Counting(bytes_each=0)
    cache = Cache(speaker, tmp_path, memory_bytes=3000)
    for _ in range(2):
        assert await cache.speak("…", "en") == b""
    assert speaker.spoken == ["…", "…"], "nothing of it was kept"


def test_files_are_bounded_and_the_longest_unused_goes_first(tmp_path: Path) -> None:
    store = Store(tmp_path, 3000)
    for age, name in ((300, "a"), (200, "b"), (100, "c")):
        store.put(name, bytes(1000))
        os.utime(tmp_path / f"{name}.ulaw", (1_000_000 - age, 1_000_000 - age))
    (tmp_path / ".half.new").write_bytes(bytes(500))  # of a process that was killed
    os.utime(tmp_path / ".half.new", (1, 1))
    store.get("a")
    store.put("d", bytes(1000))
    assert [path.name for path in kept(tmp_path)] == ["a.ulaw", "c.ulaw", "d.ulaw"]


async def test_a_disk_that_takes_nothing_costs_no_caller_the_answer(tmp_path: Path) -> None:
    (tmp_path / "speech").write_text("no directory can be made here")
    assert await Cache(Counting(), tmp_path / "speech").speak("Good morning.", "en")


# -- which ---------------------------------------------------------------------------------------


async def test_without_flite_the_sentences_that_came_with_us_are_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = registry.make("flite", tmp_path / "speech")
    assert len(await speaker.speak("Goodbye.", "en-GB")) > 2000
    with pytest.raises(SpeechError, match="not installed"):
        await speaker.speak("Something else.", "en-GB")


def test_every_shipped_sentence_is_there_and_nothing_else() -> None:
    from tools.spoken import files

    assert {path.name for path in SHIPPED.glob("*.ulaw")} == set(files())
    for path in SHIPPED.glob("*.ulaw"):
        found = level(path.read_bytes().rstrip(SILENCE))
        assert -26 < found.rms_dbfs < -18
        assert found.peak_dbfs < -0.5


async def test_a_site_may_have_no_speaker(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="do not speak") as refused:
        await registry.make("none", tmp_path).speak("Goodbye.", "en")
    assert "SPEAKER=flite" in refused.value.remedy
    with pytest.raises(ValueError, match="no speaker"):
        registry.make("parrot", tmp_path)


def test_what_is_wrong_with_speech_here_is_known_before_a_call() -> None:
    assert registry.trouble("flite", lambda name: "/usr/bin/flite") is None
    for name in ("flite", "none", "parrot"):
        found = registry.trouble(name, lambda name: None)
        assert found is not None
        assert "SPEAKER" in " ".join(found)
    assert registry.speaks("flite", "en-US")
    assert not registry.speaks("flite", "de-DE")
    assert not registry.speaks("none", "en")


def test_letters_of_others_are_read_as_near_as_can_be() -> None:
    assert plain("Zoë’s café") == "Zoe's cafe"


def test_all_that_the_demos_voice_says_to_everybody_is_shipped() -> None:
    from tools.spoken import sentences

    said = {sentence for text in _texts(parse(FLOW.read_text(encoding="utf-8")).steps) for sentence in text}
    assert {one for one in said if one[-1] in ".?!" and "{" not in one} - set(sentences()) == set()


def _texts(of: Any) -> Iterator[list[str]]:
    """Every text of a flow's steps, as sentences."""
    if isinstance(of, str):
        yield [sentence for sentence in re.split(r"(?<=[.?!])\s+", of.strip()) if sentence]
    elif dataclasses.is_dataclass(of):
        for one in dataclasses.fields(of):
            if one.name != "reason":  # read by whoever takes over, said to nobody
                yield from _texts(getattr(of, one.name))
    elif isinstance(of, Mapping):
        yield from _texts(list(of.values()))
    elif isinstance(of, Iterable):
        for each in of:
            yield from _texts(each)
