"""What the demo does to directories, ports and surroundings before anything runs."""

import socket
from pathlib import Path

import pytest

from contactcenter import stage
from contactcenter.demo import arguments
from contactcenter.stage import Failed, Stage


def make(directory: Path, **more: object) -> Stage:
    told = {"port": 0, "transcriber": "none", "is_json": True, **more}
    return stage.make(directory=directory, **told)  # type: ignore[arg-type]


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_FILE", "SECRET_KEY"):
        monkeypatch.setenv(name, "of a real site")


@pytest.mark.usefixtures("surroundings")
def test_its_processes_get_none_of_a_sites_settings(tmp_path: Path) -> None:
    env = make(tmp_path / "demo").env
    assert "of a real site" not in env.values()
    assert env["ENV_FILE"] == "/dev/null"
    assert env["DATA_DIR"] == str(tmp_path / "demo")


def test_its_secrets_are_new_each_time(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one").env, make(tmp_path / "other").env
    for name in ("SECRET_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        assert one[name] != other[name]


def test_its_own_directory_is_emptied_and_a_link_in_it_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "letter.txt").write_text("mine")
    mine = tmp_path / "demo"
    mine.mkdir()
    (mine / stage.MARK).touch()
    (mine / "journal").mkdir()
    (mine / "journal" / "MZ1.journal").touch()
    (mine / "link").symlink_to(kept)
    make(mine)
    assert [found.name for found in mine.iterdir()] == [stage.MARK]
    assert (kept / "letter.txt").exists()


def test_a_directory_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Failed, match="no demo made"):
        make(tmp_path)
    assert (tmp_path / "letter.txt").exists()


def test_without_a_port_it_takes_the_next_free_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(stage, "DEFAULT_PORT", taken.getsockname()[1])
        port = int(make(tmp_path / "demo", port=None).url.rpartition(":")[2])
        assert port > taken.getsockname()[1]


def test_the_command_line_has_the_names_that_others_use() -> None:
    given = arguments(["--calls", "5", "--seconds", "120", "--port", "8001", "--json", "--recordings", "x"])
    assert (given.calls, given.seconds, given.port, given.json, given.recordings) == (
        5,
        120.0,
        8001,
        True,
        Path("x"),
    )
    assert (arguments([]).calls, arguments([]).seconds, arguments([]).port) == (3, 0, None)


SLEEPS = ["-c", "import time; time.sleep(60)"]


def test_a_kept_process_that_is_killed_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "SHORT_LIFE", 0.0)
    monkeypatch.setattr(stage, "_answers", lambda url: True)
    one = make(tmp_path / "demo")
    one.start("serve", SLEEPS)
    one.keep("serve", SLEEPS, one.url)
    first = one.processes["serve"]
    first.kill()
    first.wait()
    one.check()
    assert one.processes["serve"].poll() is None
    assert one.processes["serve"].pid != first.pid
    one.stop()


def test_a_process_that_ends_as_soon_as_it_begins_ends_the_demo(tmp_path: Path) -> None:
    one = make(tmp_path / "demo")
    one.start("serve", ["-c", "raise SystemExit(3)"])
    one.keep("serve", SLEEPS, one.url)
    one.processes["serve"].wait()
    with pytest.raises(Failed, match=r"serve ended \(3\)"):
        one.check()
