"""Child processes that never outlive whoever started them."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class PeerError(Exception):
    """A peer that does not start, with the end of its log."""


def spawn(
    argv: Sequence[str],
    log: pathlib.Path,
    env: Mapping[str, str] | None = None,
    cpus: str | None = None,
) -> subprocess.Popen:
    """Starts `argv` in a session of its own, its output appended to `log`; it is killed when the
    starting thread dies. `cpus` pins it, as in taskset -c."""
    parent = os.getpid()
    wanted = {int(cpu) for cpu in cpus.split(",")} if cpus else None

    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        if wanted:
            os.sched_setaffinity(0, wanted)

    with open(log, "ab") as out:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None, start_new_session=True, preexec_fn=prepare,
        )


def wait_ready(
    name: str,
    child: subprocess.Popen,
    ready: Callable[[], bool],
    log: pathlib.Path,
    timeout_s: float = 90,
) -> None:
    """Asks `ready` until it says yes. PeerError when the child exits first or time runs out."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if child.poll() is not None:
            raise PeerError(f"{name} exited with {child.returncode} before it was ready; "
                            f"end of {log}:\n{log_tail(log)}")
        if time.monotonic() > deadline:
            raise PeerError(f"{name} (pid {child.pid}) was not ready after {timeout_s:.0f} s; "
                            f"end of {log}:\n{log_tail(log)}")
        time.sleep(0.05)


def stop(child: subprocess.Popen, sig: int = signal.SIGTERM, grace_s: float = 20) -> int:
    """Signals the child, waits, and kills it if it does not go. Returns its exit code."""
    if child.poll() is None:
        child.send_signal(sig)
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def log_tail(log: pathlib.Path, lines: int = 20) -> str:
    """The last lines of a log, for messages."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
