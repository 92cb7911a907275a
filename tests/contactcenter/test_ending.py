"""A wish to end reaches whoever waits, also from a signal handler, however often it is told."""

import subprocess
import sys
import threading

from contactcenter.ending import Ending
from tests.processes import ROOT

ROUNDS = """
import os, signal, threading
from contactcenter.ending import Ending
for round in range(200):
    ending = Ending()
    signal.signal(signal.SIGUSR1, lambda *_: ending.set())
    threading.Timer(0.002, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    while not ending.wait(0):
        pass
print("ended")
"""


def test_it_waits_no_longer_than_asked_and_not_at_all_once_told() -> None:
    ending = Ending()
    assert not ending.wait(0)
    ending.set()
    ending.set()
    assert ending.is_set()
    assert ending.wait(3600)


def test_it_wakes_every_thread_that_waits() -> None:
    ending = Ending()
    threads = [threading.Thread(target=ending.wait, args=(3600,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    ending.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_a_signal_at_any_moment_of_the_waiting_never_locks_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "ended"), done.stderr
