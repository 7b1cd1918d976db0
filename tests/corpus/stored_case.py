"""A case of the corpus as it lies on disk, for write.py, which makes it, and the test, which restores it."""

import json
import pathlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from scenario import JsonRow, Scenario, json_row, kafka_wire  # noqa: E402  (found through the line above)

SAVEPOINTS = ROOT / "tests" / "corpus" / "savepoints"
JOB_MANAGERS = ROOT / "tests" / "corpus" / "job_managers"


@dataclass(frozen=True)
class StoredRestore:
    """One way to go on, and which file of the case has the rows that must come of it."""

    parallelism: int
    options: Sequence[str]
    refused_without: str  # one of the options; empty: it is not refused
    rows: str


class StoredCase:
    """`job.yaml`, `records.txt` (each after topic and partition), rows, and `state`, in which is what `path`
    names."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.version, self.name = directory.parts[-2:]
        told = json.loads((directory / "case.json").read_text())
        self.path: str = told["path"]
        self.restores = [StoredRestore(**restore) for restore in told["restores"]]
        self._topics: dict[str, int] = told["topics"]

    @staticmethod
    def write(directory: pathlib.Path, about: str, topics: Mapping[str, int], path: str,
              restores: Sequence[StoredRestore]) -> None:
        """case.json; the other files are the caller's."""
        told = {"about": about, "topics": dict(topics), "path": path,
                "restores": [asdict(restore) for restore in restores]}
        (directory / "case.json").write_text(json.dumps(told, indent=2) + "\n")

    def fill_topics(self, scenario: Scenario) -> None:
        """The same records at the same offsets as when it was written."""
        for topic, partitions in self._topics.items():
            kafka_wire.create_topic(scenario.kafka_url, topic, partitions)
        scenario.load_addressed((self.directory / "records.txt").read_text().splitlines())

    def delete_topics(self, scenario: Scenario) -> None:
        """So that they can be filled again on the same broker."""
        for topic in self._topics:
            kafka_wire.delete_topic(scenario.kafka_url, topic)

    def rows(self, restore: StoredRestore) -> dict[str, Counter[JsonRow]]:
        """By table, as they must be when the restored job has ended."""
        tables: dict[str, Counter[JsonRow]] = {}
        for line in (self.directory / restore.rows).read_text().splitlines():
            table, row = json.loads(line)
            tables.setdefault(table, Counter())
            if row is not None:
                tables[table][json_row(row)] += 1
        return tables


def stored_cases() -> list[StoredCase]:
    """Of every version."""
    return [StoredCase(path.parent) for path in sorted(SAVEPOINTS.glob("*/*/case.json"))]


def write_rows(path: pathlib.Path, tables: Mapping[str, Counter]) -> None:
    """One [table, row] a line; a table that must stay empty as [table, null]."""
    lines = [json.dumps([table, dict(row) if row else None], ensure_ascii=False)
             for table, rows in tables.items() for row in (sorted(rows.elements(), key=str) or [None])]
    path.write_text("".join(f"{line}\n" for line in lines))
