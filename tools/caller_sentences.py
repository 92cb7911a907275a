"""What the demo's caller says to a voice: `.venv/bin/python -m tools.caller_sentences` (needs flite).

Another of flite's voices than ours (rms, a man's), so that nobody takes one for the other. Writes
emulator/recordings/say_*.wav, mu-law at 8 kHz, and their entries of the manifest: the same bytes each time.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from streams.audio import ulaw_to_pcm
from streams.speech.sound import from_wav
from tools.hold_music import wav
from tools.house import ROOT, say

VOICE = "rms"
SENTENCES = {
    "call_me_back": "Call me back please.",
    "tomorrow": "Tomorrow.",
    "half_past_two": "At half past two.",
    "yes": "Yes please.",
    "person": "I want to speak to a person.",
    "rather_now": "Hello. I asked for a call back tomorrow, but I would rather talk to you now.",
    "thanks": "That is all I wanted to know. Thank you very much, goodbye.",
}
FOLDER = ROOT / "emulator" / "recordings"
LICENCE = "free for any use, (c) 2000 Carnegie Mellon University"
SOURCE = "flite 2.2, voice rms (CMU ARCTIC), tools/caller_sentences.py"


def main() -> None:
    """Write the files and their entries."""
    manifest_path = FOLDER / "manifest.json"
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    for name, text in SENTENCES.items():
        sound = spoken(text)
        (FOLDER / f"say_{name}.wav").write_bytes(wav(ulaw_to_pcm(sound)))
        manifest["files"][f"say_{name}.wav"] = entry(text, len(sound) / 8000)
        say(text)
    manifest_path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def spoken(text: str) -> bytes:
    """The text as telephone sound."""
    with tempfile.TemporaryDirectory() as directory:
        words, sound = Path(directory, "text"), Path(directory, "sound.wav")
        words.write_text(text, encoding="utf-8")
        subprocess.run(["flite", "-voice", VOICE, "-f", str(words), "-o", str(sound)], check=True)
        return from_wav(sound.read_bytes())


def entry(text: str, seconds: float) -> dict[str, object]:
    """What the manifest says of it; not scored: nobody measures recognition by a machine's voice."""
    return {
        "duration": round(seconds, 3),
        "channels": 1,
        "speakers": 1,
        "said": text,
        "licence": LICENCE,
        "source": SOURCE,
    }


if __name__ == "__main__":
    main()
