#!/usr/bin/env python3
"""Events per CPU-second of the engine, through the submitted cluster path: real Kafka on one core, a
JobManager and a TaskManager on the other, release build; then checkpoints and recovery with a gigabyte of
state (large_state.py). Figures depend on the machine: compare them with others of the same run, and never
assert them in a test."""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import large_state  # noqa: E402  (found through the line above)
from cluster import ENDED, Cluster  # noqa: E402
from measure import Run, StateUse, cpu_seconds  # noqa: E402
from peers import kafka_jars, kafka_wire  # noqa: E402
from peers.kafka import KafkaBroker  # noqa: E402

_JOBS = ROOT / "tests" / "bench" / "jobs"
_PARTITIONS = 4
_IPS, _HOSTS = 60_000, 5  # 300,000 keys (ip, host); 35 keys (host, referrer)



class Target(NamedTuple):
    """What is run, and the least events per CPU-second we want."""

    what: str
    job: str
    per_cpu_second: int
    options: Mapping[str, str] = {}  # "{scratch}" in a value: a folder of the run
    more_yaml: str = ""              # added to the job file


_TARGETS: dict[str, Target] = {
    "project": Target("4 columns -> blackhole", "project", 800_000),
    "tumbling": Target("tumbling 5 min by host, referrer -> blackhole", "tumbling", 800_000),
    "session": Target("sessions 5 min by ip, host, all keys cached", "session", 300_000),
    # The open sessions take about 32 MB in the cache, which gets 5/7 of this: RocksDB has the rest.
    "session-spilled": Target("the same, most keys in RocksDB", "session", 300_000,
                              {"taskmanager.memory.managed.size": "20mb"}),
    "session-checkpointed": Target("sessions, a checkpoint every second", "session", 300_000,
                                   {"execution.checkpointing.dir": "file://{scratch}/checkpoints"},
                                   "checkpointing: { interval: 1s }\n"),
}
_TASK_MANAGER_MB, _JOB_MANAGER_MB = 400, 50

# Each rung does what the one below does, and more. First the stages alone (tests/bench/stages.cc):
_STAGES = (("consume (librdkafka, the source)", "consume"), ("parse 3 columns", "parse"),
           ("encode keys, hash, scatter to 2", "hash"))
# then whole jobs: (label, job, options of the cluster).
_JOB_RUNGS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("engine, sessions in memory, blackhole", "session", {"state.backend.type": "hashmap"}),
    ("the same, RocksDB behind a cache that holds all", "session", {}),
    ("the same, a cache that does not", "session", _TARGETS["session-spilled"].options),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, help="in the topic (default 5000000)")
    parser.add_argument("--runs", type=int, default=3, help="of each job; medians are shown (default 3)")
    parser.add_argument("--job", choices=_TARGETS, action="append", help="only these")
    parser.add_argument("--no-ladder", action="store_true")
    parser.add_argument("--no-state", action="store_true", help="not the job with large state")
    parser.add_argument("--only-state", action="store_true", help="nothing but that")
    parser.add_argument("--state-keys", type=int, default=16_000_000,
                        help="of that job (default 16000000: 1 GB in a checkpoint's files)")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--kafka-cpus", default="0")
    parser.add_argument("--engine-cpus", default="1")
    arguments = parser.parse_args()

    data = kafka_jars.cache_directory() / f"bench-{arguments.events}"
    broker = KafkaBroker(data, heap_mb=1024, cpus=arguments.kafka_cpus)
    print(f"Kafka {kafka_jars.VERSION} on core {arguments.kafka_cpus}, data in {data}", flush=True)
    broker.start()
    try:
        _load(broker, arguments)
        bench = Bench(broker, arguments)
        missed = 0
        if not arguments.only_state:
            missed += bench.show_targets(arguments.job or list(_TARGETS))
            if not arguments.no_ladder:
                bench.show_ladder()
        if not arguments.no_state:
            missed += bench.show_large_state()
    finally:
        broker.stop()
    print(f"\n{missed} of the targets missed" if missed else "\nall targets met")
    return 0


def _load(broker: KafkaBroker, arguments: argparse.Namespace) -> None:
    """Fills the topic unless an earlier run did."""
    topic = "web-events"
    if topic in kafka_wire.partitions(broker.url):
        if kafka_wire.record_count(broker.url, topic) == arguments.events:
            print(f"topic {topic} holds {arguments.events:,} events from an earlier run", flush=True)
            return
        kafka_wire.delete_topic(broker.url, topic)
    print(f"filling topic {topic} with {arguments.events:,} events", flush=True)
    kafka_wire.create_topic(broker.url, topic, _PARTITIONS)
    subprocess.run(
        [str(arguments.binaries / "kafka_load"), "--brokers", broker.url, "--topic", topic,
         "--partitions", str(_PARTITIONS), "--count", str(arguments.events), "--seed", "1", "--ips",
         str(_IPS), "--hosts", str(_HOSTS), "--interval-us", "1000", "--disorder-ms", "10000"],
        check=True)


