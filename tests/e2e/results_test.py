"""The session and the tumbling jobs over 1,000,000 events with 10 s disorder, from real Kafka through
two TaskManager processes into real PostgreSQL: every row equals the reference's, at parallelism
1, 2, 3 and 4."""

import unittest
from collections import Counter

from cluster import Cluster
from scenario import BINARIES, Scenario
import reference

_EVENTS = 1_000_000
_MINUTE_MS = 60_000

_SESSIONS = ("sessionized_events",
             ("ip", "host", "session_start_ms", "session_end_ms", "num_logs"))
_BY_HOST = ("processed_events_aggregated", ("event_hour_ms", "host", "num_hits"))
_BY_REFERRER = ("processed_events_aggregated_source",
                ("event_hour_ms", "host", "referrer", "num_hits"))


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("results")
        scenario.create_topic(partitions=4)
        scenario.create_tables("session", "aggregation")
        raw = scenario.directory / "events.jsonl"
        scenario.load_events("--count", str(_EVENTS), "--seed", "7", "--interval-us", "5000", "--ips", "6000",
                             "--null-hosts-per-million", "2000", "--also-write", str(raw))
        events = reference.read_events(raw)
        raw.unlink()
        assert len(events) == _EVENTS
        disorder_ms = reference.disorder_ms(events)
        assert 9_900 < disorder_ms <= 10_000, f"the events' disorder is {disorder_ms} ms, not 10 s"
        cls.expected = {
            _SESSIONS: reference.sessions(events, 5 * _MINUTE_MS),
            _BY_HOST: reference.tumbling_counts(events, 5 * _MINUTE_MS, by_referrer=False),
            _BY_REFERRER: reference.tumbling_counts(events, 5 * _MINUTE_MS, by_referrer=True),
        }
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
        for table, _ in (_BY_HOST, _BY_REFERRER):
            self.scenario.sql(f"TRUNCATE {table}")
        job_file = self.scenario.job_file("aggregation", ("size: 5min", "size: 1s"),
                                          ("count(host)", "count(*)"), ("delay: 15s", f"delay: {delay}"))
        job = self.cluster.submit(job_file, self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=300)
        late = self.cluster.job(job)["late-records"]
        counted = sum(int(self.scenario.sql(f"SELECT sum(num_hits) FROM {table}")[0][0])
                      for table, _ in (_BY_HOST, _BY_REFERRER))
        self.assertEqual(2 * _EVENTS, counted + late)
        return late

    def check_both_jobs(self, parallelism: int) -> None:
        """One job after the other, into empty tables."""
        sent_before = self.bytes_between_task_managers()
        self.run_job("session", parallelism, _SESSIONS)
        self.run_job("aggregation", parallelism, _BY_HOST, _BY_REFERRER)
        if parallelism > 1:  # the JobManager spreads subtasks evenly
            self.assertGreater(self.bytes_between_task_managers(), sent_before)

    def run_job(self, name: str, parallelism: int, *outputs: tuple) -> None:
        """Submits, waits until FINISHED, and compares all rows."""
        for table, _ in outputs:
            self.scenario.sql(f"TRUNCATE {table}")
        job = self.cluster.submit(self.scenario.job_file(name), self.scenario.env, parallelism)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=300)
        self.assert_nothing_late(job)
        for output in outputs:
            with self.subTest(job=name, table=output[0], parallelism=parallelism):
                self.assert_same_rows(self.expected[output], self.scenario.rows(*output))

    def assert_nothing_late(self, job: str) -> None:
        """By the counters of the whole job, which every event must have passed."""
        status = self.cluster.job(job)
        self.assertEqual(_EVENTS, status["records-in"])
        self.assertEqual(0, status["late-records"])
        self.assertEqual(0, status["skipped-records"])

    def assert_same_rows(self, expected: Counter, found: Counter) -> None:
        """Names a few of the differing rows, not hundreds of thousands."""
        missing, unexpected = expected - found, found - expected
        if missing or unexpected:
            self.fail(f"{missing.total()} of {expected.total()} rows are missing, such as "
                      f"{list(missing)[:3]}; {unexpected.total()} are unexpected, such as "
                      f"{list(unexpected)[:3]}")

    def bytes_between_task_managers(self) -> float:
        """As the senders count them."""
        return sum(each.metric_sum("watershed_network_sent_bytes")
                   for each in self.cluster.task_managers)


if __name__ == "__main__":
    unittest.main()
