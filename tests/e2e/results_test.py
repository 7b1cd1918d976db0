"""The session and the tumbling jobs over 1,000,000 events with 10 s disorder, from real Kafka through
two TaskManager processes into real PostgreSQL: every row equals the reference's, at parallelism
1, 2, 3 and 4, and with a checkpoint every second."""

import unittest

from cluster import Cluster
from scenario import BINARIES, Scenario, kafka_wire
from web_traffic import (BY_HOST, BY_REFERRER, EVENTS, OUTPUTS, Traffic, checkpointed_job_file,
                         difference, expected_rows, generator, into_kafka)

_SEED = 7
_CHECKPOINTS = 10


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("results")
        scenario.create_topic(partitions=4)
        scenario.create_tables("session", "aggregation")
        raw = scenario.directory / "events.jsonl"
        cls.ends = scenario.load_events(*generator(_SEED), "--also-write", str(raw))
        cls.expected = expected_rows(raw)
        raw.unlink()
        cls.cluster = Cluster(BINARIES, scenario.directory / "cluster", task_managers=2, slots=2)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def test_parallelism_1(self) -> None:
        self.check_both_jobs(1)

    def test_parallelism_2(self) -> None:
        self.check_both_jobs(2)

    def test_parallelism_3(self) -> None:
        self.check_both_jobs(3)

    def test_parallelism_4(self) -> None:
        self.check_both_jobs(4)

    def test_kafka_as_the_target(self) -> None:
        """Without checkpoints, so that each local epoch is a transaction; none is left open."""
        for table, _ in OUTPUTS["session"]:
            kafka_wire.create_topic(self.scenario.kafka_url, self.scenario.topic_of(table), 2)
        job_file = self.scenario.job_file("session", *into_kafka("session"))
        job = self.cluster.submit(job_file, self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=300)
        for output in OUTPUTS["session"]:
            self.assertEqual("", difference(self.expected[output], self.scenario.committed_rows(*output)))

    def test_a_delay_below_the_disorder_makes_rows_late(self) -> None:
        """The counter that assert_nothing_late reads is the true one, and can be other than 0."""
        self.assertEqual(0, self.late_for_short_windows("15s"))
        self.assertGreater(self.late_for_short_windows("5s"), 0)

    def late_for_short_windows(self, delay: str) -> int:
        """Rows that came too late for windows of a second; every other event is counted in one.

        The windows of the jobs as they are hardly tell: no row is 5 minutes late, so none misses its
        session, and one that has to hit a window's end misses it only if a watermark came in between.
        Sources send one every 200 ms, which is minutes of these events.
        """
        for table, _ in (BY_HOST, BY_REFERRER):
            self.scenario.sql(f"TRUNCATE {table}")
        job_file = self.scenario.job_file("aggregation", ("size: 5min", "size: 1s"),
                                          ("count(host)", "count(*)"), ("delay: 15s", f"delay: {delay}"))
        job = self.cluster.submit(job_file, self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=300)
        late = self.cluster.job(job)["late-records"]
        counted = sum(int(self.scenario.sql(f"SELECT sum(num_hits) FROM {table}")[0][0])
                      for table, _ in (BY_HOST, BY_REFERRER))
        self.assertEqual(2 * EVENTS, counted + late)
        return late

    def test_a_checkpoint_every_second(self) -> None:
        """Both jobs at once, while the events come. The last tenth is held back until every job has
        completed enough checkpoints; without a failure no row comes twice."""
        scenario = Scenario("checkpointed")
        scenario.create_topic(partitions=len(self.ends))
        scenario.create_tables(*OUTPUTS)
        options = {"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints"}
        with Cluster(BINARIES, scenario.directory / "cluster", task_managers=2, slots=2,
                     options=options) as cluster:
            traffic = Traffic(scenario, _SEED, seconds=8)
            self.addCleanup(traffic.stop)
            jobs = {name: cluster.submit(checkpointed_job_file(scenario, name, self.ends),
                                         scenario.env, parallelism=2) for name in OUTPUTS}
            traffic.wait()
            for job in jobs.values():
                cluster.wait(lambda: cluster.checkpoints(job)["completed"] >= _CHECKPOINTS,
                             f"{_CHECKPOINTS} checkpoints of job {job}", 60)
            traffic.finish()
            for name, job in jobs.items():
                cluster.wait_state(job, ["FINISHED"], timeout_s=120)
                self.assertEqual(0, cluster.checkpoints(job)["failed"])
                self.assert_nothing_late(cluster, job)
                self.assert_rows(scenario, name)

    def check_both_jobs(self, parallelism: int) -> None:
        """One job after the other, into empty tables."""
        sent_before = self.bytes_between_task_managers()
        for name in OUTPUTS:
            self.run_job(name, parallelism)
        if parallelism > 1:  # the JobManager spreads subtasks evenly
            self.assertGreater(self.bytes_between_task_managers(), sent_before)

    def run_job(self, name: str, parallelism: int) -> None:
        """Submits, waits until FINISHED, and compares all rows."""
        for table, _ in OUTPUTS[name]:
            self.scenario.sql(f"TRUNCATE {table}")
        job = self.cluster.submit(self.scenario.job_file(name), self.scenario.env, parallelism)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=300)
        self.assert_nothing_late(self.cluster, job)
        self.assert_rows(self.scenario, name)

    def assert_rows(self, scenario: Scenario, name: str) -> None:
        """All of the job's, each as often as the reference has it."""
        for output in OUTPUTS[name]:
            with self.subTest(job=name, table=output[0]):
                self.assertEqual("", difference(self.expected[output], scenario.rows(*output)))

    def assert_nothing_late(self, cluster: Cluster, job: str) -> None:
        """By the counters of the whole job, which every event must have passed."""
        status = cluster.job(job)
        self.assertEqual(EVENTS, status["records-in"])
        self.assertEqual(0, status["late-records"])
        self.assertEqual(0, status["skipped-records"])

    def bytes_between_task_managers(self) -> float:
        """As the senders count them."""
        return sum(each.metric_sum("watershed_network_sent_bytes")
                   for each in self.cluster.task_managers)


if __name__ == "__main__":
    unittest.main()
