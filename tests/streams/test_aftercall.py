"""After a stream its sound is deleted: as soon as its words are final, and in time whatever happens."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Call, Utterance
from streams.journal import INBOUND, OUTBOUND, SENT, Writer, journal_path
from streams.models import Recording, Stream
from streams.services import aftercall, recordings
from tests import factories
from tests.factories import NOON
from tests.invariants import no_audio_is_left, only_its_owner_may_read
from tests.streams.journals import LOUD, SILENT, journal, lines

pytestmark = pytest.mark.django_db(transaction=True)
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.RECORDINGS_DIR = tmp_path / "recordings"
    settings.TRANSCRIBER = "embedded"
    settings.JOURNAL_KEEP_MINUTES = 10
    found: Path = settings.JOURNAL_DIR
    return found


@pytest.fixture
def stream(directory: Path) -> Stream:
    """A stream of a call that may not be recorded; it ended at noon."""
    return ended(factories.call(started_at=NOON))


def ended(call: Call, **leg: Any) -> Stream:
    ticket = factories.ticket(factories.leg(call, **leg), spent_at=NOON, released_at=NOON)
    return factories.stream(
        ticket=ticket, opened_at=NOON, closed_at=NOON, close_reason="stop", journal_state="closed"
    )


def finished(stream: Stream, directory: Path, **how: Any) -> Path:
    """Its journal, given up by its process."""
    held = journal(directory, stream.sid, **how)
    held.finish("stop", {})
    held.close()
    return journal_path(directory, stream.sid)


def test_no_audio_is_left_once_the_words_are_final(stream: Stream, directory: Path) -> None:
    path = finished(stream, directory)
    lines(path, "good morning", "I need a plumber", done=True)

    assert aftercall.clean(now=NOON + timedelta(seconds=2)) == 1

    no_audio_is_left(directory, stream.leg.call)
    assert list(directory.iterdir()) == []
    assert Utterance.objects.count() == 2
    assert Stream.objects.exists(), "the row stays"


def test_while_the_engine_works_the_sound_stays_and_the_lines_are_stored(
    stream: Stream, directory: Path
) -> None:
    path = finished(stream, directory)
    lines(path, "good morning")
    assert aftercall.clean(now=NOON + timedelta(minutes=9)) == 0
    assert path.exists()
    assert Utterance.objects.get().text == "good morning"


def test_an_engine_that_never_came_does_not_keep_the_sound(stream: Stream, directory: Path) -> None:
    finished(stream, directory)
    assert aftercall.clean(now=NOON + TEN_MINUTES - timedelta(seconds=1)) == 0
    assert aftercall.clean(now=NOON + TEN_MINUTES) == 1
    no_audio_is_left(directory, stream.leg.call)


def test_a_process_that_holds_the_file_does_not_keep_the_sound(stream: Stream, directory: Path) -> None:
    held = journal(directory, stream.sid)
    lines(held.path, "good morning", done=True)
    assert aftercall.clean(now=NOON + timedelta(minutes=1)) == 0
    assert aftercall.clean(now=NOON + TEN_MINUTES) == 1
    no_audio_is_left(directory, stream.leg.call)
    held.close()


@pytest.mark.parametrize("why", ["nobody writes words here", "this call is not written down"])
def test_without_words_to_wait_for_the_sound_goes_at_once(
    why: str, stream: Stream, directory: Path, settings: Any
) -> None:
    settings.TRANSCRIBER = "none" if why.startswith("nobody") else "embedded"
    finished(stream, directory, words=why.startswith("nobody"))
    assert aftercall.clean(now=NOON) == 1
    no_audio_is_left(directory, stream.leg.call)


def test_an_open_stream_is_left_alone(directory: Path) -> None:
    open_one = factories.stream()
    held = journal(directory, open_one.sid)
    aftercall.clean(now=timezone.now() + timedelta(days=1))
    assert held.path.exists()
    held.close()


def test_cleaning_twice_is_cleaning_once(stream: Stream, directory: Path) -> None:
    lines(finished(stream, directory), done=True)
    assert [aftercall.clean(now=NOON), aftercall.clean(now=NOON)] == [1, 0]


def test_a_words_file_without_its_journal_goes_too(stream: Stream, directory: Path) -> None:
    path = finished(stream, directory)
    lines(path, "good morning")
    path.unlink()  # as if we had been stopped between the two
    aftercall.clean(now=NOON)
    no_audio_is_left(directory, stream.leg.call)


def test_files_of_no_stream_of_ours_are_deleted_in_time(directory: Path) -> None:
    stranger = factories.sid("MZ")
    journal(directory, stranger).close()
    lines(journal_path(directory, stranger), "good morning")
    (directory / f".{stranger}.0a0a0a0a.new").touch()
    now = timezone.now()

    aftercall.clean(now=now)
    assert len(list(directory.iterdir())) == 3
    aftercall.clean(now=now + TEN_MINUTES * 1.1)
    assert list(directory.iterdir()) == []


def test_the_figures_of_stream_and_call_stay(stream: Stream, directory: Path) -> None:
    path = finished(stream, directory, frames=100, sound=LOUD)
    lines(path, "one two three", done=True)
    aftercall.clean(now=NOON)
    stream.refresh_from_db()
    assert stream.figures == {
        "sound_ms": {"inbound": 2000, "outbound": 0},
        "words": {"inbound": 3, "outbound": 0},
        "lines": 1,
    }
    figures = Call.objects.get().figures
    assert (figures["streams"], figures["sound_ms"], figures["words"]) == (1, 2000, 3)


def test_where_recording_is_allowed_the_sound_becomes_a_stereo_file(directory: Path, settings: Any) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    lines(finished(stream, directory, frames=100, sound=LOUD), done=True)

    aftercall.clean(now=NOON)

    recording = Recording.objects.get()
    left, right = sides(settings.RECORDINGS_DIR / recording.file)
    assert left == LOUD * 100  # the caller
    assert right == SILENT * 100
    assert recording.ms == 2000
    only_its_owner_may_read(settings.RECORDINGS_DIR)
    no_audio_is_left(directory, stream.leg.call)


def spoken_with(stream: Stream, directory: Path) -> None:
    """The journal of a caller who was silent, and of a voice that spoke for a second from 200 ms on."""
    held = Writer.create(directory, stream.sid, {"tracks": ["inbound"], "words": True})
    for frame in range(100):
        if 10 <= frame < 60:
            held.append(SENT, 20 * frame, 0, LOUD)
        held.append(INBOUND, 20 * frame, frame + 2, SILENT)
    held.finish("stop", {})
    held.close()
    lines(held.path, done=True)


def test_what_a_voice_said_is_the_other_side_of_the_recording(directory: Path, settings: Any) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    spoken_with(stream, directory)
    aftercall.clean(now=NOON)
    left, right = sides(settings.RECORDINGS_DIR / Recording.objects.get().file)
    assert left == SILENT * 100
    assert right == SILENT * 10 + LOUD * 50 + SILENT * 40


def test_what_a_voice_said_is_in_the_figures_and_nothing_that_was_received(
    stream: Stream, directory: Path
) -> None:
    spoken_with(stream, directory)
    aftercall.clean(now=NOON)
    stream.refresh_from_db()
    assert stream.figures["sound_ms"] == {"inbound": 0, "outbound": 1000}


def test_what_we_sent_does_not_hide_that_sound_of_the_caller_is_missing(directory: Path) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    Stream.objects.update(bytes=160 * 120)  # 20 frames more than reached the disk
    spoken_with(stream, directory)
    aftercall.clean(now=NOON)
    assert Recording.objects.get().degraded


def test_on_the_agents_leg_the_caller_is_the_outbound_track(directory: Path, settings: Any) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True), kind="agent")
    lines(finished(stream, directory, frames=10, sound=LOUD), done=True)
    aftercall.clean(now=NOON)
    left, right = sides(settings.RECORDINGS_DIR / Recording.objects.get().file)
    assert (left, right) == (SILENT * 10, LOUD * 10)


def test_missing_time_is_silence_of_its_length(directory: Path, settings: Any) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    held = journal(directory, stream.sid, frames=10, sound=LOUD)
    held.append(INBOUND, 30_000, 99, LOUD)  # half a minute later, longer than what is held in memory
    held.append(OUTBOUND, 30_010, 100, LOUD)
    held.finish("stop", {})
    held.close()
    lines(held.path, done=True)

    aftercall.clean(now=NOON)

    left, right = sides(settings.RECORDINGS_DIR / Recording.objects.get().file)
    assert left == LOUD * 10 + SILENT * 1490 + LOUD + b"\xff" * 80
    assert right == SILENT * 1500 + b"\xff" * 80 + LOUD
    assert Recording.objects.get().ms == 30_030


def test_sound_that_never_reached_the_disk_marks_the_recording(directory: Path) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    Stream.objects.update(bytes=1_000_000)
    lines(finished(stream, directory), done=True)
    aftercall.clean(now=NOON)
    assert Recording.objects.get().degraded


def test_a_recording_is_deleted_with_its_file(directory: Path, settings: Any) -> None:
    stream = ended(factories.call(started_at=NOON, record_allowed=True))
    lines(finished(stream, directory), done=True)
    aftercall.clean(now=NOON)
    assert recordings.delete(recordings=Recording.objects.all()) == 1
    assert list(settings.RECORDINGS_DIR.iterdir()) == []
    assert not Recording.objects.exists()


def test_with_an_erased_call_its_recording_goes_too(directory: Path, settings: Any) -> None:
    kept, erased = (ended(factories.call(started_at=NOON, record_allowed=True)) for _ in range(2))
    for stream in (kept, erased):
        lines(finished(stream, directory), done=True)
    aftercall.clean(now=NOON)
    (settings.RECORDINGS_DIR / "half.new").touch()

    erased.leg.call.delete()

    assert recordings.sweep(now=timezone.now()) == 0, "what is being made is left alone"
    assert recordings.sweep(now=timezone.now() + timedelta(minutes=2)) == 2
    assert [path.stem for path in settings.RECORDINGS_DIR.iterdir()] == [kept.sid]


def sides(path: Path) -> tuple[bytes, bytes]:
    """Left and right of a stereo mu-law WAV, read by its chunks (the standard library reads PCM only)."""
    data = path.read_bytes()
    assert (data[:4], data[8:16]) == (b"RIFF", b"WAVEfmt ")
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    assert int.from_bytes(data[20:22], "little") == 7  # mu-law
    assert int.from_bytes(data[22:24], "little") == 2
    assert int.from_bytes(data[24:28], "little") == 8000
    start = data.index(b"data") + 8
    assert int.from_bytes(data[start - 4 : start], "little") == len(data) - start
    return data[start::2], data[start + 1 :: 2]


def test_a_stream_that_cannot_be_finished_keeps_no_other_from_it(
    stream: Stream, directory: Path, settings: Any
) -> None:
    recorded = ended(factories.call(started_at=NOON, record_allowed=True))
    Stream.objects.filter(pk=recorded.pk).update(closed_at=NOON - timedelta(minutes=1))  # its turn is first
    settings.RECORDINGS_DIR.write_text("no directory can be made here")  # as on a full disk
    for one in (stream, recorded):
        lines(finished(one, directory), "good morning", done=True)

    assert aftercall.clean(now=NOON + timedelta(seconds=2)) == 1

    no_audio_is_left(directory, stream.leg.call)
    assert journal_path(directory, recorded.sid).exists()
    settings.RECORDINGS_DIR.unlink()
    assert aftercall.clean(now=NOON + timedelta(seconds=4)) == 1
    assert Recording.objects.filter(stream=recorded).exists()


def test_what_came_with_a_stream_goes_when_its_caller_is_forgotten(stream: Stream, settings: Any) -> None:
    settings.UTTERANCE_KEEP_DAYS = 30
    Stream.objects.update(parameters={"customer": "Carla Visser"})

    aftercall.forget(now=NOON + timedelta(days=29))
    assert Stream.objects.get().parameters == {"customer": "Carla Visser"}
    aftercall.forget(now=NOON + timedelta(days=31))
    assert Stream.objects.get().parameters == {}
