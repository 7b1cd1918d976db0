#!/usr/bin/env python3
"""The main jobs on this machine: real Kafka and PostgreSQL, one JobManager, two TaskManagers, made
traffic, rows arriving. Ends at Ctrl-C, or after --seconds, and stops everything it started."""

import argparse
import datetime
import pathlib
import shutil
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from cluster import Cluster  # noqa: E402  (found through the line above)
from peers import kafka_jars, kafka_wire  # noqa: E402
from peers.kafka import KafkaBroker  # noqa: E402
from peers.mock_kafka import MockKafka  # noqa: E402
from peers.postgres import PostgresServer  # noqa: E402
from peers.process import PeerError  # noqa: E402
import ports_in_use  # noqa: E402

_PORTS = {"Kafka": 9092, "PostgreSQL": 5432, "jobmanager.rpc.port": 6123, "rest.port": 8081}
_TOPIC, _PARTITIONS = "web-events", 4
_TABLES = ("sessionized_events", "processed_events_aggregated",
           "processed_events_aggregated_source")

# Event time runs 60 times as fast as the clock, so that windows of 5 minutes close every 5 seconds. It
# starts a week ago: events more than a day ahead of the clock are refused, and that is far away.
_TRAFFIC = {"ROWS_PER_SECOND": "2000", "TIME_STEP": "30ms", "KEYS": "2000", "DISORDER": "10s"}
_BACK = datetime.timedelta(days=7)


