"""What every end-to-end test needs: the peers of the run, a database and topics of its own, job files
as the test wants them, and rows read back."""

import atexit
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from peers import env, kafka_wire, postgres  # noqa: E402  (found through the line above)

JsonRow = tuple[tuple[str, object], ...]  # column and value, sorted
BINARIES = pathlib.Path(os.environ.get("WATERSHED_BIN", ROOT / "build" / "dev" / "bin"))


# Tests say themselves when there are checkpoints.
_CHECKPOINTING = 'checkpointing: { interval: "${CHECKPOINT_INTERVAL:10s}" }\n'


class Record(NamedTuple):
    """Of a topic."""

    value: bytes | None
    key: bytes | None
    headers: dict[str, str]

    @classmethod
    def parse(cls, dumped: dict) -> "Record":
        """As kafka_dump prints it."""
        def unhex(text: str | None) -> bytes | None:
            return None if text is None else bytes.fromhex(text)
        return cls(unhex(dumped["value"]), unhex(dumped["key"]),
                   {name: bytes.fromhex(text).decode() for name, text in dumped["headers"].items()})


class Scenario:
    """Names carry `name` and the process id, so that tests do not meet."""

    def __init__(self, name: str, kafka_url: str | None = None,
                 postgres_env: Mapping[str, str] | None = None) -> None:
        self.name = f"{name}_{os.getpid()}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"watershed-e2e-{name}-"))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        peers = {} if kafka_url and postgres_env else env.of_this_run()
        self.kafka_url = kafka_url or peers["KAFKA_URL"]
        base = dict(postgres_env or {
            "PGHOST": peers["POSTGRES_HOST"], "PGPORT": peers["POSTGRES_PORT"],
            "PGUSER": peers["POSTGRES_USER"], "PGPASSWORD": peers["POSTGRES_PASSWORD"]})
        postgres.query({**base, "PGDATABASE": "postgres"}, f"CREATE DATABASE {self.name}")
        self._postgres = {**base, "PGDATABASE": self.name}
        self.env = {
            "KAFKA_URL": self.kafka_url, "KAFKA_TOPIC": self.name, "KAFKA_GROUP": self.name,
            "POSTGRES_URL": f"postgresql://{base['PGHOST']}:{base['PGPORT']}/{self.name}",
            "POSTGRES_USER": base["PGUSER"], "POSTGRES_PASSWORD": base["PGPASSWORD"],
            "POSTGRES_DB": self.name}

    @property
    def topic(self) -> str:
        """The raw events' topic; create_topic makes it."""
        return self.env["KAFKA_TOPIC"]

    def create_topic(self, partitions: int = 4) -> None:
        """Of web events."""
        kafka_wire.create_topic(self.kafka_url, self.topic, partitions)

    def create_tables(self, *jobs: str) -> None:
        """From jobs/sql/JOB.sql."""
        for job in jobs:
            self.sql((ROOT / "jobs" / "sql" / f"{job}.sql").read_text())

    def sql(self, statements: str) -> list[list[str]]:
        """Rows of the last statement."""
        return postgres.query(self._postgres, statements)

    @contextlib.contextmanager
    def locked(self, *tables: str) -> Iterator[None]:
        """Nobody can write to the tables meanwhile."""
        with postgres.transaction(self._postgres, f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"):
            yield

    def awaited_tables(self) -> set[str]:
        """Those whose lock somebody waits for."""
        return {name for [name] in self.sql("SELECT relation::regclass FROM pg_locks WHERE NOT granted "
                                            "AND relation IS NOT NULL")}

    def rows(self, table: str, columns: Sequence[str]) -> Counter[tuple[str, ...]]:
        """All rows as a multiset of text; columns named `*_ms` are times in milliseconds."""
        wanted = [f"(extract(epoch FROM {name[:-3]}) * 1000)::bigint" if name.endswith("_ms")
                  else name for name in columns]
        return Counter(map(tuple, self.sql(f"SELECT {', '.join(wanted)} FROM {table}")))

    def topic_of(self, table: str) -> str:
        """Where jobs write a table's rows that write to Kafka (web_traffic.into_kafka)."""
        return f"{self.topic}_{table}"

    def committed_rows(self, table: str, columns: Sequence[str]) -> Counter[tuple[str, ...]]:
        """The same of a table's topic, as readers of committed records see it. AssertionError if a
        transaction stays open there."""
        topic = self.topic_of(table)
        dump = subprocess.run([str(BINARIES / "kafka_dump"), "--brokers", self.kafka_url, "--topic", topic],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert dump.returncode == 0, dump.stderr.decode()
        return Counter(
            tuple("\\N" if record[name] is None else str(record[name]) for name in columns)
            for record in map(json.loads, dump.stdout.splitlines()))

    def json_rows(self, table: str) -> Counter[JsonRow]:
        """All rows as PostgreSQL's JSON shows their values; times as text, to the millisecond."""
        columns = self.sql("SELECT column_name, data_type FROM information_schema.columns "
                           f"WHERE table_name = '{table}'")
        pairs = [f"'{name}', " + (f"to_char(\"{name}\", 'YYYY-MM-DD HH24:MI:SS.MS')"
                                  if kind.startswith("timestamp") else f'"{name}"')
                 for name, kind in columns]
        lines = self.sql(f'SELECT json_build_object({", ".join(pairs)}) FROM "{table}"')
        return Counter(json_row(json.loads(line)) for [line] in lines)

    def load_events(self, *arguments: str) -> list[int]:
        """kafka_load with settings for seeded events; how many went to each partition."""
        return json.loads(self._load(arguments, None))["partitions"]

    def start_loading(self, *arguments: str) -> subprocess.Popen:
        """The same in the background."""
        return subprocess.Popen(self._load_command(arguments), stdout=subprocess.DEVNULL)

    def load_addressed(self, lines: Sequence[str]) -> None:
        """One record a line, each after its topic, its partition and a blank."""
        subprocess.run([str(BINARIES / "kafka_load"), "--brokers", self.kafka_url, "--addressed"],
                       input="".join(f"{line}\n" for line in lines).encode(), check=True)

    def load_lines(self, lines: Sequence[str], partitions: int = 4) -> None:
        """One record a line, to the partitions in turn; surrogate escapes are raw bytes."""
        self._load(("--lines", "--partitions", str(partitions)),
                   "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"))

    def load_records(self, records: Sequence[tuple[int, bytes | None, bytes | None]]) -> None:
        """Partition, key and value of each."""
        def field(data: bytes | None) -> str:
            return "-" if data is None else f"x{data.hex()}"
        lines = "".join(f"{partition} {field(key)} {field(value)}\n" for partition, key, value in records)
        self._load(("--records",), lines.encode())

    def committed_records(self, topic: str) -> list[Record]:
        """All of a topic, as readers of committed records see them. AssertionError if a transaction stays
        open there."""
        dump = subprocess.run([str(BINARIES / "kafka_dump"), "--brokers", self.kafka_url, "--topic", topic,
                               "--records"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert dump.returncode == 0, dump.stderr.decode()
        return [Record.parse(json.loads(line)) for line in dump.stdout.splitlines()]

    def job_file(self, name: str, *replacements: tuple[str, str], bounded: bool = True) -> pathlib.Path:
        """A copy of jobs/NAME.yaml that takes no checkpoints, with replacements that must each apply;
        bounded ones end at the topic's present end."""
        text = (ROOT / "jobs" / f"{name}.yaml").read_text()
        replacements = ((_CHECKPOINTING, ""), *replacements)
        if bounded:
            replacements = (("    scan.startup.mode: earliest-offset\n",
                             "    scan.startup.mode: earliest-offset\n"
                             "    scan.bounded.mode: latest-offset\n"), *replacements)
        for old, new in replacements:
            assert old in text, f"jobs/{name}.yaml has no {old!r}"
            text = text.replace(old, new)
        path = self.directory / f"{name}.yaml"
        path.write_text(text)
        return path

    def _load_command(self, arguments: Sequence[str]) -> list[str]:
        return [str(BINARIES / "kafka_load"), "--brokers", self.kafka_url, "--topic", self.topic,
                *arguments]

    def _load(self, arguments: Sequence[str], lines: bytes | None) -> bytes:
        return subprocess.run(self._load_command(arguments), input=lines, check=True,
                              stdout=subprocess.PIPE).stdout


def json_row(values: Mapping[str, object]) -> JsonRow:
    """A row that can be counted."""
    return tuple(sorted(values.items()))


def event(minute: float, ip: str = "10.0.0.1", host: str = "www.dataexpert.io", **others) -> str:
    """One web event as JSON, `minute` minutes after 2024-03-01T00:00Z."""
    time_ms = round(minute * 60_000)
    clock = f"{time_ms // 3_600_000:02}:{time_ms // 60_000 % 60:02}:{time_ms // 1000 % 60:02}"
    fields = {"url": f"https://{host}/", "referrer": None, "user_agent": {"family": "Other"},
              "host": host, "ip": ip, "headers": {},
              "event_time": f"2024-03-01T{clock}.{time_ms % 1000:03}Z", **others}
    return json.dumps(fields)
