"""A job with about a gigabyte of state on a cluster: what a checkpoint of which one per cent is dirty costs,
and how long no row comes when its TaskManager is killed."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import NamedTuple

from cluster import Cluster, Process
from peers import kafka_wire

_JOB = pathlib.Path(__file__).parent / "jobs" / "large-state.yaml"
_PARTITIONS = 4
_INTERVAL_S = 2            # of checkpoints, as the job file has it
_CHECKPOINTS = 20
_KILLS = 5
_FIRST_TIME_MS = 1_709_251_200_000
_EVENT_INTERVAL_US = 500   # all keys come within the gap, so that none ends before it is told to
_GAP_MS = 9_000_000        # as the job file has it
_DELAY_MS = 15_000
_OPTIONS = {"taskmanager.memory.managed.size": "4gb"}


class Checkpoint(NamedTuple):
    """One of those measured."""

    pause_ms: float
    duration_ms: float
    dirty_keys: int
    written_bytes: int


class Recovery(NamedTuple):
    """From the kill of a TaskManager."""

    seconds: float         # to the first row that another one prints
    deployed_seconds: float  # to the deployment there: the loss was seen, the restart's delay has passed


class LargeState:
    """Use once, within `with`."""

    def __init__(self, binaries: pathlib.Path, kafka_url: str, keys: int) -> None:
        self._binaries = binaries
        self._env = {"KAFKA_URL": kafka_url, "KAFKA_TOPIC": f"large-state-{time.time_ns()}"}
        self._keys = keys
        self._sent = 0  # events
        self._loader: subprocess.Popen | None = None

    def __enter__(self) -> "LargeState":
        self._scratch = tempfile.TemporaryDirectory(prefix="watershed-bench-")
        directory = pathlib.Path(self._scratch.name)
        kafka_wire.create_topic(self._env["KAFKA_URL"], self._env["KAFKA_TOPIC"], _PARTITIONS)
        self._cluster = Cluster(
            self._binaries, directory, task_managers=1, slots=2,
            options={"execution.checkpointing.dir": f"file://{directory}/checkpoints", **_OPTIONS})
        self._cluster.start()
        self._job = self._cluster.submit(_JOB, self._env, parallelism=2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loader is not None:
            self._loader.kill()
            self._loader.wait()
        self._cluster.stop()
        kafka_wire.delete_topic(self._env["KAFKA_URL"], self._env["KAFKA_TOPIC"])
        self._scratch.cleanup()

    def fill(self) -> int:
        """Every key once; returns the bytes of all in a checkpoint. None has an older row beside it yet."""
        self._load(self._keys).wait()
        self._cluster.wait(lambda: self._cluster.job(self._job)["records-in"] == self._sent,
                           "all keys to be read", 300)
        self._wait_checkpoint()
        return self._wait_checkpoint()[1]["state_size"]

    def checkpoints(self) -> list[Checkpoint]:
        """Some while one per cent of the keys changes between two."""
        per_second = self._keys // 100 // _INTERVAL_S
        self._load(per_second * _INTERVAL_S * (_CHECKPOINTS + 4), per_second)
        self._wait_checkpoint()
        self._wait_checkpoint()  # the changes of a whole interval are in the next
        found: list[Checkpoint] = []
        before = self._wait_checkpoint()
        while len(found) < _CHECKPOINTS:
            now = self._wait_checkpoint()
            figures, shown = now
            found.append(Checkpoint(
                figures["sync_us"] / 1000, shown["end_to_end_duration"],
                figures["position"] - before[0]["position"], shown["checkpointed_size"]))
            before = now
        assert self._loader is not None
        self._loader.wait()
        return found

    def recoveries(self, count: int) -> list[Recovery]:
        """The TaskManager is killed that many times while another one stands by."""
        oldest = self._sent - self._keys  # the key that ends first had its last event then
        ends_ms = (_FIRST_TIME_MS + oldest * _EVENT_INTERVAL_US // 1000 + _GAP_MS + _DELAY_MS)
        self._sent += self._keys // 2  # an event of a key whose session is to end would keep it open
        interval_us = 10
        first_time_ms = ends_ms - self._sent * interval_us // 1000
        per_second = self._keys // 100 // _INTERVAL_S
        self._load(per_second * 60 * count, per_second, interval_us, first_time_ms)
        [victim] = self._cluster.task_managers
        self._cluster.wait(lambda: _prints(victim), "sessions to end", 60)
        found: list[Recovery] = []
        for _ in range(count):
            standby = self._cluster.add_task_manager()
            self._wait_checkpoint()
            self._wait_checkpoint()
            found.append(self._recovery(victim, standby))
            victim = standby
        return found

    def _recovery(self, victim: Process, standby: Process) -> Recovery:
        begin = time.monotonic()
        victim.end(9)
        deployed = 0.0
        while not _prints(standby):
            # No longer than it must: asking takes a good part of a core.
            if deployed == 0 and self._cluster.state(self._job) == "CREATED":
                deployed = time.monotonic() - begin
            time.sleep(0.01)
            if time.monotonic() - begin > 60:
                raise SystemExit(f"no row within 60 s\n{self._cluster.wsctl('get', self._job).stdout}"
                                 f"\n{self._cluster.logs()}")
        seconds = time.monotonic() - begin
        assert self._cluster.restored_checkpoint(self._job) > 0
        return Recovery(seconds, deployed or seconds)

    def _load(self, events: int, per_second: int = 0, interval_us: int = _EVENT_INTERVAL_US,
              first_time_ms: int = _FIRST_TIME_MS) -> subprocess.Popen:
        """In the background; the keys go on where they were."""
        self._loader = subprocess.Popen(
            [str(self._binaries / "kafka_load"), "--brokers", self._env["KAFKA_URL"], "--topic",
             self._env["KAFKA_TOPIC"], "--partitions", str(_PARTITIONS), "--keys-in-turn",
             str(self._keys), "--skip", str(self._sent), "--count", str(self._sent + events),
             "--interval-us", str(interval_us), "--first-time-ms", str(first_time_ms),
             "--per-second", str(per_second)])
        self._sent += events
        return self._loader

    def _wait_checkpoint(self) -> tuple[Mapping, Mapping]:
        """The next that completes: what its manifest says, and what the JobManager shows."""
        def latest() -> dict:
            return self._cluster.rest(f"/jobs/{self._job}/checkpoints")["latest"]["completed"] or {"id": 0}

        before = latest()["id"]
        self._cluster.wait(lambda: latest()["id"] > before, "a checkpoint", 120)
        shown = latest()
        done = subprocess.run([str(self._binaries / "checkpoint_figures"), shown["external_path"]],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout), shown


def _prints(task_manager: Process) -> bool:
    return b"\nended" in task_manager.log.read_bytes()[-1 << 20:]


def start_seconds(binaries: pathlib.Path, job_file: pathlib.Path, env: Mapping[str, str]) -> float:
    """From the start of a JobManager and a TaskManager to a submitted job that is RUNNING."""
    with tempfile.TemporaryDirectory(prefix="watershed-bench-") as scratch:
        directory = pathlib.Path(scratch)
        begin = time.monotonic()
        with Cluster(binaries, directory, task_managers=1, slots=1) as cluster:
            job = cluster.submit(job_file, env, parallelism=1)
            cluster.wait_state(job, ["RUNNING"])
            return time.monotonic() - begin


def show(binaries: pathlib.Path, env: Mapping[str, str], keys: int, job_file: pathlib.Path) -> int:
    """Prints the table; returns how many targets were missed. `job_file`: the one that is started."""
    starts = [start_seconds(binaries, job_file, env) for _ in range(5)]
    with LargeState(binaries, env["KAFKA_URL"], keys) as state:
        state_bytes = state.fill()
        taken = state.checkpoints()
        recoveries = state.recoveries(_KILLS)
    ratios = [each.written_bytes / (each.dirty_keys * state_bytes / keys) for each in taken]
    missed = 0
    print(f"\n{'on a cluster':60} {'median':>8} {'(range)':>20} {'target':>8}")
    for what, values, target, unit in (
            ("start of JobManager and TaskManager to job RUNNING", starts, 1, "s"),
            ("checkpoint: pause on a task's thread", [each.pause_ms for each in taken], 10, "ms"),
            ("checkpoint: from trigger to complete", [each.duration_ms for each in taken], 300, "ms"),
            ("checkpoint: bytes written per dirty byte", ratios, 2, ""),
            ("TaskManager killed, to the next row", [each.seconds for each in recoveries], 5, "s")):
        median = statistics.median(values)
        missed += median > target
        print(f"{what:60} {median:8.2f} {f'({min(values):.2f} to {max(values):.2f})':>20} "
              f"{target:5d} {unit:2}  {'MISS' if median > target else 'pass'}")
    dirty = statistics.median(each.dirty_keys for each in taken)
    deployed = statistics.median(each.deployed_seconds for each in recoveries)
    print(f"  state: {keys:,} keys, {state_bytes / 1e6:,.0f} MB in files; {dirty:,.0f} keys dirty "
          f"({dirty / keys:.2%}); {_KILLS} kills: {deployed:.2f} s until the tasks are deployed again")
    return missed