class Stop(Exception):
    """Ctrl-C, or a request to end."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--seconds", type=float, help="end by itself; fails if a table stayed empty")
    parser.add_argument("--mock", action="store_true",
                        help="librdkafka's mock broker instead of Kafka: no guarantees of any kind")
    parser.add_argument("--keep", action="store_true", help="leave data and logs when it ends")
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    if not _ports_are_free(arguments.mock):
        return 1
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="watershed-demo-"))
    scratch.chmod(0o711)  # PostgreSQL runs as another user when this is root
    demo = Demo(scratch, arguments)
    failed = True
    try:
        demo.start()
        failed = not demo.watch(arguments.seconds)
    except Stop:
        failed = False
    except (AssertionError, PeerError, OSError, RuntimeError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        print("\nStopping what was started", flush=True)
        demo.stop()
        if arguments.keep or failed:
            print(f"Data and logs stay in {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failed else 0


def _stop(*_: object) -> None:
    raise Stop


def _ports_are_free(mock: bool) -> bool:
    free = True
    for what, port in _PORTS.items():
        if not (mock and what == "Kafka") and not ports_in_use.is_free(port):
            print(f"demo: port {port} ({what}) is in use by {ports_in_use.holder(port)}; "
                  "end it and try again", file=sys.stderr)
            free = False
    return free


class Demo:
    """Everything that runs, and the view of it."""

    def __init__(self, scratch: pathlib.Path, arguments: argparse.Namespace) -> None:
        self._scratch = scratch
        self._mock: bool = arguments.mock
        self._binaries: pathlib.Path = arguments.binaries
        self._kafka: KafkaBroker | MockKafka | None = None
        self._postgres: PostgresServer | None = None
        self._cluster: Cluster | None = None
        self._jobs: dict[str, str] = {}

    def start(self) -> None:
        """Peers, tables, cluster, jobs; says each."""
        self._start_peers()
        assert self._kafka is not None and self._postgres is not None
        for job in ("session", "aggregation"):
            self._postgres.psql((ROOT / "jobs" / "sql" / f"{job}.sql").read_text())
        _say("JobManager and two TaskManagers with 2 slots each")
        self._cluster = Cluster(self._binaries, self._scratch, task_managers=2, slots=2,
                                fixed_ports=True, options={
                                    "execution.checkpointing.dir": f"file://{self._scratch}/checkpoints",
                                    "execution.checkpointing.savepoint-dir":
                                        f"file://{self._scratch}/savepoints"})
        self._cluster.start()
        env = {
            "KAFKA_URL": self._kafka.url, "KAFKA_TOPIC": _TOPIC,
            "POSTGRES_URL": self._postgres.url, "POSTGRES_USER": self._postgres.USER,
            "POSTGRES_PASSWORD": self._postgres.PASSWORD, "POSTGRES_DB": self._postgres.DATABASE,
            "START": f"{datetime.datetime.now(datetime.timezone.utc) - _BACK:%Y-%m-%dT%H:%M:%SZ}",
            **_TRAFFIC}
        for job, parallelism in (("generate-web-traffic", 1), ("session", 2), ("aggregation", 1)):
            _say(f"wsctl submit jobs/{job}.yaml -p {parallelism}")
            self._jobs[job] = self._cluster.submit(ROOT / "jobs" / f"{job}.yaml", env, parallelism)
        self._say_where_to_look()

    def watch(self, seconds: float | None) -> bool:
        """Shows row counts until Ctrl-C or time is up; whether every table has rows."""
        begin = time.monotonic()
        width = 0
        while True:
            self._check_alive()
            counts = self._row_counts()
            elapsed = time.monotonic() - begin
            line = f"{elapsed:5.0f} s  " + "  ".join(
                f"{table}: {count:,}" for table, count in counts.items())
            if sys.stdout.isatty():
                print("\r" + line.ljust(width), end="", flush=True)
                width = len(line)
            else:
                print(line, flush=True)
            if seconds is not None and elapsed >= seconds:
                break
            pause = 1 if sys.stdout.isatty() else 5
            time.sleep(pause if seconds is None else min(pause, max(0.1, seconds - elapsed)))
        empty = [table for table, count in counts.items() if count == 0]
        if empty:
            print(f"\ndemo: no row arrived in {', '.join(empty)} within {seconds:g} s",
                  file=sys.stderr)
            self._show_jobs()
        return not empty

    def stop(self) -> None:
        """In the order in which nobody complains; also after half a start."""
        for part in (self._cluster, self._kafka, self._postgres):
            if part is not None:
                part.stop()

    def _start_peers(self) -> None:
        self._postgres = PostgresServer(self._scratch / "postgres", port=_PORTS["PostgreSQL"])
        if self._mock:
            _say("librdkafka's MOCK broker: keeps 5 MB a partition, loses the rest, guarantees nothing")
            self._kafka = MockKafka(self._binaries / "mock_kafka", _TOPIC, _PARTITIONS)
        else:
            _say(f"Apache Kafka {kafka_jars.VERSION} on port {_PORTS['Kafka']}")
            self._kafka = broker = KafkaBroker(self._scratch / "kafka", port=_PORTS["Kafka"])
            broker.begin_start()
        _say(f"PostgreSQL 15 on port {_PORTS['PostgreSQL']}")
        self._postgres.start()
        if isinstance(self._kafka, KafkaBroker):
            self._kafka.finish_start()
            # Half a gigabyte is plenty for a demo that runs all day.
            kafka_wire.create_topic(self._kafka.url, _TOPIC, _PARTITIONS, {
                "retention.bytes": str(128 << 20), "segment.bytes": str(32 << 20)})

    def _row_counts(self) -> dict[str, int]:
        assert self._postgres is not None
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _TABLES)
        row = self._postgres.psql(f"SELECT {counts}")[0]
        return dict(zip(_TABLES, map(int, row), strict=True))

    def _check_alive(self) -> None:
        """RuntimeError when a process or a job is gone."""
        assert self._cluster is not None and self._kafka is not None
        if self._kafka.exited():
            raise RuntimeError("Kafka has ended")
        for job, job_id in self._jobs.items():
            if (state := self._cluster.state(job_id)) in ("FAILED", "CANCELED"):
                self._show_jobs()
                raise RuntimeError(f"job {job} is {state}")

    def _show_jobs(self) -> None:
        assert self._cluster is not None
        for job_id in self._jobs.values():
            print(self._cluster.wsctl("get", job_id).stdout, file=sys.stderr)

    def _say_where_to_look(self) -> None:
        assert self._cluster is not None and self._cluster.job_manager is not None
        assert self._postgres is not None
        rest = f"http://127.0.0.1:{self._cluster.job_manager.ports['rest']}"
        metrics = [self._cluster.job_manager, *self._cluster.task_managers]
        print(f"""
Where to look
  jobs       {rest}/ and {rest}/jobs/overview
  command    {self._binaries}/wsctl list
  metrics    {'  '.join(f"http://127.0.0.1:{each.ports['metrics']}/metrics" for each in metrics)}
  rows       PGPASSWORD={self._postgres.PASSWORD} psql -h 127.0.0.1 -p {self._postgres.port} \
-U {self._postgres.USER} {self._postgres.DATABASE}
  logs       {self._scratch}
Event time runs 60 times as fast as the clock; the first windows close after about 20 seconds.
Ctrl-C ends all of it.
""", flush=True)


def _say(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
