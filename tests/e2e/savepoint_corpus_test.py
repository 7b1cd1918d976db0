"""What former versions left on disk (tests/corpus), copied to where they never were: each savepoint restores
at each parallelism and its job writes exactly the rows that are still to come; a JobManager that starts on a
former one's log lists its jobs, and those that ran go on from their checkpoints."""

import json
import pathlib
import shutil
import sys
import tempfile
import unittest

from cluster import Cluster
from scenario import BINARIES, ROOT, Scenario
from web_traffic import difference

sys.path.insert(0, str(ROOT / "tests" / "corpus"))

from stored_case import JOB_MANAGERS, StoredCase, StoredRestore, stored_cases  # noqa: E402

_WAIT_S = 60


class SavepointCorpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("corpus")
        cls.cases = stored_cases()
        for case in cls.cases:
            case.fill_topics(scenario)
            cls.addClassCleanup(case.delete_topics, scenario)
        cls.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2,
            slots=sum(restore.parallelism for case in cls.cases for restore in case.restores),
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints"})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def test_every_savepoint_restores(self) -> None:
        self.assertTrue(self.cases)
        begun = [(case, restore, *self.begin(case, restore))
                 for case in self.cases for restore in case.restores]
        for case, restore, tables, job in begun:
            with self.subTest(version=case.version, case=case.name, parallelism=restore.parallelism,
                              options=restore.options):
                self.cluster.wait_state(job, ["FINISHED"], _WAIT_S)
                self.check_rows(case, restore, tables)

    def begin(self, case: StoredCase, restore: StoredRestore) -> tuple[str, str]:
        """What its tables' names begin with, and the job's id."""
        tables = f"{case.name}_{case.version}_{case.restores.index(restore)}"
        tables = "".join(letter if letter.isalnum() else "_" for letter in tables)
        state = self.scenario.directory / "copies" / tables
        shutil.copytree(case.directory / "state", state)
        arguments = ["submit", str(case.directory / "job.yaml"), "-p", str(restore.parallelism),
                     "-s", f"file://{state}/{case.path}", *restore.options]
        env = {**self.scenario.env, "TABLES": tables}
        if restore.refused_without:
            refused = self.cluster.wsctl(
                *(each for each in arguments if each != restore.refused_without), env=env)
            self.assertEqual(2, refused.returncode, refused)
            self.assertIn(restore.refused_without, refused.stderr)
        done = self.cluster.wsctl(*arguments, "-o", "json", env=env)
        self.assertEqual(0, done.returncode, f"{case.directory}: {done}")
        return tables, json.loads(done.stdout)["job-id"]

    def check_rows(self, case: StoredCase, restore: StoredRestore, tables: str) -> None:
        """Those of the file, each as often."""
        for table, expected in case.rows(restore).items():
            found = self.scenario.json_rows(f"{tables}_{table}")
            self.assertEqual("", difference(expected, found), table)


class JobManagerCorpus(unittest.TestCase):
    def test_every_log_is_taken_over(self) -> None:
        versions = sorted(JOB_MANAGERS.iterdir())
        self.assertTrue(versions)
        for version in versions:
            with self.subTest(version=version.name):
                self.take_over(version)

    def take_over(self, version: pathlib.Path) -> None:
        """By a JobManager and a TaskManager of today."""
        temporary = tempfile.TemporaryDirectory(prefix="watershed-job-manager-corpus-")
        self.addCleanup(temporary.cleanup)
        directory = pathlib.Path(temporary.name)
        shutil.copytree(version / "store", directory / "cluster" / "store")
        shutil.copytree(version / "checkpoints", directory / "checkpoints")
        told = [json.loads(line) for line in (version / "jobs.jsonl").read_text().splitlines()]
        with Cluster(BINARIES, directory / "cluster", task_managers=1, slots=len(told), options={
                "execution.checkpointing.dir": f"file://{directory}/checkpoints"}) as cluster:
            for job in told:
                cluster.wait_state(job["job-id"], [job["state"]], _WAIT_S)
            listed = json.loads(cluster.wsctl("list", "-a", "-o", "json").stdout)["jobs"]
            self.assertEqual({(job["job-id"], job["name"], job["state"]) for job in told},
                             {(job["job-id"], job["name"], job["state"]) for job in listed})
            for job in (job for job in told if job["checkpoint"]):
                self.assertEqual(job["checkpoint"], cluster.restored_checkpoint(job["job-id"]), job)
                done = cluster.wsctl("checkpoint", job["job-id"], "-o", "json")
                self.assertEqual(0, done.returncode, done)
                self.assertGreater(json.loads(done.stdout)["checkpoint-id"], job["checkpoint"])


if __name__ == "__main__":
    unittest.main()
