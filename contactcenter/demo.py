"""The demo: Twilio's side and the product on this machine, with simulated live calls of recorded speech.

It is a program of its own (`python -m contactcenter.demo`, started by `manage.py demo`): settings, database,
journal and secrets live in var/demo/ and are new at each start, and nothing of `.env` is read. Standard
output carries only the two JSON lines with --json; progress goes to standard error.
"""

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from contactcenter import stage as staging
from contactcenter.callers import VOICE_SCRIPT, Callers
from contactcenter.children import ROOT
from contactcenter.stage import Failed, Stage, ask
from streams.engines import install

__all__ = ["arguments", "main"]

LOOK_EVERY = 0.5
WHO = {
    "supervisor": "sees the live calls",
    "agent": "Jonas, at the desk: check the phone, say Ready, and the next call rings",
    "amira": "his colleague, simulated until somebody signs in: a second desk to give a call to",
    "admin": "manages numbers, queues, agents and streams",
}
TELL_EVERY = 10.0
# The call that needs help is there whenever somebody looks, and one beside it that lasts.
STEADY = ("auto_repair_call", "conversation")


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--calls",
        type=_count,
        default=3,
        help="calls live at once (3); from 2 on one more speaks with a voice",
    )
    parser.add_argument("--seconds", type=float, default=0, help="end by itself after these; 0: Ctrl-C")
    parser.add_argument("--port", type=int, help="of the pages (8000, or the next free one)")
    parser.add_argument("--json", action="store_true", help="first and last line for programs")
    parser.add_argument("--recordings", type=Path, help="play these .wav files (with their manifest.json)")
    parser.add_argument("--directory", type=Path, default=ROOT / "var" / "demo", help="where its data are")
    parser.add_argument("--transcriber", choices=["embedded", "none"], default="embedded")
    return parser.parse_args(argv)


def _count(text: str) -> int:
    if (count := int(text)) < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return count


