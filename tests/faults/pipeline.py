"""What runs while things break: the session and the tumbling job on real Kafka and PostgreSQL, each result in
a table without a key and in a topic, traffic whose results an independent program works out, and records that
are no events, which go to a topic of dead letters."""

import dataclasses
import http.client
import pathlib
import time
from collections import Counter
from collections.abc import Mapping

from answer_losing_proxy import AnswerLosingProxy, KafkaCommits, PostgresCommits
from cluster import ENDED, Cluster
from interposed_calls import InterposedCalls
from network import Network
from peers import kafka_wire
from peers.kafka import KafkaBroker
from peers.postgres import PostgresServer
from scenario import BINARIES, Scenario
from web_traffic import OUTPUTS, SESSIONS, expected_rows, generator, into_both
import small_disk

_PARTITIONS = 4
_EVENTS_PER_BAD_RECORD = 100
# The time between two events: windows of five minutes end with every few faults.
_INTERVAL_US = 50_000
# Events come in portions, with faults between them: partitions that were idle meanwhile would race when the
# next portion comes, and rows would rightly differ.
_NEVER_IDLE = ("idle-timeout: 30s", "idle-timeout: 1h")
_JOB = ("checkpointing: { interval: 1s }\n"
        "restart-strategy: { type: exponential-delay, initial-backoff: 200ms, max-backoff: 2s }\n"
        "operators:\n")
