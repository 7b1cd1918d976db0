"""The jobs whose savepoints write.py makes: what goes into their topics before and after, and the rows that
must come of it. A change here concerns versions that are still to be written; those that are there stay."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import windows
from windows import Result

_SECOND_MS = 1000
_START_MS = 1_700_000_040_000  # the begin of a minute


@dataclass(frozen=True)
class Record:
    """Of a source's topic."""

    source: str
    partition: int
    row: windows.Row
    late: bool = False  # when it comes, its window has fired


@dataclass(frozen=True)
class Step:
    """Records, and what is done when the job has read them all: savepoint, checkpoint, stop, drain; or
    `watermark`: wait until the windows' watermark is above `watermark_ms`."""

    records: Sequence[Record]
    then: str
    watermark_ms: int = 0


@dataclass(frozen=True)
class Restore:
    """One way to go on. Without `refused_without` among the options it is refused."""

    parallelism: int
    options: Sequence[str] = ()
    refused_without: str = ""


@dataclass(frozen=True)
class Case:
    """`job` names the topic of source S as TOPIC-S and the table of sink T as ${TABLES}_T."""

    name: str
    about: str
    job: str
    partitions: Mapping[str, int]
    parallelism: int
    steps: Sequence[Step]
    after: Sequence[Record]  # come only after the restore
    restores: Sequence[Restore]
    rows: Callable[[Sequence[Record]], dict[str, Counter[Result]]]  # by table, of all records
    # Windows up to here are in the tables before the last step, and so do not come again.
    committed_until_ms: int = 0
    ends: Mapping[str, Sequence[int]] = field(default_factory=dict)  # of sources that end early

    def records(self) -> list[Record]:
        """All of them."""
        return [record for step in self.steps for record in step.records] + list(self.after)

    def is_committed(self, result: Result) -> bool:
        """Whether the row was confirmed before what is restored was taken."""
        end = dict(result).get("window_end")
        return end is not None and end <= windows.time_text(self.committed_until_ms)


def _source(name: str, columns: str, delay: str) -> str:
    return f"""  {name}:
    connector: kafka
    topic: TOPIC-{name}
    properties.bootstrap.servers: ${{KAFKA_URL}}
    properties.group.id: TOPIC-{name}
    scan.startup.mode: earliest-offset
    scan.bounded.mode: specific-offsets
    scan.bounded.specific-offsets: "ENDS-{name}"
    format: json
    columns: {{ {columns} }}
    watermark: {{ column: event_at, delay: {delay} }}
"""


def _sink(name: str, source: str, columns: str = "") -> str:
    return f"""  {name}:
    input: {source}
    connector: postgres
    url: ${{POSTGRES_URL}}
    username: ${{POSTGRES_USER}}
    password: ${{POSTGRES_PASSWORD}}
    table-name: ${{TABLES}}_{name}
    create-tables: true
""" + (f"    columns: {{ {columns} }}\n" if columns else "")


def _job(name: str, sources: str, operators: str, sinks: str, more: str = "") -> str:
    return (f"kind: Job\nname: {name}\ncheckpointing: {{ interval: 1h }}\n{more}"
            f"sources:\n{sources}operators:\n{operators}sinks:\n{sinks}")


_TYPED = ("s: string, b: bool, n: int, m: bigint, x: double, raw: bytes, "
          "seen_at: { type: timestamp, epoch: ms }, "
          "i: bigint, j: int, d: double, event_at: { type: timestamp, epoch: ms }")
_EVERY_TYPE = ("s", "b", "n", "m", "x", "raw", "seen_at")
_EVERY_AGGREGATE = {
    "rows": "count(*)", "some": "count(i)", "si": "sum(i)", "mini": "min(i)", "maxi": "max(i)",
    "avgi": "avg(i)", "sj": "sum(j)", "minj": "min(j)", "maxj": "max(j)", "avgj": "avg(j)", "sd": "sum(d)",
    "mind": "min(d)", "maxd": "max(d)", "avgd": "avg(d)", "first_at": "min(seen_at)",
    "last_at": "max(seen_at)"}


def _calls(aggregates: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name}: {call}" for name, call in aggregates.items()) + " }"


def _typed_row(key: int, time_ms: int, choose: random.Random) -> dict:
    """Every column of the key is NULL in some keys; every value in some rows. Doubles are sums of quarters,
    so that no order of additions changes them."""
    def unless(null: bool, value: object) -> object:
        return None if null else value

    return {
        "s": unless(key % 7 == 0, f"key-{key}-é" if key % 5 else ""), "b": unless(key % 5 == 1, key % 2 == 0),
        "n": unless(key % 11 == 2, key - 30), "m": unless(key % 6 == 3, (key - 9) * 10**12),
        "x": unless(key % 4 == 3, key / 4 - 3), "raw": unless(key % 3 == 2, bytes([key, 0, 255 - key])),
        "seen_at": unless(key % 9 == 4, 1000 * key - 5000),
        "i": unless(choose.random() < 0.2, choose.randrange(-10**9, 10**9)),
        "j": unless(choose.random() < 0.2, choose.randrange(-1000, 1000)),
        "d": unless(choose.random() < 0.2, choose.randrange(-400, 400) / 4), "event_at": time_ms}


