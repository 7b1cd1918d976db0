"""Files, JSON lines and CSV, while TaskManagers die at the named moments of a commit and a recovery, and one
sleeps and wakes up: each row is in one file, though somebody moves every file away as soon as it is seen, and
none is seen before it is whole."""

import csv
import json
import os
import pathlib
import random
import signal
import sys
import threading
import unittest
from collections import Counter

from cluster import Cluster
from scenario import BINARIES, ROOT, Scenario
from web_traffic import difference
import reference

sys.path.insert(0, str(ROOT / "tests" / "faults"))

import kill_points  # noqa: E402  (found through the line above)

_SEED = int(os.environ.get("WATERSHED_KILLS_SEED", "0")) or random.randrange(1, 1 << 31)
_EVENTS = 60_000
_GENERATOR = ("--seed", "3", "--interval-us", "50000", "--ips", "500")
_MOMENTS = [moment for moment in kill_points.of_task_manager()
            if moment.startswith(("file.", "commit.", "recovery."))
            and moment != "commit.locked"]  # a database's
_SINKS = """sinks:
  sessions_as_json:
    input: sessions
    connector: filesystem
    path: {directory}/json
    format: json
    columns: {{ ip: ip, host: host, start: {{ column: window_start, epoch: ms }},
               end: {{ column: window_end, epoch: ms }}, n: num_logs }}
  events_as_csv:
    input: events
    connector: filesystem
    path: {directory}/csv
    format: csv
    columns: {{ ip: ip, host: host, at: {{ column: event_time, epoch: ms }} }}
"""


class _Reader(threading.Thread):
    """Looks for files in a directory all the time: reads each as soon as it sees it, and moves it away if it is
    told to."""

    def __init__(self, directory: pathlib.Path, moves: bool) -> None:
        super().__init__()
        self._directory = directory
        self._moves = moves
        self._stopped = threading.Event()
        self.files: dict[str, bytes] = {}
        self.twice: list[str] = []  # files that were there again

    def run(self) -> None:
        while not self._stopped.wait(0.002):
            self._look()
        self._look()

    def _look(self) -> None:
        if not self._directory.exists():
            return
        for path in self._directory.iterdir():
            if path.name.startswith(".") or (path.name in self.files and not self._moves):
                continue
            if path.name in self.files:
                self.twice.append(path.name)
            self.files[path.name] = path.read_bytes()
            if self._moves:
                path.unlink()

    def stop(self) -> None:
        """Looks once more."""
        self._stopped.set()
        self.join()