class Bench:
    """Runs jobs over the filled topic, each run in a fresh cluster, so that peaks are its own."""

    def __init__(self, broker: KafkaBroker, arguments: argparse.Namespace) -> None:
        self._env = {"KAFKA_URL": broker.url, "KAFKA_TOPIC": "web-events"}
        self._arguments = arguments

    def show_targets(self, jobs: list[str]) -> int:
        """Prints the table; returns how many targets were missed. Runs of the jobs alternate."""
        runs: dict[str, list[Run]] = {job: [] for job in jobs}
        for number in range(self._arguments.runs):
            for job in jobs:
                target = _TARGETS[job]
                runs[job].append(self.run(target.job, target.options, target.more_yaml))
                print(f"  run {number + 1}, {job}: {runs[job][-1].per_cpu_second:,.0f} events per "
                      f"CPU-second, {runs[job][-1].wall_s:.1f} s", flush=True)
        print(f"\n{'job':50} {'events/CPU-s':>13} {'(range)':>23} {'target':>9}  {'wall s':>6} "
              f"{'TM MB':>6} {'JM MB':>6}")
        missed = 0
        for job in jobs:
            what, _, target, *_ = _TARGETS[job]
            rates = sorted(run.per_cpu_second for run in runs[job])
            wall = statistics.median(run.wall_s for run in runs[job])
            task_manager = max(run.task_manager_mb for run in runs[job])
            job_manager = max(run.job_manager_mb for run in runs[job])
            problems = [text for text, bad in (
                ("slow", statistics.median(rates) < target),
                (f"TM > {_TASK_MANAGER_MB} MB", task_manager > _TASK_MANAGER_MB),
                (f"JM > {_JOB_MANAGER_MB} MB", job_manager > _JOB_MANAGER_MB)) if bad]
            missed += len(problems)
            spread = f"({rates[0]:,.0f} to {rates[-1]:,.0f})"
            print(f"{what:50} {statistics.median(rates):13,.0f} {spread:>23} {target:9,d}  {wall:6.1f} "
                  f"{task_manager:6.0f} {job_manager:6.0f}  "
                  f"{'MISS: ' + ', '.join(problems) if problems else 'pass'}")
        for job in jobs:
            if (use := runs[job][-1].state).entries:
                print(f"  state of {job}: {use}")
        return missed

    def show_ladder(self) -> None:
        """ns of CPU per event; a rung's share is the difference to the one below it."""
        print(f"\n{'ladder (ns of CPU per event)':50} {'step':>6} {'sum':>6}")
        before = 0.0
        for label, total in self._rungs():
            print(f"{label:50} {total - before:6.0f} {total:6.0f}", flush=True)
            before = total

    def show_large_state(self) -> int:
        """Prints the table; returns how many targets were missed. Processes use all cores."""
        return large_state.show(self._arguments.binaries, self._env, self._arguments.state_keys,
                                _JOBS / "session.yaml")

    def _rungs(self) -> Iterator[tuple[str, float]]:
        times = range(self._arguments.runs)
        for label, upto in _STAGES:
            yield label, statistics.median(self._stages(upto) for _ in times)
        for label, job, options in _JOB_RUNGS:
            yield label, statistics.median(self.run(job, options).ns_per_event for _ in times)

    def _stages(self, upto: str) -> float:
        done = subprocess.run(
            ["taskset", "-c", self._arguments.engine_cpus, str(self._arguments.binaries / "stages"),
             "--brokers", self._env["KAFKA_URL"], "--topic", self._env["KAFKA_TOPIC"], "--upto",
             upto], stdout=subprocess.PIPE, text=True, check=True)
        return float(done.stdout)

    def run(self, job: str, options: Mapping[str, str] | None = None, more_yaml: str = "") -> Run:
        """Submits the job to a new cluster and waits until it has read the whole topic."""
        with (tempfile.TemporaryDirectory(prefix="watershed-bench-") as scratch,
              Cluster(self._arguments.binaries, pathlib.Path(scratch), task_managers=1, slots=1,
                      options={key: value.replace("{scratch}", scratch)
                               for key, value in (options or {}).items()},
                      cpus=self._arguments.engine_cpus) as cluster):
            job_file = pathlib.Path(scratch) / f"{job}.yaml"
            job_file.write_text((_JOBS / f"{job}.yaml").read_text() + more_yaml)
            worker = cluster.task_managers[0]
            cpu_before, begin = cpu_seconds(worker.pid), time.monotonic()
            job_id = cluster.submit(job_file, self._env, parallelism=1)
            state = StateUse()
            while cluster.state(job_id) not in ENDED:
                state.sample(worker)
                time.sleep(0.2)
            wall, cpu = time.monotonic() - begin, cpu_seconds(worker.pid) - cpu_before
            cluster.wait_state(job_id, ["FINISHED"])
            status = cluster.job(job_id)
            if status["records-in"] != self._arguments.events or status["late-records"]:
                raise SystemExit(f"{job}: read {status['records-in']} of {self._arguments.events} "
                                 f"events, {status['late-records']} late: no figure")
            assert cluster.job_manager is not None
            return Run(self._arguments.events, cpu, wall, worker.peak_rss_bytes() / 2**20,
                       cluster.job_manager.peak_rss_bytes() / 2**20, state)


if __name__ == "__main__":
    sys.exit(main())