class _Clock:
    """Makes rows whose times rise, in each partition nearly."""

    def __init__(self, seed: int, source: str, partitions: int) -> None:
        self._choose = random.Random(seed)
        self._source = source
        self._partitions = partitions
        self._made = 0

    def records(self, first_s: float, last_s: float, keys: Sequence[int], count: int) -> list[Record]:
        """Evenly between two times, in seconds; each key in turn. Disorder stays below 2 s."""
        made = []
        for number in range(count):
            time_ms = round((first_s + (last_s - first_s) * number / max(count - 1, 1)) * _SECOND_MS)
            if 0 < number < count - self._partitions:
                time_ms -= self._choose.randrange(0, 1900)
            made.append(self.record(keys[number % len(keys)], time_ms))
        return made

    def record(self, key: int, time_ms: int, partition: int | None = None, late: bool = False) -> Record:
        """One, `time_ms` after the start."""
        row = _typed_row(key, _START_MS + time_ms, self._choose)
        self._made += 1
        where = self._made % self._partitions if partition is None else partition
        return Record(self._source, where, row, late)


def _rows(records: Sequence[Record], source: str = "events") -> list[windows.Row]:
    """Those that come in time."""
    return [record.row for record in records if record.source == source and not record.late]


def _sessions() -> Case:
    clock = _Clock(1, "events", 2)
    return Case(
        name="sessions",
        about="Sessions keyed by every type of column, nulls among them, with every aggregate: three "
              "savepoints, so that state is a chain of files with rows that replace and delete earlier ones.",
        job=_job("corpus-sessions", _source("events", _TYPED, "5s"),
                 f"""  by_key:
    input: events
    type: session-window
    gap: 60s
    key: [{', '.join(_EVERY_TYPE)}]
    aggregate: {_calls(_EVERY_AGGREGATE)}
""", _sink("sessions", "by_key")),
        partitions={"events": 2}, parallelism=1,
        steps=[
            # Keys 50 to 59 come only in the first seconds: their sessions have ended by second 75.
            Step(clock.records(0, 8, range(50, 60), 10) + clock.records(20, 50, range(50), 100), "savepoint"),
            Step(clock.records(60, 80, range(12), 24), "watermark", _START_MS + 73 * _SECOND_MS),
            Step([], "savepoint"),
            Step(clock.records(82, 100, range(8), 20), "savepoint")],
        after=clock.records(102, 300, range(0, 60, 2), 60),
        restores=[Restore(1), Restore(3)],
        committed_until_ms=_START_MS + 74 * _SECOND_MS,
        rows=lambda records: {"sessions": windows.sessions(
            _rows(records), "event_at", 60 * _SECOND_MS, _EVERY_TYPE, _EVERY_AGGREGATE)})


def _tumbling() -> Case:
    clock = _Clock(2, "events", 3)
    aggregates = {"rows": "count(*)", "sd": "sum(d)", "maxi": "max(i)"}

    def late(time_s: float, partition: int) -> list[Record]:
        return [clock.record(key, round(time_s * _SECOND_MS), partition, late=True) for key in (1, 7)]

    late_columns = {"s": "s", "event_at": "event_at", "raw": "raw"}
    return Case(
        name="tumbling",
        about="Tumbling windows at parallelism 3 with 12 key groups and rows too late, before and after: "
              "late is what the restored watermark says.",
        job=_job("corpus-tumbling", _source("events", _TYPED, "5s"),
                 f"""  by_key:
    input: events
    type: tumbling-window
    size: 30s
    key: [s, n]
    aggregate: {_calls(aggregates)}
    late: {{ to: too_late }}
  late_columns: {{ input: too_late, type: project, columns: [s, event_at, raw] }}
""", _sink("windows", "by_key") + _sink("late", "late_columns"), "max-parallelism: 12\n"),
        partitions={"events": 3}, parallelism=3,
        steps=[
            Step(clock.records(0, 58, range(20), 90), "watermark", _START_MS + 50 * _SECOND_MS),
            Step(late(3, 0), "stop")],
        after=late(9, 1) + clock.records(59, 150, range(30), 90),
        restores=[Restore(1), Restore(3), Restore(4)],
        rows=lambda records: {
            "windows": windows.tumbling(_rows(records), "event_at", 30 * _SECOND_MS, ("s", "n"), aggregates),
            "late": windows.plain([record.row for record in records if record.late], late_columns)})


