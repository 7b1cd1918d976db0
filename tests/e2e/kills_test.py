"""kill -9 of TaskManagers and of the JobManager at random moments while sessions are counted from real
Kafka into real PostgreSQL: the job ends by itself, and every session's value equals the reference's.
Rows may come twice with the same value: the sink is not exactly-once yet."""

import json
import os
import random
import time
import unittest

from cluster import Cluster
from scenario import BINARIES, Scenario
import reference

_EVENTS = 1_000_000
_SEED = int(os.environ.get("WATERSHED_KILLS_SEED", "0")) or random.randrange(1, 1 << 31)
_KILLS = int(os.environ.get("WATERSHED_KILLS", "20"))
_SESSIONS = ("sessionized_events",
             ("ip", "host", "session_start_ms", "session_end_ms", "num_logs"))
_GENERATOR = ("--count", str(_EVENTS), "--seed", "11", "--interval-us", "5000", "--ips", "6000",
              "--null-hosts-per-million", "2000")


class Kills(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("kills")
        scenario.create_topic(partitions=4)
        scenario.create_tables("session")
        raw = scenario.directory / "events.jsonl"
        cls.ends = scenario.load_events(*_GENERATOR, "--also-write", str(raw), "--dry-run")
        cls.expected = reference.sessions(reference.read_events(raw), 5 * 60_000)
        raw.unlink()
        cls.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=2,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "heartbeat.timeout": "3s"})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def test_every_window_has_its_value(self) -> None:
        print(f"seed {_SEED}")
        choose = random.Random(_SEED)
        loading = self.scenario.start_loading(*_GENERATOR, "--per-second", str(_EVENTS // 60))
        self.addCleanup(loading.wait)
        job = self.cluster.submit(self.job_file(), self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["RUNNING"])
        restored = []
        for kill in range(_KILLS):
            # The moment is what the test varies, so it is a time and not an event.
            time.sleep(choose.uniform(0.2, 2.5))
            if choose.random() < 0.3:
                self.cluster.kill_job_manager()
            else:
                self.cluster.kill_task_manager(choose.choice(self.cluster.task_managers))
            if kill % 4 == 3:  # so that checkpoints happen between the kills
                self.cluster.wait_state(job, ["RUNNING"])
                self.wait_for_checkpoint(job)
                restored.append(self.restored_checkpoint(job))
        self.assertEqual(0, loading.wait())
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=240)
        print(f"restored from checkpoints {restored}")
        self.assertGreater(max(restored), 0)
        latest = self.cluster.rest(f"/jobs/{job}/checkpoints")["latest"]
        self.assertGreaterEqual(latest["completed"]["id"], 10)
        self.assert_same_values(set(self.expected), set(self.scenario.rows(*_SESSIONS)))

    def job_file(self):
        """jobs/session.yaml with a checkpoint every second, read up to where the loader will end."""
        ends = ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(self.ends))
        startup = "    scan.startup.mode: earliest-offset\n"
        return self.scenario.job_file(
            "session",
            (startup, f"{startup}    scan.bounded.mode: specific-offsets\n"
                      f"    scan.bounded.specific-offsets: {json.dumps(ends)}\n"),
            ("operators:\n", "checkpointing: { interval: 1s }\noperators:\n"), bounded=False)

    def restored_checkpoint(self, job: str) -> int:
        """The one that the running attempt began with; 0: none, or this JobManager does not know it."""
        restored = self.cluster.rest(f"/jobs/{job}/checkpoints")["latest"]["restored"]
        return restored["id"] if restored else 0

    def wait_for_checkpoint(self, job: str) -> None:
        """Until one more has been completed."""
        def completed() -> int:
            return self.cluster.rest(f"/jobs/{job}/checkpoints")["counts"]["completed"]

        before = completed()
        self.cluster.wait(lambda: completed() > before, "a checkpoint to complete", 30)

    def assert_same_values(self, expected: set, found: set) -> None:
        """Names a few of the differing rows, not hundreds of thousands."""
        missing, unexpected = expected - found, found - expected
        self.assertFalse(missing or unexpected,
                         f"{len(missing)} of {len(expected)} sessions are missing, such as "
                         f"{list(missing)[:3]}; {len(unexpected)} have another value, such as "
                         f"{list(unexpected)[:3]}")


if __name__ == "__main__":
    unittest.main()
