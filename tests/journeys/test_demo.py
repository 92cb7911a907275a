"""The demo as a stranger and as a program start it: its two lines, its logins, its orderly end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import ROOT, clean_environment, free_port, listens

# A site's own settings, all of them wrong for a demo: it must not look at any.
FOREIGN = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PUBLIC_URL": "https://calls.example.com",
    "TWILIO_AUTH_TOKEN": "of a real account",
}


@contextmanager
def demo(directory: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The demo as a process, its output to be read."""
    command = [sys.executable, "manage.py", "demo", "--directory", str(directory), *arguments]
    env = clean_environment(**FOREIGN)
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def sign_in(url: str, login: dict[str, str]) -> str:
    """The path on which a person lands who signs in with a login that the demo printed."""
    import re
    from http.cookiejar import CookieJar
    from urllib.parse import urlencode, urlsplit
    from urllib.request import HTTPCookieProcessor, build_opener

    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    address = f"{url}/accounts/login/"
    page = opener.open(address, timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    opener.addheaders = [("Referer", address)]
    form = {"csrfmiddlewaretoken": token.group(1), **login}
    landed = opener.open(address, urlencode(form).encode(), timeout=10)
    return str(urlsplit(landed.geturl()).path)


def test_it_says_when_it_is_ready_and_at_its_end_what_was_seen_and_heard(tmp_path: Path) -> None:
    with demo(tmp_path / "demo", "--json", "--calls", "1", "--seconds", "15", "--port", "0") as process:
        ready = first_line(process)
        assert list(ready) == ["ready", "url", "logins", "emulator"]
        assert ready["ready"] is True
        assert list(ready["emulator"]) == ["url", "account_sid", "auth_token"]
        assert list(ready["logins"]) == ["supervisor", "agent", "amira", "admin"]
        landed = {name: sign_in(ready["url"], login) for name, login in ready["logins"].items()}
        assert "/accounts/login/" not in landed.values()
        rest, told = process.communicate(timeout=90)
    lines = rest.splitlines()
    assert len(lines) == 1, "standard output carries two lines alone"
    figures = json.loads(lines[0])
    assert list(figures) == [
        "calls",
        "streams",
        "media_messages",
        "frames_sent",
        "frames_lost",
        "utterances",
        "scored_words",
        "word_error_rate",
    ]
    assert (figures["calls"], figures["streams"], figures["frames_lost"]) == (1, 1, 0)
    assert figures["media_messages"] == figures["frames_sent"] > 1000
    assert figures["utterances"] > 0
    assert figures["scored_words"] > 15
    assert figures["word_error_rate"] < 0.5  # two or three sentences; the bench judges the whole set
    assert process.returncode == 0
    assert "Traceback" not in told


def test_ctrl_c_ends_it_with_all_its_processes(tmp_path: Path) -> None:
    arguments = ("--json", "--calls", "1", "--port", "0", "--transcriber", "none")
    with demo(tmp_path / "demo", *arguments) as process:
        ready = first_line(process)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(rest)["word_error_rate"] is None
    ports = [int(url.rpartition(":")[2]) for url in (ready["url"], ready["emulator"]["url"])]
    assert not any(listens(port) for port in ports)


def test_it_shows_a_person_where_to_look_and_how_to_sign_in(tmp_path: Path) -> None:
    port = str(free_port())
    with demo(tmp_path / "demo", "--seconds", "1", "--transcriber", "none", "--port", port) as process:
        told, _ = process.communicate(timeout=90)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/live/" in told
    assert "sign in as supervisor" in told
    assert "4 calls" in told  # three, and one more that speaks with the voice


def test_a_port_in_use_that_was_asked_for_is_told(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with demo(tmp_path / "demo", "--port", str(port)) as process:
            _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port} is in use" in told


def test_it_deletes_nothing_that_it_did_not_make(tmp_path: Path) -> None:
    kept = tmp_path / "letters.txt"
    kept.write_text("mine")
    with demo(tmp_path) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "holds something that no demo made" in told
    assert [found.name for found in tmp_path.iterdir()] == ["letters.txt"]


def test_a_second_one_in_the_same_directory_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    arguments = ("--json", "--calls", "0", "--port", "0", "--transcriber", "none")
    with demo(tmp_path / "demo", *arguments) as first:
        first_line(first)
        with demo(tmp_path / "demo", *arguments) as second:
            _, told = second.communicate(timeout=30)
        assert second.returncode == 1
        assert "A demo already runs" in told
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert first.returncode == 0
