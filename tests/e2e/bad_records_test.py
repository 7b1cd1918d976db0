"""Records that cannot be used, on a live cluster: skipped and counted, or the job fails by name."""

import unittest

from cluster import Cluster
from scenario import BINARIES, Scenario, event

_ROWS = ("sessionized_events", ("ip", "host", "num_logs"))

_BAD = (
    '{"ip":"10.0.0.1","host":"h","event_time":',            # not complete
    'not JSON at all',
    '[1, 2]',                                               # not an object
    event(1, event_time=1709251260000),                     # a used field of the wrong type
    '{"ip":"10.0.0.1","host":"h"}',                         # no event time
    event(1, event_time=None),
    event(1, event_time="yesterday"),
    '{"ip":"10.0.0.1\udcff","host":"h","event_time":"2024-03-01T00:01:00.000Z"}',  # not UTF-8
)


class BadRecords(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        directory = Scenario("bad_cluster").directory
        cls.cluster = Cluster(BINARIES, directory / "cluster", task_managers=1, slots=2)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def scenario_of(self, lines: list[str]) -> Scenario:
        """A scenario whose one-partition topic holds the lines."""
        scenario = Scenario(f"bad_{self._testMethodName}")
        scenario.create_topic(partitions=1)
        scenario.create_tables("session")
        scenario.load_lines(lines, partitions=1)
        return scenario

    def test_skip_goes_on_and_counts(self) -> None:
        scenario = self.scenario_of([event(0), *_BAD, event(2)])
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.cluster.wait_state(job, ["FINISHED"])
        self.assertEqual({("10.0.0.1", "www.dataexpert.io", "2"): 1}, scenario.rows(*_ROWS))
        self.assertEqual(len(_BAD), self.cluster.job(job)["skipped-records"])

    def test_fail_names_the_record(self) -> None:
        scenario = self.scenario_of([event(0), event(1), '{"ip": oops' + "x" * 5000])
        job_file = scenario.job_file("session", ("on-error: skip", "on-error: fail"))
        job = self.cluster.submit(job_file, scenario.env)
        self.cluster.wait_state(job, ["FAILED"])
        reason = self.cluster.job(job)["status-reason"]
        self.assertIn("events", reason)  # the source
        self.assertRegex(reason, scenario.topic)
        self.assertRegex(reason, r"partition\D*0|-0\b|\[0\]")
        self.assertRegex(reason, r"offset\D*2")
        self.assertIn("oops", reason)
        self.assertLess(len(reason), 1000)
        self.assertFalse(scenario.rows(*_ROWS))

    def test_missing_and_null_fields_are_null(self) -> None:
        scenario = self.scenario_of([event(0, host=None), '{"ip":"10.0.0.1",'
                                     '"event_time":"2024-03-01T00:01:00.000Z"}'])
        job = self.cluster.submit(
            scenario.job_file("session", ("on-error: skip", "on-error: fail")), scenario.env)
        self.cluster.wait_state(job, ["FINISHED"])
        self.assertEqual({("10.0.0.1", "\\N", "2"): 1}, scenario.rows(*_ROWS))

    def test_a_message_of_10_mb(self) -> None:
        scenario = self.scenario_of([event(0), event(1, url="u" * 10_000_000), event(2)])
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.cluster.wait_state(job, ["FINISHED"])
        self.assertEqual({("10.0.0.1", "www.dataexpert.io", "3"): 1}, scenario.rows(*_ROWS))

    def test_text_with_nul_fails_the_sink_by_name(self) -> None:
        scenario = self.scenario_of([event(0, host="a\0b")])
        job = self.cluster.submit(scenario.job_file("session"), scenario.env)
        self.cluster.wait_state(job, ["FAILED"])
        reason = self.cluster.job(job)["status-reason"]
        self.assertIn("sessionized_events", reason)
        self.assertRegex(reason, "host")
        self.assertRegex(reason, "NUL|0x00")

    def test_a_wrong_job_file_submits_nothing(self) -> None:
        scenario = Scenario("bad_job_file")
        job_file = scenario.job_file("session", ("gap: 5min", "gpa: 5min"))
        jobs_before = self.cluster.rest("/jobs/overview")["jobs"]
        done = self.cluster.wsctl("submit", str(job_file), env=scenario.env)
        self.assertEqual(2, done.returncode, done)
        self.assertRegex(done.stderr, r"session\.yaml:\d+:\d+: error: .*gpa")
        self.assertIn("gap", done.stderr)  # the nearest valid name
        self.assertEqual(len(jobs_before), len(self.cluster.rest("/jobs/overview")["jobs"]))


if __name__ == "__main__":
    unittest.main()
