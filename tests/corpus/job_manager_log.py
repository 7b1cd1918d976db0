"""A JobManager's log with every kind of entry, and the checkpoints of the jobs that run in it: what the next
version finds when it starts in place of the one that was killed."""

import json
import pathlib
import re
import shutil
import sys

from stored_case import JOB_MANAGERS

from cluster import Cluster
from scenario import BINARIES, Scenario

_ENDLESS = """kind: Job
name: {name}
checkpointing: {{ interval: {interval} }}
restart-strategy: {{ type: fixed-delay, attempts: 10, delay: 100ms }}
sources:
  events:
    connector: datagen
    rows-per-second: 200
    columns: {{ host: string, event_time: timestamp }}
    watermark: {{ column: event_time, delay: 15s }}
{more_sources}operators:
  by_host: {{ input: events, type: tumbling-window, size: 7d, key: [host], aggregate: {{ hits: count(*) }} }}
sinks:
  out: {{ input: by_host, connector: blackhole }}
{more_sinks}"""
_SHORT = """kind: Job
name: short
sources:
  events: { connector: datagen, number-of-rows: 20, columns: { host: string } }
sinks:
  out: { input: events, connector: blackhole }
"""
_FAILS = """kind: Job
name: fails
sources:
  events:
    connector: kafka
    topic: corpus-not-there
    properties.bootstrap.servers: ${KAFKA_URL}
    properties.group.id: corpus
    scan.startup.mode: earliest-offset
    format: json
    columns: { host: string }
sinks:
  out: { input: events, connector: blackhole }
"""
_JOB_ID = re.compile(r"JobID ([0-9a-f]{32})")


def endless(name: str, interval: str = "1h", more_sources: str = "", more_sinks: str = "") -> str:
    """A job file whose windows fire only in a drain."""
    return _ENDLESS.format(name=name, interval=interval, more_sources=more_sources, more_sinks=more_sinks)


class _Writer:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.directory = scenario.directory / "logged"
        self.cluster = Cluster(BINARIES, self.directory, task_managers=1, slots=8, options={
            "execution.checkpointing.dir": f"file://{self.directory}/checkpoints",
            "execution.checkpointing.savepoint-dir": f"file://{self.directory}/savepoints",
            "execution.checkpointing.num-retained": "1"})

    def run(self) -> list[dict]:
        """All that is to be in the log; the jobs at its end."""
        self.sum_up()
        self.submit(_SHORT, "FINISHED")
        self.submit(_FAILS, "FAILED")
        self.wsctl("stop", self.submit(endless("stopped")))
        goes_on = self.submit(endless("goes-on"))
        savepoint = json.loads(self.wsctl("savepoint", goes_on, "-o", "json"))["path"]
        restored = self.submit(endless("restored"), restore=savepoint, options=["--fork"])
        one_ended = self.submit(endless(
            "one-ended", "1h",
            "  short: { connector: datagen, number-of-rows: 20, columns: { host: string } }\n",
            "  short_out: { input: short, connector: blackhole }\n"))
        self.wsctl("checkpoint", one_ended)
        self.cluster.wait(lambda: "FINISHED" in str(self.cluster.job(one_ended)["vertices"]),
                          "the short source to finish", 30)
        self.cluster.kill_task_manager(self.cluster.task_managers[0])
        for job in (goes_on, restored, one_ended):
            self.cluster.wait(lambda: self.cluster.job(job)["restarts"] == 1, "the restart", 30)
            self.cluster.wait_state(job, ["RUNNING"])
        for job in (goes_on, restored, one_ended):
            self.wsctl("checkpoint", job)
        return json.loads(self.wsctl("list", "-a", "-o", "json"))["jobs"]

    def sum_up(self) -> None:
        """Until the log begins with an entry that sums up those before."""
        job = self.submit(endless("sums-up", "10ms"))
        log = self.directory / "store" / "log"
        self.cluster.wait(lambda: min(int(entry.name) for entry in log.iterdir() if entry.name.isdigit()) > 1,
                          "the log to be summed up", 60)
        self.wsctl("cancel", job)

    def submit(self, text: str, state: str = "RUNNING", restore: str = "", options: tuple | list = ()) -> str:
        """Returns when it is in that state, and what runs has read rows."""
        path = self.directory / "job.yaml"
        path.write_text(text)
        job = _JOB_ID.search(self.wsctl(
            "submit", str(path), *(("-s", restore) if restore else ()), *options))[1]
        self.cluster.wait_state(job, [state])
        if state == "RUNNING":
            self.cluster.wait(lambda: self.cluster.job(job)["records-in"], "rows", 30)
        return job

    def wsctl(self, *arguments: str) -> str:
        """What it prints."""
        done = self.cluster.wsctl(*arguments, env=self.scenario.env)
        assert done.returncode == 0, f"wsctl {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


def write(version: str, scenario: Scenario) -> None:
    """Of the version. The JobManager is killed, so that nothing is tidied up."""
    target: pathlib.Path = JOB_MANAGERS / version
    writer = _Writer(scenario)
    try:
        writer.cluster.start()
        jobs = writer.run()
        writer.cluster.job_manager.end(9)
    finally:
        writer.cluster.stop()
    shutil.copytree(writer.directory / "store", target / "store")
    told = []
    for job in jobs:
        checkpoint = None
        if job["state"] == "RUNNING":
            directory = writer.directory / "checkpoints" / job["job-id"]
            shutil.copytree(directory, target / "checkpoints" / job["job-id"])
            checkpoint = max(int(path.name.split("-")[1]) for path in directory.glob("chk-*"))
        told.append({"job-id": job["job-id"], "name": job["name"], "state": job["state"],
                     "checkpoint": checkpoint})
    (target / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in told))
    print(f"{target.name}: {len(told)} jobs", file=sys.stderr)
