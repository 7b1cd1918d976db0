"""How long no row comes from a job with large state, and none is committed, when a TaskManager or the JobManager
is killed."""

import dataclasses
import time
import typing
from concurrent.futures import ThreadPoolExecutor

from cluster import Process

if typing.TYPE_CHECKING:
    from large_state import LargeState

_PATIENCE_S = 60
_LOOK_S = 0.02  # between two looks
_WATCHED_S = 6  # behind the death of a JobManager, for a pause in the rows


@dataclasses.dataclass
class Killed:
    """Seconds from each kill."""

    # Of a TaskManager, while another one stands by:
    to_deployment_s: list[float] = dataclasses.field(default_factory=list)  # the loss was seen, the delay passed
    to_row_s: list[float] = dataclasses.field(default_factory=list)  # that the other one prints
    # A row of an epoch that was not triggered yet when it was killed.
    to_committed_row_s: list[float] = dataclasses.field(default_factory=list)
    # Of the JobManager, which is started again at once:
    without_row_s: list[float] = dataclasses.field(default_factory=list)  # the longest while
    to_new_epoch_s: list[float] = dataclasses.field(default_factory=list)  # as to_committed_row_s


def measure(state: "LargeState", kills: int) -> Killed:
    """So many kills of each kind. Sessions must end meanwhile."""
    found = Killed()
    [victim] = state.cluster.task_managers
    state.cluster.wait(lambda: _prints(victim), "sessions to end", _PATIENCE_S)
    for _ in range(kills):
        standby = state.cluster.add_task_manager()
        _settle(state)
        _kill_task_manager(state, victim, standby, found)
        victim = standby
    for _ in range(kills):
        _settle(state)
        _kill_job_manager(state, victim, found)
    return found


def _settle(state: "LargeState") -> None:
    state.wait_checkpoint()
    state.wait_checkpoint()


def _kill_task_manager(state: "LargeState", victim: Process, standby: Process, found: Killed) -> None:
    newest = _newest_checkpoint(state)
    begin = time.monotonic()
    victim.end(9)
    deployed = 0.0
    while not _prints(standby):
        # No longer than it must: asking takes a good part of a core.
        if deployed == 0 and state.cluster.state(state.job) == "CREATED":
            deployed = time.monotonic() - begin
        _pause(state, begin)
    seconds = time.monotonic() - begin
    found.to_row_s.append(seconds)
    found.to_deployment_s.append(deployed or seconds)
    found.to_committed_row_s.append(_committed_after(state, newest, begin))
    assert state.cluster.restored_checkpoint(state.job) > 0


def _kill_job_manager(state: "LargeState", worker: Process, found: Killed) -> None:
    """The tasks go on meanwhile."""
    attempt = state.cluster.job(state.job)["attempt"]
    newest = _newest_checkpoint(state)
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as executor:
        watched = executor.submit(_longest_pause_s, worker)
        state.cluster.kill_job_manager()  # not on that thread, with which its child would end
        found.to_new_epoch_s.append(_committed_after(state, newest, begin))
        found.without_row_s.append(watched.result())
    assert state.cluster.job(state.job)["attempt"] == attempt


def _longest_pause_s(worker: Process) -> float:
    """Without a row, of the next seconds."""
    begin = last = time.monotonic()
    longest, size = 0.0, worker.log.stat().st_size
    while time.monotonic() < begin + _WATCHED_S:
        if (now_size := worker.log.stat().st_size) != size:
            longest, last, size = max(longest, time.monotonic() - last), time.monotonic(), now_size
        time.sleep(_LOOK_S)
    return max(longest, time.monotonic() - last)


def _newest_checkpoint(state: "LargeState") -> int:
    """Of those that have been triggered."""
    history = state.cluster.rest(f"/jobs/{state.job}/checkpoints")["history"]
    return max(each["id"] for each in history)


def _committed_after(state: "LargeState", newest: int, begin: float) -> float:
    """Seconds until each writer has committed rows of an epoch behind that one."""
    while int(state.server.psql("SELECT min(epoch) FROM watershed_sink_progress")[0][0]) <= newest:
        _pause(state, begin)
    return time.monotonic() - begin


def _pause(state: "LargeState", begin: float) -> None:
    time.sleep(_LOOK_S)
    if time.monotonic() - begin > _PATIENCE_S:
        raise SystemExit(f"no row within {_PATIENCE_S} s\n"
                         f"{state.cluster.wsctl('get', state.job).stdout}\n{state.cluster.logs()}")


def _prints(task_manager: Process) -> bool:
    return b"\nended" in task_manager.log.read_bytes()[-1 << 20:]