class Files(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = Scenario(f"files_{self._testMethodName[5:11]}")
        self.scenario.create_topic()
        self.output = self.scenario.directory / "output"
        self.cluster = Cluster(
            BINARIES, self.scenario.directory / "cluster", task_managers=2, slots=1,
            options={"execution.checkpointing.dir": f"file://{self.scenario.directory}/checkpoints",
                     "heartbeat.timeout": "2s"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.loaded = 0

    def load(self, count: int) -> None:
        """The next events."""
        end = min(self.loaded + count, _EVENTS)
        self.scenario.load_events("--count", str(end), *_GENERATOR, "--skip", str(self.loaded))
        self.loaded = end

    def job_file(self, ends: list[int]) -> pathlib.Path:
        """jobs/session.yaml with other sinks, up to where the events will end."""
        offsets = ";".join(f"partition:{i},offset:{end}" for i, end in enumerate(ends))
        startup = "    scan.startup.mode: earliest-offset\n"
        text = (ROOT / "jobs" / "session.yaml").read_text()
        return self.scenario.job_file(
            "session",
            (startup, f"{startup}    scan.bounded.mode: specific-offsets\n"
                      f"    scan.bounded.specific-offsets: {json.dumps(offsets)}\n"),
            ("operators:\n", "checkpointing: { interval: 200ms }\n"
             "restart-strategy: { type: fixed-delay, attempts: 1000, delay: 100ms }\noperators:\n"),
            (text[text.index("sinks:\n"):], _SINKS.format(directory=self.output)), bounded=False)

    def reader(self, name: str, moves: bool) -> _Reader:
        """Of one sink's directory, at work until the test is over."""
        reader = _Reader(self.output / name, moves)
        reader.start()
        self.addCleanup(reader.stop)
        return reader

    def kill_at(self, moment: str, passes: int, job: str, share: int) -> None:
        """A TaskManager, once the job runs on it and has so many events more."""
        doomed = self.cluster.kill_task_manager(self.cluster.task_managers[0],
                                                {"WATERSHED_KILL_AT": f"{moment}:{passes}"})
        self.cluster.wait(lambda: self.cluster.state(job) == "RUNNING" or doomed.exited(), "the job to run", 30)
        self.load(share)
        self.cluster.wait(doomed.exited, f"{doomed.name} to come to {moment}:{passes}", 60)
        self.cluster.kill_task_manager(doomed)
        self.cluster.wait_state(job, ["RUNNING"])

    def put_to_sleep(self, job: str, share: int) -> None:
        """A TaskManager, until the job has gone on without it, and commits."""
        self.cluster.add_task_manager()
        zombie = next(each for each in self.cluster.task_managers if each.task_threads())
        attempt = self.cluster.job(job)["attempt"]
        os.kill(zombie.pid, signal.SIGSTOP)
        try:
            self.load(share)
            self.cluster.wait(lambda: self.cluster.job(job)["attempt"] > attempt, "another attempt", 30)
            self.cluster.wait_state(job, ["RUNNING"])
            self.cluster.wait_checkpoints(job, 2)
        finally:
            os.kill(zombie.pid, signal.SIGCONT)
        self.cluster.wait(lambda: not zombie.task_threads(), "its old tasks to end", 30)
        self.cluster.wait_checkpoints(job, 1)

    def test_each_row_is_in_one_whole_file(self) -> None:
        print(f"seed {_SEED}")
        choose = random.Random(_SEED)
        raw = self.scenario.directory / "events.jsonl"
        ends = self.scenario.load_events("--count", str(_EVENTS), *_GENERATOR, "--also-write", str(raw), "--dry-run")
        events = reference.read_events(raw)
        moved, kept = self.reader("json", moves=True), self.reader("csv", moves=False)
        job = self.cluster.submit(self.job_file(ends), self.scenario.env, parallelism=2)
        self.cluster.wait_state(job, ["RUNNING"])
        moments = choose.sample(_MOMENTS, len(_MOMENTS))
        share = _EVENTS // (len(moments) + 2)
        for moment in moments:
            # Files of state pass these, too. A second commit would need rows that come after it.
            passes = choose.randint(1, 6) if moment.startswith("file.") else 1
            self.kill_at(moment, passes, job, share)
        print(f"killed at {moments}")
        self.put_to_sleep(job, share)
        self.load(_EVENTS)
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=120)
        self.assertGreater(self.cluster.restored_checkpoint(job), 0)
        for reader in (moved, kept):
            reader.stop()
            self.assertEqual([], reader.twice)
        for name, content in kept.files.items():
            self.assertEqual((self.output / "csv" / name).read_bytes(), content, f"{name} was seen before it was whole")
        self.assertEqual([], [path.name for path in (self.output / "json").iterdir() if path.name[0] != "."])
        self.assertEqual("", difference(reference.sessions(events, 5 * 60_000), _sessions(moved.files)))
        self.assertEqual("", difference(_rows(events), _csv_rows(kept.files)))


    def test_doctor_says_whether_they_can_be_written(self) -> None:
        self.load(10)
        job_file = self.job_file([1, 1, 1, 1])
        good = self.cluster.wsctl("doctor", str(job_file), env=self.scenario.env)
        self.assertIn(f"sink events_as_csv: {self.output}/csv can be written to, or made", good.stdout + good.stderr)
        self.assertFalse(self.output.exists())  # it makes nothing
        self.output.write_text("in the way")
        line = 1 + next(number for number, text in enumerate(job_file.read_text().splitlines())
                        if text.endswith("/csv"))
        bad = self.cluster.wsctl("doctor", str(job_file), env=self.scenario.env)
        self.assertNotEqual(0, bad.returncode, bad)
        self.assertRegex(bad.stdout + bad.stderr, rf":{line}:\d+: error: sink events_as_csv: nothing can be made in ")


def _rows(events: list) -> Counter:
    return Counter((event.ip, event.host, str(event.time_ms)) for event in events)


def _csv_rows(files: dict[str, bytes]) -> Counter:
    return Counter(tuple(row) for content in files.values() for row in csv.reader(content.decode().splitlines()))


def _sessions(files: dict[str, bytes]) -> Counter:
    rows = (json.loads(line) for content in files.values() for line in content.splitlines())
    return Counter((row["ip"], row["host"], str(row["start"]), str(row["end"]), str(row["n"])) for row in rows)


if __name__ == "__main__":
    unittest.main()
