"""A file of keyed state that is cut, gone or changed when a job must be restored: it goes back to the
newest checkpoint that does without the file, by itself, and ends with the rows of the reference; when no
retained one does, it fails and names the file, until the file is put back; when the target already has rows
from after such a checkpoint, they are written again only if the user says so."""

import pathlib
import signal
import unittest
from collections.abc import Callable

from cluster import Cluster
from scenario import BINARIES, Scenario
from web_traffic import SESSIONS, checkpointed_job_file, difference
import reference

_GENERATOR = ("--seed", "31", "--ips", "2000")
_GAP_MS = 5 * 60_000


def _cut(file: pathlib.Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: pathlib.Path) -> None:
    """One bit in the middle; its size stays."""
    contents = bytearray(file.read_bytes())
    contents[len(contents) // 2] ^= 1
    file.write_bytes(contents)


class DamagedState(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = scenario = Scenario(self._testMethodName.removeprefix("test_"))
        scenario.create_topic(partitions=4)
        scenario.create_tables("session")
        raw = scenario.directory / "events.jsonl"
        # Where much changes, checkpoints have files of their own; where little does, files in common.
        per_second = 600 if self._testMethodName == "test_a_file_of_all_checkpoints" else 6000
        # Sessions end on the way where that matters; else all of them do at the end.
        interval_us = 100_000 if self._testMethodName == "test_a_target_that_is_ahead" else 5000
        events = (*_GENERATOR, "--interval-us", str(interval_us), "--count", str(10 * per_second))
        ends = scenario.load_events(*events, "--also-write", str(raw), "--dry-run")
        self.expected = reference.sessions(reference.read_events(raw), _GAP_MS)
        self.checkpoints = scenario.directory / "checkpoints"
        self.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=1,
            options={"execution.checkpointing.dir": f"file://{self.checkpoints}"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.job_file = checkpointed_job_file(scenario, "session", ends)
        self.job_file.write_text(self.job_file.read_text().replace("interval: 1s", "interval: 300ms"))
        self.loading = scenario.start_loading(*events, "--per-second", str(per_second))
        self.addCleanup(self.loading.wait)
        self.job = self.cluster.submit(self.job_file, scenario.env, parallelism=2)

    def test_a_cut_file(self) -> None:
        self.go_back(_cut)

    def test_a_missing_file(self) -> None:
        self.go_back(pathlib.Path.unlink)

    def test_a_changed_file(self) -> None:
        self.go_back(_flip)

    def go_back(self, damage: Callable[[pathlib.Path], None]) -> None:
        """To the newest checkpoint without one of the newest's files."""
        self.stop_between_checkpoints()
        retained = self.retained()
        newest = max(retained)
        file = sorted(retained[newest] - retained[min(retained)])[0]
        wanted = max(id for id, files in retained.items() if file not in files)
        damage(self.file(file))
        self.start_again()
        self.cluster.wait(lambda: self.cluster.restored_checkpoint(self.job) == wanted,
                          f"checkpoint {wanted} to be restored", 30,
                          lambda: f"{self.cluster.wsctl('get', self.job).stdout}")
        told = self.cluster.rest(f"/jobs/{self.job}/checkpoints")["watershed"]
        self.assertGreater(told["damaged"], 0)
        self.assertIn(file, told["last-damage"])
        self.assertIn("operator '", told["last-damage"])
        self.assert_ends_with_its_rows(self.job)

    def test_a_file_of_all_checkpoints(self) -> None:
        self.stop_between_checkpoints()
        retained = self.retained()
        shared = set.intersection(*retained.values())
        self.assertTrue(shared, f"the checkpoints have nothing in common: {retained}")
        file = self.file(sorted(shared)[0])
        whole = file.read_bytes()
        _flip(file)
        attempt = self.cluster.job(self.job)["attempt"]
        self.start_again()
        self.assert_fails(self.job, file)
        # One that found it, and none that began with another checkpoint.
        self.assertLessEqual(self.cluster.job(self.job)["attempt"], attempt + 2)
        path = str(next(self.directory.glob(f"chk-{max(retained)}-*")))
        self.assert_fails(self.submit_from(path), file)
        file.write_bytes(whole)
        self.assert_ends_with_its_rows(self.submit_from(path))

    def test_a_target_that_is_ahead(self) -> None:
        self.stop_between_checkpoints()
        [[committed]] = self.scenario.sql("SELECT max(epoch) FROM watershed_sink_progress")
        manifests = {id: next(self.directory.glob(f"chk-{id}-*")) for id in self.retained()}
        for id, directory in manifests.items():
            if id >= int(committed):
                _flip(directory / "_metadata")
        self.start_again()
        self.cluster.wait_state(self.job, ["FAILED"])
        reason = self.cluster.job(self.job)["status-reason"]
        for text in (f"epoch {committed}", "--allow-duplicates", "passed over", "_metadata"):
            self.assertIn(text, reason)
        older = str(manifests[max(id for id in manifests if id < int(committed))])
        refused = self.submit_from(older)
        self.cluster.wait_state(refused, ["FAILED"])
        again = self.submit_from(older, "--allow-duplicates")
        self.assertEqual(0, self.loading.wait())
        self.cluster.wait_state(again, ["FINISHED"], timeout_s=90)
        found = self.scenario.rows(*SESSIONS)
        self.assertEqual("", difference(set(self.expected), set(found)))
        self.assertGreater(found.total(), self.expected.total())

    @property
    def directory(self) -> pathlib.Path:
        """Of the job's checkpoints."""
        return self.checkpoints / self.job

    def file(self, name: str) -> pathlib.Path:
        """Of keyed state or of a segment."""
        return self.directory / "shared" / name

    def stop_between_checkpoints(self) -> None:
        """All TaskManagers, when all checkpoints that are retained have state."""
        self.cluster.wait(lambda: self.cluster.job(self.job)["records-in"], "rows", 60)
        self.cluster.wait_checkpoints(self.job, 4)
        for task_manager in list(self.cluster.task_managers):
            task_manager.end(signal.SIGKILL)
            self.cluster.task_managers.remove(task_manager)
        # What had been on its way into the log is complete, or has failed.
        self.cluster.wait(lambda: self.cluster.state(self.job) != "RUNNING"
                          and self.cluster.checkpoints(self.job)["in_progress"] == 0,
                          "the job to see it", 30)

    def start_again(self) -> None:
        """As many as before."""
        for _ in range(2):
            self.cluster.add_task_manager()

    def retained(self) -> dict[int, set[str]]:
        """The files of keyed state that each complete checkpoint names, by its id."""
        files = [file.name for file in (self.directory / "shared").iterdir()
                 if file.read_bytes().startswith(b"WSSTATE")]
        history = self.cluster.rest(f"/jobs/{self.job}/checkpoints")["history"]
        complete = {each["id"] for each in history if each["status"] == "COMPLETED"}
        manifests = {int(path.parent.name.split("-")[1]): path.read_bytes()
                     for path in self.directory.glob("chk-*/_metadata")}
        return {id: {name for name in files if name.encode() in manifest}
                for id, manifest in manifests.items() if id in complete}

    def submit_from(self, path: str, *options: str) -> str:
        """The same job again; its id."""
        return self.cluster.submit(self.job_file, self.scenario.env, 2, path, *options)

    def assert_fails(self, job: str, file: pathlib.Path) -> None:
        """And says which file of which operator, and what to do."""
        self.cluster.wait_state(job, ["FAILED"])
        reason = self.cluster.job(job)["status-reason"]
        for text in (file.name, "operator '", "submit"):
            self.assertIn(text, reason)

    def assert_ends_with_its_rows(self, job: str) -> None:
        """Each once."""
        self.assertEqual(0, self.loading.wait())
        self.cluster.wait_state(job, ["FINISHED"], timeout_s=90)
        self.assertEqual("", difference(self.expected, self.scenario.rows(*SESSIONS)))


if __name__ == "__main__":
    unittest.main()
