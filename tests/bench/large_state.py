"""A job with about a gigabyte of state on a cluster: what a checkpoint of which one per cent is dirty costs;
recovery.py says what the death of a process does."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import NamedTuple

import recovery
from cluster import Cluster
from peers import kafka_wire
from peers.postgres import PostgresServer

_JOB = pathlib.Path(__file__).parent / "jobs" / "large-state.yaml"
_PARTITIONS = 4
_INTERVAL_S = 2            # of checkpoints, as the job file has it
_CHECKPOINTS = 20
_KILLS = 5
_SECONDS_PER_KILL = 60
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


class LargeState:
    """Use once, within `with`."""

    def __init__(self, binaries: pathlib.Path, kafka_url: str, keys: int) -> None:
        self._binaries = binaries
        self._env = {"KAFKA_URL": kafka_url, "KAFKA_TOPIC": f"large-state-{time.time_ns()}"}
        self.server: PostgresServer
        self.cluster: Cluster
        self.job = ""
        self._keys = keys
        self._sent = 0  # events
        self._loader: subprocess.Popen | None = None

    def __enter__(self) -> "LargeState":
        self._scratch = tempfile.TemporaryDirectory(prefix="watershed-bench-")
        directory = pathlib.Path(self._scratch.name)
        directory.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self.server = PostgresServer(directory / "postgres")
        self.server.start()
        self.server.psql("CREATE TABLE ended (ip text, host text, num_logs bigint)")
        self._env |= {"POSTGRES_URL": self.server.url, "POSTGRES_USER": self.server.USER,
                      "POSTGRES_PASSWORD": self.server.PASSWORD}
        kafka_wire.create_topic(self._env["KAFKA_URL"], self._env["KAFKA_TOPIC"], _PARTITIONS)
        self.cluster = Cluster(
            self._binaries, directory, task_managers=1, slots=2,
            options={"execution.checkpointing.dir": f"file://{directory}/checkpoints", **_OPTIONS})
        self.cluster.start()
        self.job = self.cluster.submit(_JOB, self._env, parallelism=2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loader is not None:
            self._loader.kill()
            self._loader.wait()
        self.cluster.stop()
        self.server.kill()
        kafka_wire.delete_topic(self._env["KAFKA_URL"], self._env["KAFKA_TOPIC"])
        self._scratch.cleanup()

    def fill(self) -> int:
        """Every key once; returns the bytes of all in a checkpoint. None has an older row beside it yet."""
        self._load(self._keys).wait()
        self.cluster.wait(lambda: self.cluster.job(self.job)["records-in"] == self._sent,
                          "all keys to be read", 300)
        self.wait_checkpoint()
        return self.wait_checkpoint()[1]["state_size"]

    def checkpoints(self) -> list[Checkpoint]:
        """Some while one per cent of the keys changes between two."""
        per_second = self._keys // 100 // _INTERVAL_S
        self._load(per_second * _INTERVAL_S * (_CHECKPOINTS + 4), per_second)
        self.wait_checkpoint()
        self.wait_checkpoint()  # the changes of a whole interval are in the next
        found: list[Checkpoint] = []
        before = self.wait_checkpoint()
        while len(found) < _CHECKPOINTS:
            now = self.wait_checkpoint()
            figures, shown = now
            found.append(Checkpoint(
                figures["sync_us"] / 1000, shown["end_to_end_duration"],
                figures["position"] - before[0]["position"], shown["checkpointed_size"]))
            before = now
        assert self._loader is not None
        self._loader.wait()
        return found

    def end_sessions(self, seconds: int) -> None:
        """From now on, as many as events come, for so long."""
        oldest = self._sent - self._keys  # the key that ends first had its last event then
        ends_ms = (_FIRST_TIME_MS + oldest * _EVENT_INTERVAL_US // 1000 + _GAP_MS + _DELAY_MS)
        self._sent += self._keys // 2  # an event of a key whose session is to end would keep it open
        interval_us = 10
        first_time_ms = ends_ms - self._sent * interval_us // 1000
        per_second = self._keys // 100 // _INTERVAL_S
        self._load(per_second * seconds, per_second, interval_us, first_time_ms)

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

    def wait_checkpoint(self) -> tuple[Mapping, Mapping]:
        """The next that completes: what its manifest says, and what the JobManager shows."""
        def latest() -> dict:
            return self.cluster.rest(f"/jobs/{self.job}/checkpoints")["latest"]["completed"] or {"id": 0}

        before = latest()["id"]
        self.cluster.wait(lambda: latest()["id"] > before, "a checkpoint", 120)
        shown = latest()
        done = subprocess.run([str(self._binaries / "checkpoint_figures"), shown["external_path"]],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout), shown


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
        state.end_sessions(2 * _KILLS * _SECONDS_PER_KILL)
        killed = recovery.measure(state, _KILLS)
    ratios = [each.written_bytes / (each.dirty_keys * state_bytes / keys) for each in taken]
    missed = 0
    print(f"\n{'on a cluster':60} {'median':>8} {'(range)':>20} {'target':>8}")
    for what, values, target, unit in (
            ("start of JobManager and TaskManager to job RUNNING", starts, 1, "s"),
            ("checkpoint: pause on a task's thread", [each.pause_ms for each in taken], 10, "ms"),
            ("checkpoint: from trigger to complete", [each.duration_ms for each in taken], 300, "ms"),
            ("checkpoint: bytes written per dirty byte", ratios, 2, ""),
            ("TaskManager killed, to the next row", killed.to_row_s, 5, "s"),
            ("TaskManager killed, to committed rows", killed.to_committed_row_s, 5 + _INTERVAL_S, "s"),
            ("JobManager killed, longest time without a row", killed.without_row_s, 5, "s"),
            ("JobManager killed, to committed rows", killed.to_new_epoch_s, 5 + _INTERVAL_S, "s")):
        median = statistics.median(values)
        missed += median > target
        print(f"{what:60} {median:8.2f} {f'({min(values):.2f} to {max(values):.2f})':>20} "
              f"{target:5d} {unit:2}  {'MISS' if median > target else 'pass'}")
    dirty = statistics.median(each.dirty_keys for each in taken)
    deployed = statistics.median(killed.to_deployment_s)
    print(f"  state: {keys:,} keys, {state_bytes / 1e6:,.0f} MB in files; {dirty:,.0f} keys dirty "
          f"({dirty / keys:.2%}); {_KILLS} kills of each: {deployed:.2f} s until the tasks are deployed again")
    return missed
