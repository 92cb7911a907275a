"""The documents tell all there is: settings, commands, checks, messages, packages; links lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from tools.house import ROOT
from tools.licences import closure, named
from tools.names import check_ids, commands, message_types, settings_names

SETTINGS = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
COMMANDS = ROOT / "docs" / "commands.md"
OF_A_MACHINE = (
    r"(^|[^.A-Za-z0-9])/(work|root|home/[a-z]+|Users/[A-Za-z]+)/",
    r"(index-url|find-links)[\"', =]+(https?:|file:|/)",
)
MESSAGES = ROOT / "docs" / "messages.md"


def test_every_setting_is_told_and_none_that_does_not_exist() -> None:
    told = set(re.findall(r"^\| (`.*?`) \|", SETTINGS.read_text(encoding="utf-8"), re.M))
    names = {name for cell in told for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)}
    assert names == set(settings_names())


def test_the_example_holds_every_setting() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    names = {found.group(1) for line in lines if (found := re.match(r"(?:# )?([A-Z][A-Z0-9_]+)=", line))}
    assert names == set(settings_names()) - {"ENV_FILE"}


def test_every_command_is_told() -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    assert [name for name in commands() if f"`manage.py {name}" not in text] == []


def test_every_command_told_exists() -> None:
    told = set(re.findall(r"^\| `manage\.py (\w+)", COMMANDS.read_text(encoding="utf-8"), re.M))
    assert told == set(commands())


def test_every_system_check_is_told() -> None:
    told = set(re.findall(r"^\| `(cc\.[EWI]\d{3})`", SETTINGS.read_text(encoding="utf-8"), re.M))
    assert told == set(check_ids())


def test_every_message_to_browsers_is_told() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", MESSAGES.read_text(encoding="utf-8"), re.M))
    inside = {"tick", "control", "partials"}  # on the channel layer, between our own processes
    assert set(message_types()) - told - inside == set()


def test_every_package_is_named_with_its_licence() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+)[ (]", (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8"), re.M)
    wanted = closure(named("requirements.txt")) | closure(named("requirements-dev.txt"))
    assert wanted - set(rows) == set()


def test_the_readme_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)[^)]*\)|<img [^>]*src=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    local = [link or image for link, image in links if not re.match(r"[a-z]+:", link or image)]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_tracked_files_hold_no_path_of_a_machine_and_no_registry() -> None:
    found = subprocess.run(
        ["git", "grep", "-nIE", "|".join(OF_A_MACHINE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode in {0, 1}, found.stderr
    lines = [line for line in found.stdout.splitlines() if not line.startswith("tests/test_docs.py:")]
    assert lines == []