def main(argv: list[str]) -> int:
    """Run the demo; the exit code."""
    given = arguments(argv)
    try:
        stage = staging.make(
            directory=given.directory, port=given.port, transcriber=given.transcriber, is_json=given.json
        )
    except Failed as failed:
        print(f"demo: {failed}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _end(stage))
    try:
        _play(stage, given)
    except (Failed, OSError) as failed:
        print(f"demo: {failed}", file=sys.stderr)
        return 1
    finally:
        stage.ending.set()
        stage.stop()
    return 0


def _end(stage: Stage) -> None:
    if stage.ending.is_set():  # asked twice: at once, the others follow us
        for process in stage.processes.values():
            process.kill()
        os._exit(130)
    stage.ending.set()


def _play(stage: Stage, given: argparse.Namespace) -> None:
    """Start, keep calls live, end in order, report."""
    began = time.monotonic()
    callers, logins = _start(stage, given)
    desks = _open_desks()
    _tell_ready(stage, logins, time.monotonic() - began)
    _keep_calls(stage, callers, desks, given.seconds)
    stage.say("Hanging up; waiting for the last words …")
    callers.hang_up()
    _tell_end(stage, callers, given)


def _start(stage: Stage, given: argparse.Namespace) -> tuple[Callers, dict[str, Any]]:
    """Both processes, a fresh database, the world in it."""
    _refuse_without_models(stage)
    target = ["--port", stage.emulator_url.rpartition(":")[2], "--target", stage.url]
    recordings = ["--recordings", str(given.recordings.resolve())] if given.recordings else []
    stage.start("emulator", ["-m", "emulator", *target, *recordings])
    stage.say("Making the demo's database …")
    _become_django(stage)
    from django.core.management import call_command

    from contactcenter import seeding

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    logins = seeding.world(agents=given.calls + 2)
    serve = ["manage.py", "serve", "--port", stage.url.rpartition(":")[2]]
    stage.start("serve", serve)
    stage.wait_for("emulator", f"{stage.emulator_url}/emulator/")
    known = ask(f"{stage.emulator_url}/emulator/scripts/")["scripts"]
    scripts = [one for one in known if one["rotation"]]
    to_voice = [one for one in known if one["name"] == VOICE_SCRIPT]  # not where recordings are given
    seeding.contacts([one["caller"]["name"] for one in [*scripts, *to_voice]])
    stage.say("Starting the server …")
    stage.wait_for("serve", f"{stage.url}/readyz")
    stage.keep("serve", serve, f"{stage.url}/readyz")
    numbers = [e164 for e164, _ in seeding.NUMBERS]
    voice = seeding.VOICE[0] if to_voice else ""
    return Callers(stage, given.calls, scripts, numbers, seeding.caller_number, STEADY, voice), logins


def _refuse_without_models(stage: Stage) -> None:
    directory = Path(stage.env.get("SPEECH_MODEL_DIR") or ROOT / "var" / "models")
    if stage.env["TRANSCRIBER"] == "embedded" and not install.installed(directory):
        raise Failed(f"No speech models in {directory}. Run: make setup (or add --transcriber none)")


def _become_django(stage: Stage) -> None:
    """Make this process one of the demo's own installation, to fill and to ask its database."""
    os.environ.clear()  # an exported DATABASE_URL is a site's, not ours
    os.environ.update(stage.env)
    import django

    django.setup()


def _open_desks() -> Any:
    """Simulated agents for all but the one who signs in as agent."""
    from calls.models import Agent
    from contactcenter.desks import Desks

    desks = Desks(list(Agent.objects.exclude(identity="agent").values_list("identity", flat=True)))
    desks.open()
    return desks


def _keep_calls(stage: Stage, callers: Callers, desks: Any, seconds: float) -> None:
    """Until the time is over or the end was asked for; 0: no time."""
    end = time.monotonic() + seconds if seconds else float("inf")
    tell = time.monotonic()
    while time.monotonic() < end and not stage.ending.is_set():
        stage.check()
        desks.look()
        callers.look(desks.people_ready())
        if stage.is_json and time.monotonic() >= tell:
            tell += TELL_EVERY
            stage.say(f"{len(callers.live)} calls live, {callers.placed} placed")
        stage.ending.wait(min(LOOK_EVERY, max(0.0, end - time.monotonic())))


def _tell_ready(stage: Stage, logins: dict[str, Any], took: float) -> None:
    if stage.is_json:
        emulator = {
            "url": stage.emulator_url,
            "account_sid": stage.env["TWILIO_ACCOUNT_SID"],
            "auth_token": stage.env["TWILIO_AUTH_TOKEN"],
        }
        told = {name: asdict(login) for name, login in logins.items()}
        line = {"ready": True, "url": stage.url, "logins": told, "emulator": emulator}
        print(json.dumps(line), flush=True)
        return
    stage.say(f"\nThe demo runs (ready in {took:.1f} s). Live calls:\n\n    {stage.url}/live/\n")
    stage.say(f"An agent's desk, best in a second browser or a private window:\n\n    {stage.url}/desk/\n")
    for name, login in logins.items():
        stage.say(f"    sign in as {name:<11} password {login.password:<14} {WHO.get(name, '')}".rstrip())
    stage.say(f"\nStart and stop streams as admin: {stage.url}/admin/")
    pid = stage.processes["serve"].pid
    stage.say(f"The server is process {pid}: end it (kill {pid}), and it is started again while calls go on.")
    _tell_voices(stage)
    stage.say("Everything is simulated: no Twilio account, no telephone. Ctrl-C ends it.\n")


def _tell_voices(stage: Stage) -> None:
    """Where voices of one's own answer, and how to call them."""
    from contactcenter import seeding

    for kind, e164 in seeding.own_voices().items():
        stage.say(f"Your voice {kind} answers {e164}. Let a caller ring it and say two things:")
        turns = '{"say": "hello there", "after": 8}, {"say": "yes please", "after": 8}'
        does = f'{{"wait": "stream"}}, {turns}, {{"after": 20}}'
        caller = seeding.caller_number(0)
        body = f'{{"from": "{caller}", "to": "{e164}", "script": {{"caller": {{"does": [{does}]}}}}}}'
        stage.say(f"    curl {stage.emulator_url}/emulator/calls/ -d '{body}'")


def _tell_end(stage: Stage, callers: Callers, given: argparse.Namespace) -> None:
    from contactcenter import demo_report

    limit = 5.0 if stage.ending.is_set() else 30.0
    figures = demo_report.figures(callers.streams(), given.recordings, limit=limit)
    if stage.is_json:
        print(json.dumps(figures), flush=True)
    else:
        stage.say(demo_report.sentence(figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
