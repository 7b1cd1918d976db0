"""Peers and processes that are away, on a live cluster: a clear status within seconds, healing where
it can heal, failing by name where it cannot."""

import pathlib
import signal
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES, Scenario, event
from peers.kafka import KafkaBroker
from peers.postgres import PostgresServer

_ROWS = ("sessionized_events", ("ip", "host", "num_logs"))
_ONE_SESSION = {("10.0.0.1", "www.dataexpert.io", "2"): 1}
_SECONDS = 20  # until a status must tell


class Outages(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-outages-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.directory.chmod(0o711)
        self.cluster = Cluster(BINARIES, self.directory / "cluster", task_managers=2, slots=1,
                               options={"heartbeat.timeout": "3s"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def ready_scenario(self, **peers) -> Scenario:
        """Two events in a topic, a table to write to."""
        scenario = Scenario(self._testMethodName.removeprefix("test_"), **peers)
        scenario.create_topic(partitions=1)
        scenario.create_tables("session")
        scenario.load_lines([event(0), event(1)], partitions=1)
        return scenario

    def wait_reason(self, job: str, *words: str) -> str:
        """Until `wsctl get` says all of the words."""
        reason = ""

        def says() -> bool:
            nonlocal reason
            reason = self.cluster.job(job)["status-reason"]
            return all(word.lower() in reason.lower() for word in words)

        self.cluster.wait(says, f"a status with {words}", _SECONDS,
                          lambda: f"it is {reason!r}; {self.cluster.job(job)}")
        return reason

    def assert_fails(self, job: str, *words: str) -> None:
        """FAILED, with a reason that says all of the words."""
        self.cluster.wait_state(job, ["FAILED"], timeout_s=_SECONDS)
        self.wait_reason(job, *words)

    def test_missing_topic(self) -> None:
        scenario = Scenario("missing_topic")
        scenario.create_tables("session")
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.wait_reason(job, "events", scenario.topic)

    def test_missing_table(self) -> None:
        scenario = self.ready_scenario()
        scenario.sql("DROP TABLE sessionized_events")
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.assert_fails(job, "sessionized_events", "does not exist")

    def test_table_with_other_columns(self) -> None:
        scenario = self.ready_scenario()
        scenario.sql("ALTER TABLE sessionized_events RENAME num_logs TO logs")
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.assert_fails(job, "sessionized_events", "num_logs")

    def test_wrong_password(self) -> None:
        scenario = self.ready_scenario()
        job = self.cluster.submit(scenario.job_file("session"),
                                  {**scenario.env, "POSTGRES_PASSWORD": "wrong-secret"})
        self.assert_fails(job, "sessionized_events", "password")
        said = self.cluster.wsctl("get", job).stdout + self.cluster.logs()
        self.assertNotIn("wrong-secret", said)

    def test_postgres_away_and_back(self) -> None:
        server = PostgresServer(self.directory / "postgres")
        self.addCleanup(server.kill)
        server.start()
        scenario = self.ready_scenario(postgres_env=server.connection_env())
        server.stop()
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.wait_reason(job, "sessionized_events", "connect")
        server.start()
        self.cluster.wait_state(job, ["FINISHED"])
        self.assertEqual(_ONE_SESSION, scenario.rows(*_ROWS))

    def test_broker_away_and_back(self) -> None:
        broker = KafkaBroker(self.directory / "kafka")
        self.addCleanup(broker.kill)
        broker.start()
        scenario = self.ready_scenario(kafka_url=broker.url)
        job = self.cluster.submit(scenario.job_file("session", bounded=False), scenario.env)
        self.cluster.wait(lambda: self.cluster.job(job)["records-in"] == 2, "both events read", 30)
        broker.stop()
        self.wait_reason(job, "events", "broker")
        broker.start()
        scenario.load_lines([event(20), event(30)], partitions=1)
        self.cluster.wait(lambda: scenario.rows(*_ROWS), "the first session's row", 60)
        self.assertEqual("RUNNING", self.cluster.state(job))
        self.assertEqual(0, self.cluster.wsctl("cancel", job).returncode)
        self.cluster.wait_state(job, ["CANCELED"])

    def test_a_killed_task_manager_fails_the_job_by_name(self) -> None:
        scenario = self.ready_scenario()
        job = self.cluster.submit(scenario.job_file("session", bounded=False), scenario.env, 2)
        self.cluster.wait_state(job, ["RUNNING"])
        self.cluster.wait(lambda: self.cluster.job(job)["records-in"] == 2, "both events read", 30)
        before = self.task_manager_ids()
        self.cluster.task_managers[0].end(signal.SIGKILL)
        self.cluster.wait(lambda: len(self.task_manager_ids()) == 1,
                          "the dead one to leave the list", _SECONDS)
        (dead,) = before - self.task_manager_ids()
        self.assert_fails(job, "TaskManager", dead, "lost")

    def task_manager_ids(self) -> set[str]:
        """Of those that are registered."""
        return {each["id"] for each in self.cluster.rest("/taskmanagers")["taskmanagers"]}

    def test_a_job_waits_for_slots(self) -> None:
        scenario = self.ready_scenario()
        job = self.cluster.submit(scenario.job_file("session"), scenario.env, 3)
        self.wait_reason(job, "slot", "3", "2")
        self.assertNotIn(self.cluster.state(job), ("FAILED", "FINISHED"))
        self.cluster.add_task_manager()
        self.cluster.wait_state(job, ["FINISHED"])
        self.assertEqual(_ONE_SESSION, scenario.rows(*_ROWS))

    def test_an_unreachable_cluster(self) -> None:
        self.cluster.stop()
        self.assertEqual(4, self.cluster.wsctl("list").returncode)


if __name__ == "__main__":
    unittest.main()
