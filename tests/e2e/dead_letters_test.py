"""Records that a source cannot use go to a topic of their own, `on-error: { action: dead-letter }`: bytes,
key, why and where from, each once, while TaskManagers die at named moments and by chance."""

import json
import os
import pathlib
import random
import sys
import unittest
from collections import Counter

from cluster import Cluster
from scenario import BINARIES, ROOT, Record, Scenario, kafka_wire
from web_traffic import SESSIONS, difference
import reference

sys.path.insert(0, str(ROOT / "tests" / "faults"))

import kill_points  # noqa: E402  (found through the line above)

_SEED = int(os.environ.get("WATERSHED_KILLS_SEED", "0")) or random.randrange(1, 1 << 31)
_PARTITIONS = 2
_GOOD = 40_000
_BAD_IN = 8  # one of so many records
_HEADER = "__watershed.errors."
_OF_EVERY_CHECKPOINT = ("barrier.", "snapshot.", "checkpoint.")  # moments, whether or not there are rows

_Letter = tuple[bytes | None, bytes | None, str, int, int]  # value, key, kind, partition, offset

# Each way in which a source can find a record useless: what its message begins with, and such a record.
_BAD: tuple[tuple[str, bytes | None], ...] = (
    ("malformed JSON", b'{"ip":"10.0.0.1","host":"h","event_time":'),
    ("malformed JSON", b"not JSON at all"),
    ("malformed JSON", b"[1, 2]"),
    ("malformed JSON", b""),
    ("the record has no value", None),
    ("field 'event_time': expected", b'{"ip":"10.0.0.1","host":"h","event_time":1709251260000}'),
    ("field 'event_time': expected", b'{"ip":"10.0.0.1","host":"h","event_time":"yesterday"}'),
    ("field 'event_time' is missing", b'{"ip":"10.0.0.1","host":"h"}'),
    ("field 'event_time' is null", b'{"ip":"10.0.0.1","host":"h","event_time":null}'),
    ("its event time,", b'{"ip":"10.0.0.1","host":"h","event_time":"2124-03-01T00:01:00.000Z"}'),
    ("malformed JSON", b'{"ip":"10.0.0.1\xff","host":"h","event_time":"2024-03-01T00:01:00.000Z"}'),  # not UTF-8
)
_KEYS = (None, b"", b"key", b"\x00\xff\n")


def _kind(message: str) -> str:
    """Of a dead letter's message: as _BAD has it."""
    return next((kind for kind, _ in _BAD if message.startswith(kind)), message)


