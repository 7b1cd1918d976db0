"""What a process has used, from the kernel's accounting."""

import os
import pathlib
from typing import NamedTuple

from cluster import Process

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


class StateUse:
    """Keyed state as a TaskManager's metrics show it while a job runs: the highest of each. Samples end
    a little before the job does, so totals are a little low."""

    _PREFIX = "watershed_state_"

    def __init__(self) -> None:
        self.entries: dict[str, float] = {}

    def sample(self, task_manager: Process) -> None:
        """Looks at the metrics now."""
        now: dict[str, float] = {}
        for name, _, value in task_manager.metrics():
            if name.startswith(self._PREFIX):
                name = name.removeprefix(self._PREFIX)
                now[name] = now.get(name, 0) + value
        for name, value in now.items():
            self.entries[name] = max(value, self.entries.get(name, 0))

    def __str__(self) -> str:
        of = {name: f"{value:,.0f}" for name, value in self.entries.items()}
        return (f"{of['cache_keys']} keys in a cache of {self.entries['cache_bytes'] / 2**20:.1f} MB, "
                f"{of['backend_keys']} in RocksDB, {of['cache_evictions']} evictions; RocksDB read "
                f"{of['backend_reads']} and wrote {of['backend_writes']} rows")


class Run(NamedTuple):
    """One run of one job over the whole topic."""

    events: int
    cpu_s: float  # of the TaskManager
    wall_s: float
    task_manager_mb: float
    job_manager_mb: float
    state: StateUse

    @property
    def per_cpu_second(self) -> float:
        """Events per second of the TaskManager's CPU."""
        return self.events / self.cpu_s

    @property
    def ns_per_event(self) -> float:
        """CPU of the TaskManager."""
        return self.cpu_s * 1e9 / self.events
