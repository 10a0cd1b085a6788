"""The worker's second thread: sign of life, stop within seconds, limits of time and memory.

The first thread may be inside one long step of TensorFlow, which neither hears nor ends.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from leukemia_app.errors import RunError
from leukemia_app.training.job_folder import ENDED, JobFolder, StopWish
from leukemia_app.training.memory import Pulse, feel_pulse, write_pulse

TICK_S = 0.2
PULSE_S = 2.0
GRACE_S = 3.0
"""What the first thread gets to end by itself."""
FREE_MB = 100
"""With less than this left in two pulses, the system is about to kill something, perhaps the
server."""


@dataclass(kw_only=True)
class Watchdog:
    """Looks after one worker until told to rest."""

    folder: JobFolder
    minutes: int | None
    """What the run may take; None: as long as it takes."""
    end: Callable[[], None]
    """Ends the process at once."""
    clock: Callable[[], float] = time.monotonic
    feel: Callable[[], Pulse | None] = feel_pulse

    def __post_init__(self) -> None:
        """Take note of the time."""
        self._began = self._next_pulse = self.clock()
        self._asked: float | None = None
        self._was_short = False
        self._rest = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Look after the worker from now on."""
        self._thread.start()

    def rest(self) -> None:
        """Let the worker say its last word undisturbed."""
        self._rest.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._rest.wait(TICK_S):
            # A full disk must not end the watch.
            with suppress(RunError):
                self.look()

    def look(self) -> None:
        """One look at time, memory and those who want a stop.

        Raises:
            RunError: what was seen cannot be written down.
        """
        now = self.clock()
        if self.minutes and now - self._began > 60 * self.minutes and self._asked is None:
            self._asked = now
            self.folder.ask_to_stop(time_is_up(self.minutes))
        if self.folder.should_stop():
            self._asked = now if self._asked is None else self._asked
            if now - self._asked > GRACE_S:
                wish = self.folder.stop_wish() or StopWish()
                self._finish_off("stopped", wish.reason)
        if now >= self._next_pulse:
            self._next_pulse = now + PULSE_S
            self._take_pulse()

    def _take_pulse(self) -> None:
        pulse = self.feel()
        if pulse is None:
            return
        is_short = pulse.free_mb is not None and pulse.free_mb < FREE_MB
        if is_short and self._was_short:
            self._finish_off("failed", memory_words(pulse))
        self._was_short = is_short
        write_pulse(self.folder, pulse)

    def _finish_off(self, state: str, reason: str) -> None:
        # Nothing that cannot be written may keep the process alive.
        with suppress(RunError):
            if self.folder.status()["state"] not in ENDED:
                self.folder.set_state(state, **({"reason": reason} if reason else {}))
        self.end()


def time_is_up(minutes: int) -> StopWish:
    """What a run is told that has taken its `minutes`."""
    return StopWish(
        finish=True,
        reason=f"The time limit of {minutes} min was reached. Resume it to train on.",
    )


def memory_words(pulse: Pulse | None = None) -> str:
    """What to tell where memory is short."""
    seen = "" if pulse is None else f" {pulse.in_words()}"
    return (
        f"The machine has too little memory for the run.{seen} Use a smaller batch_size, "
        "feature_copies or side_px in a new run."
    )


def end_process() -> None:
    """End this process and all that it started, now."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
