"""A job of two pipelines that share nothing: kill -9 of the TaskManager that only one of them needs restarts
that one, while the other runs on. Both end with the rows that they must have."""

import signal
import unittest
from collections import Counter

from cluster import Cluster
from scenario import BINARIES, Scenario, event

_SOURCE = """    connector: kafka
    topic: ${KAFKA_TOPIC}
    properties.bootstrap.servers: ${KAFKA_URL}
    properties.group.id: ${KAFKA_GROUP}
    scan.startup.mode: earliest-offset
    format: json
    columns:
      host: string
      ip: string
      event_time: { type: timestamp, pattern: "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'" }
    watermark: { column: event_time, delay: 1s }
"""
_SINK = """    connector: postgres
    url: ${POSTGRES_URL}
    username: ${POSTGRES_USER}
    password: ${POSTGRES_PASSWORD}
"""
_JOB = f"""kind: Job
name: two-pipelines
checkpointing: {{ interval: 200ms }}
restart-strategy: {{ type: fixed-delay, attempts: 100, delay: 100ms }}
sources:
  copied:
{_SOURCE}    parallelism: 1
  counted:
{_SOURCE}    parallelism: 2
operators:
  hits:
    input: counted
    type: tumbling-window
    size: 5min
    key: [host]
    aggregate: {{ n: count(*) }}
    parallelism: 2
sinks:
  copies:
    input: copied
{_SINK}    table-name: copies
    columns: {{ host: host, ip: ip }}
  counts:
    input: hits
{_SINK}    table-name: counts
    columns: {{ host: host, n: n, started: window_start }}
"""
_HOSTS = 5
_EVENTS_A_BATCH = 400
_MINUTES_A_BATCH = 20


class RegionRestart(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = scenario = Scenario("region_restart")
        scenario.create_topic()
        scenario.sql("CREATE TABLE copies (host text, ip text);"
                     "CREATE TABLE counts (host text, n bigint, started timestamp)")
        self.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=1,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        path = scenario.directory / "job.yaml"
        path.write_text(_JOB)
        self.copies: Counter[tuple[str, ...]] = Counter()
        self.counts: Counter[tuple[str, int]] = Counter()  # of host and window
        self.job = self.cluster.submit(path, scenario.env)
        self.cluster.wait_state(self.job, ["RUNNING"])

    def load(self) -> None:
        """Another batch of events, later than those before."""
        first = self.copies.total()
        lines = []
        for i in range(_EVENTS_A_BATCH):
            number = first + i
            host, ip = f"host{number % _HOSTS}", f"ip{number}"
            minute = number * _MINUTES_A_BATCH / _EVENTS_A_BATCH
            lines.append(event(minute, ip=ip, host=host))
            self.copies[host, ip] += 1
            self.counts[host, int(minute // 5) * 300_000] += 1
        self.scenario.load_lines(lines)

    def wait_copied(self) -> None:
        """Until the rows of all batches are in the table."""
        self.cluster.wait(lambda: self.copied().total() >= self.copies.total(), "the copies", 60,
                          lambda: f"{self.copied().total()} of {self.copies.total()}")

    def copied(self) -> Counter[tuple[str, ...]]:
        return self.scenario.rows("copies", ("host", "ip"))

    def subtasks(self) -> dict[tuple[str, int], dict]:
        """By the first word behind "Source: " of its vertex's name, or its operator, and by number."""
        found = {}
        for vertex in self.cluster.job(self.job)["vertices"]:
            for subtask in vertex["subtasks"]:
                found[self.kind(vertex["name"]), subtask["subtask"]] = subtask
        return found

    @staticmethod
    def kind(vertex: str) -> str:
        return next(kind for kind in ("copied", "counted", "GlobalWindow") if kind in vertex)

    def needless_task_manager(self):
        """The process of the one without a task of the copying pipeline."""
        needed = self.subtasks()["copied", 0]["endpoint"]
        [found] = [process for process in self.cluster.task_managers
                   if not needed.endswith(f":{process.ports['rpc']}")]
        return found

    def test_a_task_manager_that_one_pipeline_does_not_need(self) -> None:
        self.load()
        self.wait_copied()
        self.cluster.wait_checkpoints(self.job, 1)
        before = self.subtasks()
        self.needless_task_manager().end(signal.SIGKILL)
        self.cluster.wait_state(self.job, ["RESTARTING"])
        reason = self.cluster.job(self.job)["status-reason"]
        self.assertIn("the others run", reason)
        self.load()
        # Its task reads on, though there is no slot for the other pipeline; what it writes is for the
        # next checkpoint.
        self.cluster.wait(lambda: self.subtasks()["copied", 0]["records-in"] >= self.copies.total(),
                          "the task that runs on to read on", 30, lambda: f"{self.subtasks()}")
        self.assertEqual("RESTARTING", self.cluster.state(self.job))
        self.cluster.add_task_manager()
        self.cluster.wait_state(self.job, ["RUNNING"])
        self.load()
        self.wait_copied()
        after = self.subtasks()
        same = {key for key, subtask in after.items()
                if subtask["attempt"] == before[key]["attempt"]}
        self.assertEqual({("copied", 0)}, same)
        self.assertEqual(before["copied", 0]["start-time"], after["copied", 0]["start-time"])
        [attempt] = {subtask["attempt"] for key, subtask in after.items() if key[0] != "copied"}
        self.assertGreater(attempt, after["copied", 0]["attempt"])
        status = self.cluster.job(self.job)
        self.assertEqual((2, 1), (status["attempt"], status["restarts"]), status)
        self.assertIn("was lost: its connection broke", status["last-restart-reason"])
        self.assertIn("the others ran on", status["last-restart-reason"])
        self.check_rows()

    def check_rows(self) -> None:
        """Of both, once every window has fired."""
        stopped = self.cluster.wsctl("stop", self.job, "--drain", "-p",
                                     f"file://{self.scenario.directory}/savepoints")
        self.assertEqual(0, stopped.returncode, stopped.stderr)
        self.assertEqual("FINISHED", self.cluster.state(self.job))
        self.assertEqual(self.copies, self.copied())  # it never began again
        # The sink is not exactly-once: a window may be there twice, with the same value.
        base_ms = 1_709_251_200_000  # 2024-03-01T00:00Z
        expected = {(host, str(n), str(base_ms + start)) for (host, start), n in self.counts.items()}
        self.assertEqual(expected, set(self.scenario.rows("counts", ("host", "n", "started_ms"))))


if __name__ == "__main__":
    unittest.main()
