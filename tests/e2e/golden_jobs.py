"""The jobs of tests/golden for a real cluster: Kafka in place of their source, PostgreSQL in place of their
sink, and their input fed step by step, so that anything can happen between two of its records."""

import copy
import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence

from cluster import Cluster
from scenario import BINARIES, JsonRow, Scenario, json_row, kafka_wire

_CONSUMED = "flink_taskmanager_job_task_operator_KafkaSourceReader_topic_partition_currentOffset"


def load_cases() -> list[dict]:
    """As golden_case.h has them."""
    done = subprocess.run([str(BINARIES / "golden_cases")], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def has_input(case: dict) -> bool:
    """Whether there is any record."""
    return any(lines for partitions in case["input"].values() for lines in partitions)


class GoldenJob:
    """One case run in one way, with topics and tables of its own."""

    def __init__(self, case: dict, scenario: Scenario, way: str, more: Mapping) -> None:
        """`more`: fields of the job file."""
        self.case = case
        self.name: str = case["name"]
        self.scenario = scenario
        self.ids: list[str] = []  # of the jobs submitted for it, one after the other
        self._more = more
        self._base = f"{way}_{self.name}"
        self._topics = {source: f"{scenario.topic}_{self._base}_{source}" for source in case["input"]}
        self._tables = {sink: f"{self._base}_{sink}" for sink in case["job"]["sinks"]}
        for source, partitions in case["input"].items():
            kafka_wire.create_topic(scenario.kafka_url, self._topics[source], max(len(partitions), 1))

    @property
    def id(self) -> str:
        """Of the job submitted last."""
        return self.ids[-1]

    @property
    def failure(self) -> str | None:
        """What the job must fail with."""
        text = self.case["fails"]
        for source, topic in self._topics.items():
            text = text and text.replace(f"topic '{source}'", f"topic '{topic}'")
        return text

    def steps(self) -> int:
        """So many that at most one record goes to each partition in one, or as the case says."""
        return self.case["portions"] or max(
            (len(lines) for partitions in self.case["input"].values() for lines in partitions),
            default=0)

    def submit(self, cluster: Cluster, parallelism: int, restore: str | None = None) -> None:
        """`restore`: a checkpoint to begin from."""
        path = self.scenario.directory / f"{self._base}.yaml"
        path.write_text(json.dumps(self._job_file()))  # JSON is YAML
        self.ids.append(cluster.submit(path, self.scenario.env, parallelism, restore))

    def _job_file(self) -> dict:
        job = {**copy.deepcopy(self.case["job"]), **self._more}
        for name, source in job["sources"].items():
            ends = [len(lines) for lines in self.case["input"][name]] or [0]
            source |= {
                "connector": "kafka", "topic": self._topics[name],
                "properties.bootstrap.servers": "${KAFKA_URL}",
                "properties.group.id": self._topics[name],
                "scan.startup.mode": "earliest-offset", "scan.bounded.mode": "specific-offsets",
                "scan.bounded.specific-offsets":
                    ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(ends))}
        for name, sink in job["sinks"].items():
            sink |= {"connector": "postgres", "url": "${POSTGRES_URL}",
                     "username": "${POSTGRES_USER}", "password": "${POSTGRES_PASSWORD}",
                     "table-name": self._tables[name], "create-tables": "true"}
        return job

    def records(self, step: int, steps: int) -> list[str]:
        """Those of the step, each after its topic and partition."""
        return [f"{self._topics[source]} {partition} {line}"
                for source, partitions in self.case["input"].items()
                for partition, lines in enumerate(partitions)
                for line in lines[self._fed(lines, step, steps):self._fed(lines, step + 1, steps)]]

    def has_consumed(self, step: int, steps: int, offsets: Mapping[tuple, float]) -> bool:
        """Whether the job has read all records up to the step's."""
        return all(offsets.get((self.id, self._topics[source], str(partition)), -1)
                   >= self._fed(lines, step + 1, steps) - 1
                   for source, partitions in self.case["input"].items()
                   for partition, lines in enumerate(partitions))

    def _fed(self, lines: Sequence[str], step: int, steps: int) -> int:
        """How many of a partition have gone before the step. Its last one goes in the last step, so
        that no job ends before it."""
        portions = self.case["portions"] or len(lines)
        return len(lines) * (portions * step // steps) // portions if lines else 0

    def expected_rows(self) -> dict[str, Counter[JsonRow]]:
        """By sink."""
        return {sink: Counter(json_row(json.loads(line)) for line in self.case["rows"].get(sink, []))
                for sink in self._tables}

    def rows(self) -> dict[str, Counter[JsonRow]]:
        """By sink."""
        return {sink: self.scenario.json_rows(table) for sink, table in self._tables.items()}


def offsets_read(cluster: Cluster) -> dict[tuple, float]:
    """The offset of the record read last, by job id, topic and partition."""
    return {(labels["job_id"], labels["topic"], labels["partition"]): value
            for task_manager in cluster.task_managers
            for name, labels, value in task_manager.metrics() if name == _CONSUMED}


def feed(jobs: Sequence[GoldenJob], step: int, steps: int) -> None:
    """Puts the step's records of all jobs into their topics."""
    jobs[0].scenario.load_addressed([line for job in jobs for line in job.records(step, steps)])
