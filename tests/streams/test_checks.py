"""What media needs is checked before serving, with a remedy."""

from pathlib import Path
from typing import Any

import pytest

from streams.checks import in_deploy


def ids() -> list[str | None]:
    return [message.id for message in in_deploy(None)]


def test_a_fit_installation_has_no_fault() -> None:
    assert ids() == []


@pytest.mark.parametrize("minutes", [-1, 11, 100_000])
def test_sound_is_kept_for_ten_minutes_at_most(settings: Any, minutes: int) -> None:
    settings.JOURNAL_KEEP_MINUTES = minutes
    assert ids() == ["cc.E009"]


def test_the_journal_needs_a_directory(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.JOURNAL_DIR = tmp_path / "file" / "journal"
    assert ids() == ["cc.E010"]
    settings.JOURNAL_DIR = tmp_path / "to" / "be" / "made"
    assert ids() == []


def test_a_misspelt_speaker_is_found_before_a_caller_finds_it(settings: Any) -> None:
    settings.SPEAKER = "flight"
    assert ids() == ["cc.E031"]
    settings.SPEAKER = "none"
    assert ids() == []
