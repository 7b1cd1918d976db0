#!/usr/bin/env python3
"""Makes what a version leaves behind on disk, for the tests of all later ones: `./dev corpus VERSION` writes
tests/corpus/savepoints/VERSION and tests/corpus/job_managers/VERSION (tests/README.md says when). It starts
Kafka and PostgreSQL, writes each of cases.py by real processes, and refuses a version that is there."""

import argparse
import json
import pathlib
import re
import shutil
import sys
import tempfile
from collections import Counter

import stored_case
import windows
from cases import Case, Record, Restore, Step, all_cases
from stored_case import JOB_MANAGERS, SAVEPOINTS, StoredCase, StoredRestore

import job_manager_log
from cluster import Cluster
from peers.kafka import KafkaBroker
from peers.postgres import PostgresServer
from scenario import BINARIES, Scenario, kafka_wire

_WAIT_S = 60
_PATH = re.compile(r"completed\. Path: file://(\S+)")


class Writer:
    """Runs one case on a cluster until what it is about has been taken."""

    def __init__(self, case: Case, version: str, scenario: Scenario, cluster: Cluster) -> None:
        self._case, self._scenario, self._cluster = case, scenario, cluster
        self._topics = {source: f"corpus-{version}-{case.name}-{source}" for source in case.partitions}
        self._env = {**scenario.env, "TABLES": case.name}
        self._directory = SAVEPOINTS / version / case.name
        self._job = ""

    def write(self) -> None:
        """All files of the case."""
        self._directory.mkdir(parents=True)
        job_file = self._directory / "job.yaml"
        job_file.write_text(self._job_text())
        for source, topic in self._topics.items():
            kafka_wire.create_topic(self._scenario.kafka_url, topic, self._case.partitions[source])
        self._job = self._cluster.submit(job_file, self._env, self._case.parallelism)
        self._cluster.wait_state(self._job, ["RUNNING"])
        taken = pathlib.Path()
        read: list[Record] = []
        for step in self._case.steps:
            read += step.records
            taken = self._take(step, read, is_last=step is self._case.steps[-1])
        if self._case.steps[-1].then in ("savepoint", "checkpoint"):
            self._wsctl("cancel", self._job)
        self._keep(taken)
        size_bytes = sum(file.stat().st_size for file in self._directory.rglob("*") if file.is_file())
        print(f"{self._directory.name}: {size_bytes} bytes")

    def _job_text(self) -> str:
        text = self._case.job
        for source, topic in self._topics.items():
            counts = self._counts(self._case.records(), source)
            ends = enumerate(self._case.ends.get(source, counts))
            text = text.replace(f"TOPIC-{source}", topic).replace(
                f"ENDS-{source}", ";".join(f"partition:{index},offset:{end}" for index, end in ends))
        return text

    def _counts(self, records: list[Record], source: str) -> list[int]:
        """By partition."""
        counts = Counter(record.partition for record in records if record.source == source)
        return [counts[index] for index in range(self._case.partitions[source])]

    def _take(self, step: Step, read: list[Record], is_last: bool) -> pathlib.Path:
        self._scenario.load_addressed(self._lines(step.records))
        self._cluster.wait(lambda: self._cluster.job(self._job)["records-in"] == len(read),
                           f"{self._case.name} to read its records", _WAIT_S)
        if is_last:
            self._wait_committed()
        if step.then == "watermark":
            self._cluster.wait(lambda: self._watermark() > windows.time_text(step.watermark_ms),
                               "the watermark", _WAIT_S, self._watermark)
            return pathlib.Path()
        savepoints = f"file://{self._scenario.directory}/savepoints"
        command = {"savepoint": ("savepoint", self._job, savepoints),
                   "checkpoint": ("checkpoint", self._job),
                   "stop": ("stop", self._job, "-p", savepoints),
                   "drain": ("stop", self._job, "-p", savepoints, "--drain")}[step.then]
        out = self._wsctl(*command)
        match = _PATH.search(out)
        if not match:
            raise AssertionError(f"no path in {out!r}")
        return pathlib.Path(match[1])

    def _lines(self, records) -> list[str]:
        return [f"{self._topics[record.source]} {record.partition} {json.dumps(windows.payload(record.row))}"
                for record in records]

    def _watermark(self) -> str:
        """The lowest of all windows', as to_char shows times."""
        vertices = self._cluster.job(self._job)["vertices"]
        texts = [vertex["watermark"] for vertex in vertices if "Source" not in vertex["name"]]
        return min((text or "" for text in texts), default="").replace("T", " ").removesuffix("Z")

    def _wait_committed(self) -> None:
        """Until the tables hold what they must before the last step, and nothing else."""
        expected = {table: Counter(dict.fromkeys(filter(self._case.is_committed, rows), 1))
                    for table, rows in self._case.rows(self._case.records()).items()}
        found: dict[str, Counter] = {}

        def is_so() -> bool:
            found.update({table: self._scenario.json_rows(f"{self._case.name}_{table}") for table in expected})
            return found == expected

        self._cluster.wait(is_so, "the rows of the savepoints before", _WAIT_S,
                           lambda: f"expected {expected}\nfound {found}")

    def _keep(self, taken: pathlib.Path) -> None:
        """What was taken, the records, and the rows of each restore."""
        state = self._directory / "state"
        if taken.name.startswith("savepoint-"):
            path = taken.name
            shutil.copytree(taken, state / path)
        else:  # beside the files that checkpoints of a job share
            path = f"{taken.parent.name}/{taken.name}"
            shutil.copytree(taken, state / path)
            shutil.copytree(taken.parent / "shared", state / taken.parent.name / "shared")
        records = self._case.records()
        (self._directory / "records.txt").write_text(
            "".join(f"{line}\n" for line in self._lines(records)))
        restores = [self._keep_rows(restore) for restore in self._case.restores]
        topics = {topic: self._case.partitions[source] for source, topic in self._topics.items()}
        StoredCase.write(self._directory, self._case.about, topics, path, restores)

    def _keep_rows(self, restore: Restore) -> StoredRestore:
        forked = "--fork" in restore.options
        tables = self._case.rows(list(self._case.after) if forked else self._case.records())
        left = {table: Counter({row: count for row, count in rows.items() if not self._case.is_committed(row)})
                for table, rows in tables.items()}
        name = "rows-forked.jsonl" if forked else "rows.jsonl"
        stored_case.write_rows(self._directory / name, left)
        return StoredRestore(restore.parallelism, list(restore.options), restore.refused_without, name)

    def _wsctl(self, *arguments: str) -> str:
        done = self._cluster.wsctl(*arguments)
        assert done.returncode == 0, f"wsctl {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="what the folder is called: version and day, such as 0.1.0-2026-12-01")
    version = parser.parse_args().version
    if (SAVEPOINTS / version).exists() or (JOB_MANAGERS / version).exists():
        print(f"{version} has been written: what is there is never written anew", file=sys.stderr)
        return 1
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="watershed-corpus-"))
    scratch.chmod(0o711)
    kafka, postgres = KafkaBroker(scratch / "kafka"), PostgresServer(scratch / "postgres")
    try:
        kafka.begin_start()
        postgres.start()
        kafka.finish_start()
        scenario = Scenario("corpus", kafka.url, postgres.connection_env())
        _write_savepoints(version, scenario)
        job_manager_log.write(version, scenario)
    finally:
        kafka.kill()
        postgres.kill()
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _write_savepoints(version: str, scenario: Scenario) -> None:
    with Cluster(BINARIES, scenario.directory / "cluster", task_managers=2, slots=8, options={
            "execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
            "pipeline.auto-watermark-interval": "0ms"}) as cluster:
        for case in all_cases():
            Writer(case, version, scenario, cluster).write()


if __name__ == "__main__":
    sys.exit(main())