def _retained_checkpoint() -> Case:
    clock = _Clock(3, "events", 2)
    by_bool = {"rows": "count(*)", "avgi": "avg(i)", "avgd": "avg(d)", "first_at": "min(seen_at)"}
    everything = {"rows": "count(*)", "sj": "sum(j)"}
    return Case(
        name="retained_checkpoint",
        about="A checkpoint of a job that was cancelled: two windows over one source, one with rows added up "
              "before the exchange, one without a key.",
        job=_job("corpus-checkpoint", _source("events", _TYPED, "5s"),
                 f"""  tumbling:
    input: events
    type: tumbling-window
    size: 20s
    key: [b, m]
    aggregate: {_calls(by_bool)}
  unkeyed: {{ input: events, type: session-window, gap: 3s, aggregate: {_calls(everything)} }}
""", _sink("by_bool", "tumbling") + _sink("everything", "unkeyed")),
        partitions={"events": 2}, parallelism=2,
        steps=[Step(clock.records(2, 9, range(12), 40), "checkpoint"),
               Step(clock.records(10, 33, range(12), 50), "checkpoint")],
        after=clock.records(40, 90, range(16), 60),
        restores=[Restore(2), Restore(3)],
        rows=lambda records: {
            "by_bool": windows.tumbling(_rows(records), "event_at", 20 * _SECOND_MS, ("b", "m"), by_bool),
            "everything": windows.sessions(_rows(records), "event_at", 3 * _SECOND_MS, (), everything)})


def _drained() -> Case:
    clock = _Clock(4, "events", 2)
    aggregates = {"rows": "count(*)", "si": "sum(i)"}
    before = clock.records(0, 50, range(10), 60)

    def rows(records: Sequence[Record]) -> dict[str, Counter[Result]]:
        """What was there fired early; what came then opened windows of its own."""
        parts = (_rows(records[:len(before)]), _rows(records[len(before):]))
        return {"windows": sum((windows.tumbling(part, "event_at", 30 * _SECOND_MS, ("s",), aggregates)
                                for part in parts), Counter())}

    return Case(
        name="drained",
        about="A job that was stopped with --drain: its windows have fired, their rows are not confirmed.",
        job=_job("corpus-drained", _source("events", _TYPED, "5s"),
                 f"  by_key: {{ input: events, type: tumbling-window, size: 30s, key: [s], "
                 f"aggregate: {_calls(aggregates)} }}\n", _sink("windows", "by_key")),
        partitions={"events": 2}, parallelism=2, steps=[Step(before, "drain")],
        after=clock.records(52, 100, range(10), 40),
        restores=[Restore(1, ["--allow-drained"], refused_without="--allow-drained")], rows=rows)


def _large_segment() -> Case:
    copies = [f"c{number}" for number in range(16)]

    def row(number: int) -> dict:
        text = f"row {number} " + "0123456789" * 5
        return {"text": text if number % 10 else None, "event_at": _START_MS + number}

    def records(numbers: range) -> list[Record]:
        return [Record("events", 0, row(number)) for number in numbers]

    return Case(
        name="large_segment",
        about="Output that nobody has confirmed, so much of it that it is a file of its own; with --fork it "
              "stays with the former job.",
        job=_job("corpus-segment",
                 _source("events", "text: string, event_at: { type: timestamp, epoch: ms }", "5s"),
                 f"  copied: {{ input: events, type: project, columns: {{ event_at: event_at, "
                 f"{', '.join(f'{copy}: text' for copy in copies)} }} }}\n", _sink("copies", "copied")),
        partitions={"events": 1}, parallelism=1, steps=[Step(records(range(80)), "savepoint")],
        after=records(range(80, 85)),
        restores=[Restore(1), Restore(2), Restore(1, ["--fork"])],
        rows=lambda all_records: {"copies": windows.plain(
            _rows(all_records), {copy: "text" for copy in copies} | {"event_at": "event_at"})})


def _ended_source() -> Case:
    short, long = _Clock(5, "short", 1), _Clock(6, "long", 1)
    aggregates = {"rows": "count(*)"}
    first = short.records(0, 40, range(6), 20)

    def rows(records: Sequence[Record]) -> dict[str, Counter[Result]]:
        return {f"{source}_counts": windows.tumbling(
                    _rows(records, source), "event_at", 10 * _SECOND_MS, ("b",), aggregates)
                for source in ("short", "long")}

    return Case(
        name="ended_source",
        about="One of two sources has come to its end and all that follows from it has been emitted.",
        job=_job("corpus-ended", _source("short", _TYPED, "5s") + _source("long", _TYPED, "5s"),
                 "".join(f"  by_{source}: {{ input: {source}, type: tumbling-window, size: 10s, key: [b], "
                         f"aggregate: {_calls(aggregates)} }}\n" for source in ("short", "long")),
                 _sink("short_counts", "by_short") + _sink("long_counts", "by_long")),
        partitions={"short": 1, "long": 1}, parallelism=1,
        steps=[Step(first + long.records(0, 30, range(6), 20), "savepoint")],
        after=long.records(33, 60, range(6), 20),
        restores=[Restore(1), Restore(2)], ends={"short": [len(first)]}, rows=rows)


def all_cases() -> list[Case]:
    """In no order that matters."""
    return [_sessions(), _tumbling(), _retained_checkpoint(), _drained(), _large_segment(), _ended_source()]
