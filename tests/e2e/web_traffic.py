"""The session and the tumbling job of jobs/: the tables they write, and the rows that must be in them."""

import json
import pathlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from scenario import ROOT, Scenario
import reference

EVENTS = 1_000_000
_MINUTE_MS = 60_000

SESSIONS = ("sessionized_events",
            ("ip", "host", "session_start_ms", "session_end_ms", "num_logs"))
BY_HOST = ("processed_events_aggregated", ("event_hour_ms", "host", "num_hits"))
BY_REFERRER = ("processed_events_aggregated_source",
               ("event_hour_ms", "host", "referrer", "num_hits"))
OUTPUTS = {"session": (SESSIONS,), "aggregation": (BY_HOST, BY_REFERRER)}


def generator(seed: int, count: int = EVENTS, interval_us: int = 5000) -> tuple[str, ...]:
    """Settings of kafka_load."""
    return ("--count", str(count), "--seed", str(seed), "--interval-us", str(interval_us), "--ips", "6000",
            "--null-hosts-per-million", "2000")


def expected_rows(raw: pathlib.Path, count: int = EVENTS) -> dict[tuple, Counter]:
    """By table, of so many events in the file, whose disorder must be 10 s."""
    events = reference.read_events(raw)
    assert len(events) == count
    disorder_ms = reference.disorder_ms(events)
    assert 9_900 <= disorder_ms <= 10_000, f"the events' disorder is {disorder_ms} ms, not 10 s"
    return {
        SESSIONS: reference.sessions(events, 5 * _MINUTE_MS),
        BY_HOST: reference.tumbling_counts(events, 5 * _MINUTE_MS, by_referrer=False),
        BY_REFERRER: reference.tumbling_counts(events, 5 * _MINUTE_MS, by_referrer=True),
    }


def planned_traffic(
    scenario: Scenario, settings: Sequence[str],
) -> tuple[list[int], dict[tuple, Counter]]:
    """A topic and tables for events that are still to be loaded with these settings of kafka_load: how many
    will go to each partition, and the rows that must come of them."""
    scenario.create_topic(partitions=4)
    scenario.create_tables(*OUTPUTS)
    raw = scenario.directory / "events.jsonl"
    ends = scenario.load_events(*settings, "--also-write", str(raw), "--dry-run")
    expected = expected_rows(raw)
    raw.unlink()
    return ends, expected


class Traffic:
    """Loads events in the background, but holds the last tenth back, so that no bounded job ends before
    the test lets it."""

    def __init__(self, scenario: Scenario, seed: int, seconds: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._first = EVENTS * 9 // 10
        self._loading = scenario.start_loading(*generator(seed, self._first), "--per-second",
                                               str(self._first // seconds))

    def wait(self) -> None:
        """Until all but the last tenth is there."""
        assert self._loading.wait() == 0

    def finish(self) -> None:
        """With the last tenth."""
        self.wait()
        self._scenario.load_events(*generator(self._seed), "--skip", str(self._first))

    def stop(self) -> None:
        """At the end of a test, however it went."""
        self._loading.terminate()
        self._loading.wait()


_POSTGRES_SINK = ("    connector: postgres\n"
                  "    url: ${POSTGRES_URL:postgresql://localhost:5432/postgres}\n"
                  "    database: ${POSTGRES_DB:}\n"
                  "    username: ${POSTGRES_USER:postgres}\n"
                  "    password: ${POSTGRES_PASSWORD:}\n"
                  "    table-name: ")
_KAFKA_SINK = ("    connector: kafka\n"
               "    properties.bootstrap.servers: ${KAFKA_URL}\n"
               "    format: json\n"
               "    topic: ${KAFKA_TOPIC}_")
_TIMES = {"session": {"session_start": "window_start", "session_end": "window_end"},
          "aggregation": {"event_hour": "window_start"}}


def into_kafka(name: str) -> list[tuple[str, str]]:
    """What to replace in jobs/NAME.yaml so that its rows go to topics, as records with OUTPUTS' columns."""
    return [(_POSTGRES_SINK, _KAFKA_SINK),
            *((f"      {column}: {field}\n", f"      {column}_ms: {{ column: {field}, epoch: ms }}\n")
              for column, field in _TIMES[name].items())]


def into_both(name: str) -> list[tuple[str, str]]:
    """What to replace in jobs/NAME.yaml so that each sink has a twin that writes the same rows to Kafka."""
    text = (ROOT / "jobs" / f"{name}.yaml").read_text()
    sinks = text[text.index("\nsinks:\n") + len("\nsinks:\n"):]
    twins = re.sub(r"^  (\w+):$", r"  \1_in_kafka:", sinks, flags=re.MULTILINE)
    for old, new in into_kafka(name):
        assert old in twins, f"no sink of jobs/{name}.yaml has {old!r}"
        twins = twins.replace(old, new)
    return [(sinks, sinks + twins)]


def checkpointed_job_file(
    scenario: Scenario, name: str, ends: Sequence[int], interval: str = "1s",
    changes: Sequence[tuple[str, str]] = (),
) -> pathlib.Path:
    """jobs/NAME.yaml with checkpoints, every second unless told otherwise, read up to where the loader will end: how many
    events it will have put into each partition. `changes`: more replacements."""
    offsets = ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(ends))
    startup = "    scan.startup.mode: earliest-offset\n"
    return scenario.job_file(
        name,
        (startup, f"{startup}    scan.bounded.mode: specific-offsets\n"
                  f"    scan.bounded.specific-offsets: {json.dumps(offsets)}\n"),
        ("operators:\n", f"checkpointing: {{ interval: {interval} }}\noperators:\n"), *changes,
        bounded=False)


def difference(expected: Iterable, found: Iterable) -> str:
    """Between two multisets or two sets of rows; empty: none. Names a few, not hundreds of thousands."""
    missing, unexpected = expected - found, found - expected
    if not missing and not unexpected:
        return ""
    return (f"{len(missing)} of {len(expected)} rows are missing, such as {list(missing)[:3]}; "
            f"{len(unexpected)} are unexpected, such as {list(unexpected)[:3]}")