# Of a JobManager that is not there, that dies while it answers, or that does not know the job yet.
NO_ANSWER = (OSError, http.client.HTTPException, KeyError)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a kind of fault wants to be otherwise."""

    sink_options: tuple[tuple[str, str], ...] = ()  # replacements in the job files
    cluster_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    standbys: int = 0
    slots: int = 2  # of each of three TaskManagers
    parallelism: int = 3
    interposed: bool = False  # processes whose files and clocks can be made wrong
    small_disk: bool = False  # for checkpoints
    proxies: bool = False  # between the jobs and their peers
    network: bool = False  # each process on a machine of its own, and the peers elsewhere


class Pipeline:
    """Peers, cluster and jobs of one run."""

    def __init__(self, directory: pathlib.Path, seed: int, events: int,
                 setting: Setting = Setting()) -> None:
        self.proxies = _proxies() if setting.proxies else {}
        self.network = Network().open() if setting.network else None
        self.kafka_host, self.postgres_host = ("127.0.0.1", None) if self.network is None else (
            self.network.address(), self.network.address())
        self.broker = KafkaBroker(
            directory / "kafka", others_host=self.kafka_host,
            told_port=self.proxies["kafka"].port if self.proxies else None)
        self.server = PostgresServer(directory / "postgres", others_host=self.postgres_host)
        self.broker.start()
        self.server.start()
        self.scenario = Scenario("faults", self.broker.url, self.server.connection_env())
        if self.proxies:
            self._go_through_proxies()
        if self.network is not None:
            self._reach_peers(f"{self.kafka_host}:{self.broker.others_port}", f"{self.postgres_host}:{self.server.port}")
        self.scenario.create_topic(_PARTITIONS)
        self.scenario.create_tables(*OUTPUTS)
        for table in self.tables():
            kafka_wire.create_topic(self.broker.url, self.scenario.topic_of(table), 2)
        self._seed = seed
        self._sink_options = setting.sink_options
        self.events = events
        self.loaded = 0
        self.was_running = False  # when they were last asked
        raw = directory / "events.jsonl"
        ends = self.scenario.load_events(*self._generator(events), "--also-write", str(raw), "--dry-run")
        self.expected = expected_rows(raw, events)
        raw.unlink()
        for name in OUTPUTS:
            kafka_wire.create_topic(self.broker.url, self._letters_topic(name), 2)
        self.letters = Counter(map(_bad_record, range(self._bad_until(events))))
        ends = [end + sum(partition == i for partition, _ in self.letters.elements())
                for i, end in enumerate(ends)]
        self.checkpoints = directory / "checkpoints"
        self.checkpoints.mkdir()
        self.calls = InterposedCalls(BINARIES / "libinterposed_calls.so", directory / "calls") if setting.interposed else None
        self.cluster = Cluster(
            BINARIES, directory / "cluster", task_managers=3, slots=setting.slots,
            options={"execution.checkpointing.dir": f"file://{self.checkpoints}",
                     "heartbeat.timeout": "3s", **setting.cluster_options},
            standbys=setting.standbys, **({"variables": self.calls.variables} if self.calls else {}),
            **({"machines": self.network.machine} if self.network else {}))
        self.disk = small_disk.at(self.checkpoints, self.cluster) if setting.small_disk else None
        self.cluster.start()
        self.jobs: dict[str, str] = {}
        for name in OUTPUTS:
            self._job_file(name, ends)
            self.submit(name, setting.parallelism)

    def _go_through_proxies(self) -> None:
        kafka, postgres = self.proxies["kafka"], self.proxies["postgres"]
        kafka.server_port, postgres.server_port = self.broker.others_port, self.server.port
        self._reach_peers(f"127.0.0.1:{kafka.port}", f"127.0.0.1:{postgres.port}")

    def _reach_peers(self, kafka: str, postgres: str) -> None:
        """The jobs, there. What looks at their results does not."""
        url = self.scenario.env["POSTGRES_URL"].replace(f"127.0.0.1:{self.server.port}", postgres)
        self.scenario.env |= {"KAFKA_URL": kafka, "POSTGRES_URL": url}

    def submit(self, name: str, parallelism: int, restore: str | None = None) -> None:
        """The job, in place of the one before; to begin from a checkpoint."""
        self.jobs[name] = self.cluster.submit(self.scenario.directory / f"{name}.yaml", self.scenario.env,
                                              parallelism, restore)

    def _job_file(self, name: str, ends: list[int]) -> pathlib.Path:
        offsets = ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(ends))
        startup = "    scan.startup.mode: earliest-offset\n"
        bounded = (f"{startup}    scan.bounded.mode: specific-offsets\n"
                   f"    scan.bounded.specific-offsets: '{offsets}'\n")
        letters = f"on-error: {{ action: dead-letter, topic: {self._letters_topic(name)} }}"
        return self.scenario.job_file(name, (startup, bounded), ("operators:\n", _JOB), ("on-error: skip", letters),
                                      *into_both(name), _NEVER_IDLE, *self._sink_options, bounded=False)

    def _letters_topic(self, job: str) -> str:
        return f"{self.scenario.topic}_{job}_letters"

    @staticmethod
    def _bad_until(events: int) -> int:
        """How many records that are no events go with so many events."""
        return events // _EVENTS_PER_BAD_RECORD

    def _generator(self, count: int) -> tuple[str, ...]:
        return generator(self._seed, count, _INTERVAL_US)

    def load(self, events: int) -> None:
        """The next of them, but for the last tenth until the end."""
        until = min(self.loaded + events, self.events * 9 // 10)
        self._load_until(until)

    def _load_until(self, until: int) -> None:
        if until <= self.loaded:
            return
        self.scenario.load_events(*self._generator(until), "--skip", str(self.loaded))
        bad = map(_bad_record, range(self._bad_until(self.loaded), self._bad_until(until)))
        self.scenario.load_records([(partition, None, value) for partition, value in bad])
        self.loaded = until

    def states(self) -> list[str]:
        """Of all jobs; nothing while no JobManager answers."""
        try:
            return [self.cluster.state(job) for job in self.jobs.values()]
        except NO_ANSWER:
            return []

    def completed(self) -> list[int]:
        """How many checkpoints each job has completed; nothing while no JobManager answers."""
        try:
            return [self.cluster.checkpoints(job)["completed"] for job in self.jobs.values()]
        except NO_ANSWER:
            return []

    def is_running(self) -> bool:
        """All jobs. AssertionError once one of them has ended before its events have."""
        states = self.states()
        ended = [state for state in states if state in ENDED]
        if ended:
            raise AssertionError(f"a job is {ended[0]}:\n" + "\n".join(
                self.cluster.wsctl("get", job).stdout for job in self.jobs.values())
                + self.cluster.logs())
        if states:
            self.was_running = all(state == "RUNNING" for state in states)
        return bool(states) and self.was_running

    def finish(self, timeout_s: float) -> None:
        """Loads the rest, and waits until all jobs have ended by themselves."""
        self._load_until(self.events)
        deadline = time.monotonic() + timeout_s
        while set(self.states()) != {"FINISHED"}:
            if "FAILED" in self.states() or time.monotonic() > deadline:
                raise AssertionError(f"the jobs are {self.states()}\n" + "\n".join(
                    self.cluster.wsctl("get", job).stdout for job in self.jobs.values())
                    + self.cluster.logs())
            time.sleep(0.2)

    @staticmethod
    def tables() -> list[str]:
        """That the jobs write."""
        return [table for outputs in OUTPUTS.values() for table, _ in outputs]

    def compare(self) -> dict[str, "Comparison"]:
        """By table and topic."""
        compared = {}
        for output, rows in self.expected.items():
            compared[f"table {output[0]}"] = Comparison(rows, self.scenario.rows(*output))
            compared[f"topic {output[0]}"] = Comparison(rows, self.scenario.committed_rows(*output))
        for name in OUTPUTS:
            compared[f"dead letters of {name}"] = Comparison(self.letters, self._found_letters(name))
        return compared

    def _found_letters(self, job: str) -> Counter:
        """By the partition that their header names."""
        return Counter((int(record.headers["__watershed.errors.partition"]), record.value)
                       for record in self.scenario.committed_records(self._letters_topic(job)))

    def check_so_far(self) -> None:
        """That nothing is in the targets that must not be. AssertionError otherwise."""
        for output, expected in self.expected.items():
            for target, found in (("table", self.scenario.rows(*output)),
                                  ("topic", self.scenario.committed_rows(*output))):
                surplus = [row for row, count in found.items() if count > expected[row]]
                twice = sum(row in expected for row in surplus)
                assert not surplus, (
                    f"{target} {output[0]} has {twice} rows too often and {len(surplus) - twice} that must "
                    f"not be, such as {surplus[:4]}")
        for name in OUTPUTS:
            surplus = self._found_letters(name) - self.letters
            assert not surplus, f"dead letters of {name} there too often, such as {list(surplus)[:4]}"

    def events_in_sessions(self) -> dict[str, int]:
        """How many events the rows of either target tell of: what is missing was late, or was lost."""
        table, columns = SESSIONS
        count = columns.index("num_logs")
        return {target: sum(int(row[count]) * times for row, times in found.items())
                for target, found in (("table", self.scenario.rows(table, columns)),
                                      ("topic", self.scenario.committed_rows(table, columns)))}

    def stop(self) -> None:
        """Everything."""
        self.cluster.stop()
        if self.disk is not None:
            self.disk.close()
        self.server.kill()
        self.broker.kill()
        for proxy in self.proxies.values():
            proxy.stop()
        if self.network is not None:
            self.network.close()


def _proxies() -> dict[str, AnswerLosingProxy]:
    return {"kafka": AnswerLosingProxy(KafkaCommits), "postgres": AnswerLosingProxy(PostgresCommits)}


def _bad_record(number: int) -> tuple[int, bytes]:
    """The partition and the value of one that is no event."""
    return number % _PARTITIONS, f"no event, number {number}".encode()


class Comparison:
    """Rows that there must be, and those there are: multisets."""

    def __init__(self, expected: Counter, found: Counter) -> None:
        self.expected = expected.total()
        self.found = found.total()
        self.lost = (expected - found).total()
        surplus = found - expected
        self.duplicated = sum(count for row, count in surplus.items() if row in expected)
        self.invented = surplus.total() - self.duplicated
        self.examples = list(surplus)[:2] + list((expected - found))[:2]
