"""What a process has used, from the kernel's accounting."""

import os
import pathlib
from typing import NamedTuple

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def peak_rss_mb(pid: int) -> float:
    """The most that was resident at once (VmHWM)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no VmHWM of process {pid}")


class Run(NamedTuple):
    """One run of one job over the whole topic."""

    events: int
    cpu_s: float  # of the TaskManager
    wall_s: float
    task_manager_mb: float
    job_manager_mb: float

    @property
    def per_cpu_second(self) -> float:
        """Events per second of the TaskManager's CPU."""
        return self.events / self.cpu_s

    @property
    def ns_per_event(self) -> float:
        """CPU of the TaskManager."""
        return self.cpu_s * 1e9 / self.events