class DeadLetters(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = Scenario(f"letters_{self._testMethodName[5:25]}")
        self.scenario.create_topic(_PARTITIONS)
        self.dead_letter_topic = f"{self.scenario.topic}-dlq"
        kafka_wire.create_topic(self.scenario.kafka_url, self.dead_letter_topic, 3)
        self.scenario.create_tables("session")
        self.cluster = Cluster(
            BINARIES, self.scenario.directory / "cluster", task_managers=2, slots=1,
            options={"execution.checkpointing.dir": f"file://{self.scenario.directory}/checkpoints",
                     "heartbeat.timeout": "3s"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def job_file(self, ends: list[int], checkpointing: str) -> pathlib.Path:
        """jobs/session.yaml with dead letters, up to where the records will end."""
        offsets = ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(ends))
        startup = "    scan.startup.mode: earliest-offset\n"
        return self.scenario.job_file(
            "session",
            (startup, f"{startup}    scan.bounded.mode: specific-offsets\n"
                      f"    scan.bounded.specific-offsets: {json.dumps(offsets)}\n"),
            ("on-error: skip",
             f"on-error: {{ action: dead-letter, topic: {self.dead_letter_topic} }}"),
            ("operators:\n", f"{checkpointing}operators:\n"), bounded=False)

    def make_records(self, choose: random.Random, good: int):
        """Records of both kinds, (partition, key, value) each; the sessions and the letters of them."""
        raw = self.scenario.directory / "events.jsonl"
        self.scenario.load_events("--count", str(good), "--seed", "3", "--interval-us", "50000", "--ips", "500",
                                  "--also-write", str(raw), "--dry-run")
        sessions = reference.sessions(reference.read_events(raw), 5 * 60_000)
        lines = iter(raw.read_bytes().splitlines())
        ends = [0] * _PARTITIONS
        records: list[tuple[int, bytes | None, bytes | None]] = []
        letters: Counter[_Letter] = Counter()
        value: bytes | None = next(lines)
        while True:
            partition, key = choose.randrange(_PARTITIONS), choose.choice(_KEYS)
            if choose.randrange(_BAD_IN) == 0:
                kind, bad = choose.choice(_BAD)
                letters[bad, key, kind, partition, ends[partition]] += 1
                records.append((partition, key, bad))
            else:
                records.append((partition, key, value))
                value = next(lines, None)
            ends[partition] += 1
            if value is None:
                break
        return records, ends, sessions, letters

    def found_letters(self) -> Counter[_Letter]:
        """What readers of committed records see."""
        return Counter(map(self.letter, self.scenario.committed_records(self.dead_letter_topic)))

    def letter(self, record: Record) -> _Letter:
        """By its headers, which must be these."""
        names = {name.removeprefix(_HEADER) for name in record.headers}
        self.assertEqual({"message", "topic", "partition", "offset", "timestamp", "source"}, names)
        told = {name.removeprefix(_HEADER): value for name, value in record.headers.items()}
        self.assertEqual((self.scenario.topic, "events"), (told["topic"], told["source"]))
        self.assertGreater(int(told["timestamp"]), 1_600_000_000_000)
        return record.value, record.key, _kind(told["message"]), int(told["partition"]), int(told["offset"])

    def compare(self, sessions: Counter, letters: Counter[_Letter]) -> None:
        """With what has arrived."""
        self.assertEqual("", difference(letters, self.found_letters()))
        self.assertEqual("", difference(sessions, self.scenario.rows(*SESSIONS)))

    def test_each_is_there_once_whatever_dies(self) -> None:
        print(f"seed {_SEED}")
        choose = random.Random(_SEED)
        records, ends, sessions, letters = self.make_records(choose, _GOOD)
        moments = [moment for moment in kill_points.of_task_manager()
                   if moment not in ("barrier.waits",)]  # of an input with several channels only
        job_file = self.job_file(ends, "checkpointing: { interval: 300ms }\n"
                                 "restart-strategy: { type: fixed-delay, attempts: 1000, delay: 100ms }\n")
        job = self.cluster.submit(job_file, self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["RUNNING"])
        share = len(records) // (len(moments) + 2)
        self.load(records, share)
        struck = []
        for moment in choose.sample(moments, len(moments)):
            victim = choose.choice(self.cluster.task_managers)
            # A second one would need rows that come after a checkpoint has taken all of this share.
            passes = choose.randint(1, 2) if moment.startswith(_OF_EVERY_CHECKPOINT) else 1
            env = {"WATERSHED_KILL_AT": f"{moment}:{passes}"}
            doomed = self.cluster.kill_task_manager(victim, env)
            self.load(records, share // 2)
            self.cluster.wait(lambda: self.cluster.state(job) == "RUNNING" or doomed.exited(),
                              "the job to run", 30)
            self.load(records, share - share // 2)
            self.cluster.wait(doomed.exited, f"{doomed.name} to come to {moment}", 60)
            struck.append(moment)
            self.cluster.kill_task_manager(doomed)
            self.cluster.wait_state(job, ["RUNNING"])
            self.cluster.wait_checkpoints(job, 1)
        print(f"killed at {struck}")
        self.load(records, len(records))
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=120)
        self.assertGreater(self.cluster.restored_checkpoint(job), 0)
        self.compare(sessions, letters)

    def load(self, records: list, count: int) -> None:
        """The next ones."""
        self.scenario.load_records(records[:count])
        del records[:count]

    def test_each_record_is_counted_once(self) -> None:
        records, ends, sessions, letters = self.make_records(random.Random(_SEED), good=2000)
        self.scenario.load_records(records)
        job = self.cluster.submit(self.job_file(ends, ""), self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["FINISHED"])
        counts = self.cluster.job(job)
        self.assertEqual(
            (len(records) - letters.total(), sessions.total(), letters.total(), 0),
            (counts["records-in"], counts["records-out"], counts["dead-letter-records"],
             counts["skipped-records"]))
        self.assertEqual(letters.total(), self.cluster.rest(f"/jobs/{job}")["watershed"]["dead-letter-records"])
        self.assertIn(f"dead letters {letters.total()}", self.cluster.wsctl("get", job).stdout)
        self.compare(sessions, letters)

    def test_one_process_does_the_same(self) -> None:
        records, ends, sessions, letters = self.make_records(random.Random(_SEED), good=2000)
        self.scenario.load_records(records)
        done = self.cluster.wsctl("run", str(self.job_file(ends, "")), "-o", "json", env=self.scenario.env)
        self.assertEqual(0, done.returncode, done)
        told = json.loads(done.stdout)
        self.assertEqual((len(records) - letters.total(), sessions.total(), letters.total()),
                         (told["records-in"], told["records-out"], told["dead-letter-records"]))
        self.compare(sessions, letters)

    def test_doctor_misses_the_topic(self) -> None:
        self.scenario.load_records([(0, None, b"not JSON at all")])
        job_file = self.job_file([1, 0], "")
        there = self.cluster.wsctl("doctor", str(job_file), env=self.scenario.env)
        self.assertRegex(there.stdout + there.stderr, "events-dead-letters: its topic is there")
        text = job_file.read_text()
        job_file.write_text(text.replace(self.dead_letter_topic, "no-such-topic"))
        line = 1 + text[:text.index(self.dead_letter_topic)].count("\n")
        absent = self.cluster.wsctl("doctor", str(job_file), env=self.scenario.env)
        self.assertNotEqual(0, absent.returncode, absent)
        self.assertRegex(absent.stdout + absent.stderr,
                         rf":{line}:\d+: error: sink events-dead-letters: .*no-such-topic")


if __name__ == "__main__":
    unittest.main()
