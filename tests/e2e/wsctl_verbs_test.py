"""Every verb and option of wsctl against a real cluster, with its exit code and what it prints. A verb or an
option of the definition (`wsctl reference`) that no row uses is a failure, so that none comes without a test."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import unittest
from collections.abc import Mapping, Sequence
from typing import Any

from cluster import Cluster
from scenario import BINARIES, Scenario
from wsctl_shapes import (CHECKPOINT, FIGURES, JOB, JOB_DETAILS, SUBTASK_OF_JOB, TASK_MANAGER,
                          VERTEX, mismatch)

_ENDLESS = """kind: Job
name: endless
checkpointing: { interval: 200ms }
sources:
  events: { connector: datagen, rows-per-second: 200, columns: { host: string, event_time: timestamp },
            watermark: { column: event_time, delay: 1s } }
operators:
  counts: { input: events, type: tumbling-window, size: 1s, key: [host], aggregate: { hits: count(*) } }
sinks:
  out: { input: counts, connector: blackhole }
"""
_SHORT = _ENDLESS.replace("endless", "short").replace("rows-per-second: 200", "number-of-rows: 100")
# Its table does not exist, which somebody has to mend.
_FAILING = _SHORT.replace("name: short", "name: failing").replace(
    "{ input: counts, connector: blackhole }", """
    input: counts
    connector: postgres
    url: ${POSTGRES_URL}
    username: ${POSTGRES_USER}
    password: ${POSTGRES_PASSWORD}
    table-name: nowhere""")
# From a topic into a table, which doctor looks at. Line 7 names the topic, 18 the table.
_SHOP = """kind: Job
name: shop
checkpointing: { interval: 1s }
sources:
  orders:
    connector: kafka
    topic: ${KAFKA_TOPIC}
    properties.bootstrap.servers: ${KAFKA_URL}
    scan.startup.mode: latest-offset
    format: json
    columns:
      customer: string
      amount: ${AMOUNT:bigint}
sinks:
  out:
    input: orders
    connector: postgres
    table-name: ${TABLE:orders}
    create-tables: ${CREATE:false}
    url: ${POSTGRES_URL}
    username: ${POSTGRES_USER}
    password: ${POSTGRES_PASSWORD}
"""
# By a column that no record has.
_KEYS = """kind: Job
name: keys
checkpointing: { interval: 1s }
sources:
  orders:
    connector: kafka
    topic: ${KAFKA_TOPIC}
    properties.bootstrap.servers: ${KAFKA_URL}
    format: json
    scan.startup.mode: latest-offset
    columns: { custmer: string, event_time: { type: timestamp, path: amount, epoch: s } }
    watermark: { column: event_time, delay: 1s }
operators:
  counts: { input: orders, type: tumbling-window, size: 1s, key: custmer, aggregate: { n: count(*) } }
sinks:
  out: { input: counts, connector: blackhole }
"""
_TABLES = """
CREATE TABLE orders (customer text, amount bigint);
CREATE TABLE misfit (customer integer, note text NOT NULL);
CREATE ROLE "{guest}" LOGIN PASSWORD 'guest';
"""


@dataclasses.dataclass
class Row:
    """One command line. {NAME} in it is what an earlier row kept under that name."""

    line: str
    code: int = 0
    out: str = ""           # a regular expression that standard output matches somewhere
    err: str = ""           # the same for standard error
    shape: Any = None       # of the JSON on standard output (wsctl_shapes.py)
    shape_of_lines: Any = None  # of what every one of the lines, each JSON, has at least
    keep: str = ""          # under this name, standard output without its end
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    env_file: dict[str, str] = dataclasses.field(default_factory=dict)  # over shop.env, for {shop}

    @property
    def words(self) -> list[str]:
        """Without what is filled in."""
        return self.line.split()


_SUBMITTED = {"job-id": str, "name": str, "warnings": [str]}  # and not waited for
_ROWS = [
    # ---- Job files
    Row("lint {dir}/endless.yaml {dir}/short.yaml", out=r"endless.yaml: job 'endless' is valid"),
    Row("lint {dir}/short.yaml -o json", shape={
        "files": [{"file": str, "valid": bool, "job": str, "diagnostics": [], "sinks": [
            {"name": str, "connector": str, "delivery": str, "delivery-meaning": str}]}],
        "errors": int, "warnings": int}),
    Row("lint {dir}/failing.yaml -o json", 2, out='"severity": "error",\n +"message": .*POSTGRES_URL', shape={
        "files": [{"file": str, "valid": bool, "job": None, "sinks": [], "diagnostics": [
            {"line": int, "column": int, "severity": str, "message": str}]}],
        "errors": int, "warnings": int}),
    Row("lint {dir}/nothing.yaml", 2, out="cannot be read: No such file"),
    Row("lint {dir}/failing.yaml", 2, out="POSTGRES_URL"),
    Row("lint {dir}/failing.yaml --env-file {dir}/postgres.env -o name", out="^failing$"),
    Row("explain {dir}/endless.yaml -p 3",
        out=r"job 'endless': a checkpoint every 200ms\n\n1\. Source: .*, parallelism 3\n"
            r"(.*\n)*sink 'out' \(blackhole\): delivery none\n"),
    Row("explain {dir}/endless.yaml -o json", shape={
        "name": str, "checkpoint-interval-ms": int, "vertices": [{
            "id": str, "name": str, "parallelism": int, "inputs": [{"vertex": str, "key": [str]}],
            "nodes": [{"id": str, "name": str}]}], "sinks": [{
                "name": str, "connector": str, "delivery": str, "delivery-meaning": str,
                "visible": str}]}),
    Row("explain {dir}/failing.yaml", 2, err="POSTGRES_URL"),
    Row("run --bounded {dir}/short.yaml -o json", err="takes no checkpoints", shape={
        "state": str, "failure": None, "duration-ms": int, "records-in": int, "records-out": int,
        "late-records": int, "skipped-records": int, "dead-letter-records": int,
        "lag-records": (int, None), "watermark": str,
        "records-per-second": int}),
    Row("run {dir}/endless.yaml --timeout 300ms", 3, err="cancelled after --timeout 300ms"),
    Row("run", 2, err="FILE is required"),
    Row("submit {dir}/short.yaml --wait=finished -o json", shape={
        "job-id": str, "name": str, "warnings": [str], "state": str}),
    Row("submit {dir}/short.yaml --wait=finished", out="JobID [0-9a-f]{32}\nJob .* is FINISHED"),
    Row("submit --env-file {dir}/postgres.env {dir}/failing.yaml --wait=finished", 1,
        out="is FAILED", err='job .* is FAILED: .*nowhere'),
    Row("submit {dir}/endless.yaml --wait=forever", 2, err="there is no 'forever'"),
    Row("submit {dir}/endless.yaml -p 100 --wait --timeout 1s", 3,
        err="is still CREATED after 1s: waiting for .*; it goes on"),
    Row("cancel endless -o name", out="^[0-9a-f]{32}$"),
    Row("submit {dir}/endless.yaml -p 2 --wait -o name", out="^[0-9a-f]{32}$", keep="job"),
    Row("submit {dir}/endless.yaml --from-savepoint file://{dir}/mistyped/savepoint-1", 2,
        err=r"there is no directory .*/mistyped/savepoint-1: \S+ has no 'mistyped'"),
    Row("doctor {shop}",
        out=r"shop.yaml:7:12: ok: source orders: topic \S+ can be read: 2 partitions\n"
            r".*shop.yaml:\d+:\d+: ok: source orders: 10 sampled records fit the 2 columns.*\n"
            r".*shop.yaml:18:17: ok: sink out: its table has the 2 columns.*\n(.*\n)*no errors, but 1 warning"),
    Row("doctor {shop} --checkpoint-dir file://{dir}/checkpoints -o json", shape={"files": [{
        "file": str, "healthy": bool, "findings": [{
            "line": int, "column": int, "health": str, "subject": str, "check": str,
            "message": str}]}]}),
    Row("doctor {shop} --checkpoint-dir file://{dir}/not/there/yet", out="checkpoints can be written"),
    Row("doctor {shop} --checkpoint-dir file:///proc/nowhere", 1,
        out=r"error: job: checkpoints cannot be written: .*/proc/nowhere"),
    Row("doctor {shop}", 1, out=r"shop.yaml:7:12: error: source orders: .*'?no-such-topic'?",
        env_file={"KAFKA_TOPIC": "no-such-topic"}),
    Row("doctor {shop}", 1, out=r"error: source orders: .*localhost:1",
        env_file={"KAFKA_URL": "localhost:1"}),
    Row("doctor {shop}", 1, env={"AMOUNT": "bool"},
        out=r"error: source orders: 10 of 10 sampled records do not fit .*partition \d, offset \d"
            r".*on-error: \{ action: skip \}"),
    Row("doctor {dir}/skips.yaml --env-file {dir}/shop.env", 1, env={"AMOUNT": "bool"},
        out=r"error: source orders: 10 of 10 .* would be skipped\..*patterns\n"),
    Row("doctor {dir}/keys.yaml --env-file {dir}/shop.env", 1,
        out=r"error: source orders: column 'custmer', by which rows are grouped, is NULL in all of 10"),
    Row("doctor {dir}/nulls.yaml --env-file {dir}/shop.env", 1,
        out=r"nulls.yaml:13:7: warning: source orders: column 'amuont' is NULL in all of 10 .*\n"
            r".*error: sink out: .*it has no column 'amuont'"),
    Row("doctor {shop}", 1, env={"TABLE": "nowhere"},
        out=r"shop.yaml:18:17: error: sink out: .*nowhere.* does not exist.*create-tables: true"),
    Row("doctor {shop}", 1, env={"TABLE": "misfit"},
        out=r"error: sink out: .*column 'customer' is integer, but .*'note' is NOT NULL"),
    Row("doctor {shop}", 1, out=r'may not insert into .*GRANT INSERT ON .* TO "{guest}"',
        env_file={"POSTGRES_USER": "{guest}", "POSTGRES_PASSWORD": "guest"}),
    Row("doctor {shop}", 1, out=r'may not create it: GRANT CREATE ON SCHEMA public TO "{guest}"',
        env_file={"POSTGRES_USER": "{guest}", "POSTGRES_PASSWORD": "guest"},
        env={"TABLE": "to_be_made", "CREATE": "true"}),
    Row("doctor {shop} -o name", out=r"shop.yaml", env={"TABLE": "to_be_made", "CREATE": "true"}),
    Row("doctor {shop}", 1, out="error: sink out: .*password", env_file={"POSTGRES_PASSWORD": "wrong"}),
    Row("doctor {dir}/failing.yaml", 2, out="POSTGRES_URL"),
    Row("doctor {dir}/endless.yaml -p 100", out=r"warning: job: the job needs 100 slots, and \d are free"),
    # ---- Jobs of a cluster
    Row("list", out=r"JOB ID +NAME +STATE.*\n{job} +endless +RUNNING"),
    Row("list --all -o json", shape={"jobs": [JOB]}),
    Row("get jobs --all -o wide", out=r"ENDED \(UTC\)"),
    Row("get jobs -o name", out="^{job}$"),
    Row("get jobs -o yaml", out=r'^jobs:\n  - job-id: "?{job}"?\n    name: endless\n    state: RUNNING\n'),
    Row("get endless", out=r"State +RUNNING, attempt 1\n(.*\n)+Checkpoints \d+ completed"),
    Row("get endless -o wide", out="BYTES OUT"),
    Row("get job {job} -o json", shape=JOB_DETAILS),
    Row("get job {job} -o yaml", out="^job-id: "),
    Row("get jobs {job} -o name", out="^{job}$"),
    Row("checkpoint endless -o json", shape={"job-id": str, "checkpoint-id": int, "path": str}),
    Row("checkpoint {job}", out=r"Checkpoint completed\. Path: file://"),
    Row("get checkpoints endless", out=r"COMPLETED +checkpoint"),
    Row("get checkpoints endless -o wide", out=r"PATH"),
    Row("get checkpoints endless -o json", shape={"job-id": str, "checkpoints": [CHECKPOINT]}),
    Row("get checkpoints endless -o yaml", out=r"checkpoints:\n  - id: \d+\n    status: "),
    Row("get checkpoints endless -o name", out=r"^file:///.*/chk-\d+-\d+$"),
    Row("get vertices endless", out=r"VERTEX +STATE"),
    Row("get vertices endless -o json", shape={"job-id": str, "vertices": [VERTEX]}),
    Row("get subtasks endless", out=r"SUBTASK +STATE +TASKMANAGER"),
    Row("get subtasks endless -o wide", out="ATTEMPT"),
    Row("get subtasks endless -o json", shape={"job-id": str, "subtasks": [SUBTASK_OF_JOB]}),
    Row("get taskmanagers", out=r"TASKMANAGER +ADDRESS +SLOTS"),
    Row("get taskmanagers -o wide", out="HEARTBEAT"),
    Row("get taskmanagers -o json", shape={"taskmanagers": [TASK_MANAGER]}),
    Row("get taskmanagers -o yaml", out="^taskmanagers:\n"),
    Row("get taskmanager {taskmanager} -o json", shape=TASK_MANAGER),
    Row("get taskmanager {taskmanager} -o name", out="^{taskmanager}$"),
    Row("get taskmanager nobody", 1, err="there is no TaskManager 'nobody'"),
    Row("get", 2, err="KIND or JOB is required"),
    Row("get checkpoints", 2, err="JOB is required"),
    Row("get chekpoints endless", 2, err="did you mean 'checkpoints'"),
    Row("get endles", 1, err="there is no job 'endles', did you mean 'endless'"),
    Row("get endless -o jsn", 2, err="there is no 'jsn', did you mean 'json'"),
    Row("get endless --wacth", 2, err="there is no option '--wacth', did you mean '--watch'"),
    Row("get endless --watch --timeout 1s -o json", 3, err="watched for 1s"),
    Row("get failing --watch", 1, out="FAILED", err="job failing has FAILED: .*nowhere"),
    Row("get short", out=r"State +FINISHED"),  # the newest of two
    Row("get checkpoints short -p 2", 2, err="get has none"),
    Row("list", 4, err="no JobManager can be reached", env={"WSCTL_JOBMANAGER": "localhost:1"}),
    Row("list --jobmanager localhost:1", 4, err="no JobManager can be reached at localhost:1"),
    Row("savepoint endless file://{dir}/savepoints -o name", out=r"/savepoint-", keep="savepoint"),
    Row("get checkpoints endless -o name", out="^{savepoint}$"),
    Row("get checkpoints endless -o wide", out="savepoint .* {savepoint}"),
    Row("savepoint endless /sys/nosuch", 1, err="^error: cannot .*'/sys/nosuch'"),
    Row("stop endless -p /sys/nosuch", 1, err="^error: cannot .*'/sys/nosuch'"),
    Row("submit {dir}/endless.yaml -s {savepoint} --fork --allow-duplicates -p 1 --wait -o name", keep="fork",
        err="warning: another job 'endless' has not ended: {job}"),
    Row("cancel -d {fork} -o json", shape=JOB),
    Row("savepoint {job} -o json", shape={"job-id": str, "checkpoint-id": int, "path": str}),
    Row("savepoint nobody", 1, err="there is no job 'nobody'"),
    Row("savepoint", 2, err="JOB is required"),
    Row("stop {job} --drain -p file://{dir}/savepoints -o name", out="/savepoint-", keep="drained"),
    Row("get {job} --watch -o wide", out="FINISHED"),  # it has ended: nothing will change
    Row("submit {dir}/endless.yaml -s {drained}", 2, err="--allow-drained"),
    Row("submit {dir}/endless.yaml -s {drained} --allow-drained --wait -o name", keep="job"),
    Row("stop {job} --wait=false", out="Job {job} .* is "),
    Row("get {job} -w -o name --timeout 1min", out="^{job}"),
    Row("submit {dir}/renamed.yaml -s {savepoint}", 2, err="--allow-non-restored-state"),
    Row("submit {dir}/renamed.yaml -s {savepoint} -n --wait -o name", keep="job"),
    Row("stop --detached {job} -o json", shape=JOB),
    Row("get {job} -w", out="FINISHED"),
    Row("savepoint --dispose {savepoint} -o json", shape={"disposed": str}, out='"{savepoint}"'),
    Row("savepoint --dispose file://{dir}/mistyped/savepoint-1", 2, err="has no 'mistyped'"),
    Row("submit {dir}/endless.yaml -o name", keep="job"),
    Row("cancel {job} --wait", out="Job {job} .* is CANCELED"),
    Row("cancel {job}", out="is CANCELED"),  # again: nothing to do
    Row("cancel short", 1, err="there is no running job 'short'; ended ones:"),
    # ---- What a cluster does
    Row("submit {dir}/endless.yaml --wait -o name", keep="job"),
    Row("metrics endless -o json", shape={"jobs": [FIGURES]}),
    Row("metrics", out=r"endless +{job} +RUNNING.*\n +VERTEX +STATE +IN/S"),
    Row("metrics --timeout 2s", out="VERTEX", err="^warning: --timeout 2s leaves .* rates may be missing$"),
    Row("top --once --timeout 1s", out="VERTEX", err="^warning: --timeout 1s leaves"),
    Row("metrics --taskmanager {taskmanager}", out=r"MEMORY +USED +PEAK +LIMIT"),
    Row("metrics --taskmanager {taskmanager} -o json", shape=TASK_MANAGER),
    Row("metrics nobody", 1, err="there is no job 'nobody'"),
    Row("top --once", out=r"Source: .* +RUNNING +\d+ "),
    Row("top endless -o wide", out="BYTES OUT/S"),  # no terminal: once
    Row("top {job} -o yaml", out="^jobs:\n  - job-id: "),
    Row("logs", out=r"INFO +jobmanager"),
    Row("logs --job {job} --level info --since 1h -o json", shape_of_lines={
        "time": str, "level": str, "process": str, "job": str, "message": str}),
    Row("logs --job endless --vertex Source --subtask 0 --tail 5 --timeout 10s"),
    Row("logs jobmanager --tail 1 -o yaml", out="^---\ntime: "),
    Row("logs {taskmanager} --tail 1", out="taskmanager {taskmanager}"),
    Row("logs --follow --tail 1 --timeout 1s", 3, out=".", err="watched for 1s"),
    Row("logs --since yesterday", 2, err="--since"),
    Row("logs nobody", 1, err="there is no TaskManager 'nobody'"),
    Row("logs jobmanagr", 1, err="there is no process 'jobmanagr', did you mean 'jobmanager'"),
    Row("log-level", out=r"PROCESS +LEVEL\njobmanager +info\ntaskmanager "),
    Row("log-level debug {taskmanager} -o json", shape={"levels": [{"process": str, "level": str}]}),
    Row("log-level -o name", out="^info\n(.*\n)*debug$"),
    Row("log-level info", out="info"),
    Row("log-level loud", 2, err="there is no 'loud'"),
    Row("submit {dir}/endless.yaml -p 100 -o json", shape=_SUBMITTED,
        out=r'"warnings": \[\n +"another job \'endless\' has not ended: {job}',
        err="^warning: another job 'endless'"),
    Row("get endless", 1, err="'endless' is the name or the beginning of the id of 2 jobs:"),
    Row("cancel {job}", out="CANCELED"),
    Row("cancel endless -o json", shape=JOB, out='"state": "CANCELED"'),
    # ---- Other
    Row("completion bash", out="complete -o default -F _wsctl wsctl"),
    Row("completion zsh", out="^#compdef wsctl"),
    Row("completion fish", out="complete -c wsctl -n __fish_use_subcommand -a get"),
    Row("completion tcsh", 2, err="there is no 'tcsh'"),
    Row("candidates jobs", out="^endless$"),
    Row("candidates running-jobs"),
    Row("candidates taskmanagers", out="^{taskmanager}$"),
    Row("candidates jobs", env={"WSCTL_JOBMANAGER": "localhost:1"}),  # Tab never prints an error
    Row("version --cluster -o json", shape={"version": str, "commit": str,
                                            "jobmanager": {"version": str, "commit": str}}),
    Row("version -o json", shape={"version": str, "commit": str}),
    Row("version -o yaml", out="^version: "),
    Row("help get", out="Usage: wsctl get"),
    Row("help", out="Lints, runs, submits and watches"),
    Row("help gte", 2, err="did you mean 'get'"),
    Row("reference", out="^# The command line"),
    Row("reference configuration", out="^# Configuration"),
    Row("reference kitchen", 2, err="there is no 'kitchen'"),
    Row("--version", out=r"^wsctl \d"),
    Row("", 2, err="a command is missing"),
    Row("lsit", 2, err="there is no command 'lsit', did you mean 'list'"),
]


class WsctlVerbs(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.scenario = scenario = Scenario("wsctl")
        files = {"endless.yaml": _ENDLESS, "short.yaml": _SHORT, "failing.yaml": _FAILING,
                 "renamed.yaml": _ENDLESS.replace("  counts:", "  tally:").replace(
                     "input: counts", "input: tally"),
                 "skips.yaml": _SHOP.replace("    format: json\n", "    format: json\n"
                                             "    on-error: { action: skip }\n"),
                 "keys.yaml": _KEYS, "shop.yaml": _SHOP, "nulls.yaml": _SHOP.replace("amount:", "amuont:"),
                 "shop.env": _env(scenario.env), "postgres.env": _env(scenario.env)}
        for name, text in files.items():
            (scenario.directory / name).write_text(text)
        cls.guest = f"{scenario.name}_guest"
        scenario.create_topic(partitions=2)
        scenario.load_lines([json.dumps({"customer": f"c{i}", "amount": i}) for i in range(10)],
                            partitions=2)
        scenario.sql(_TABLES.format(guest=cls.guest))
        cls.addClassCleanup(scenario.sql, f'DROP ROLE "{cls.guest}"')
        cls.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=2,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "execution.checkpointing.savepoint-dir": f"file://{scenario.directory}/savepoints"})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def wsctl(self, words: Sequence[str], **env: str) -> subprocess.CompletedProcess:
        """As a person would, with no variables of this test's."""
        return self.cluster.wsctl(*words, env=env)

    def test_every_row(self) -> None:
        kept = {"dir": str(self.scenario.directory), "guest": self.guest,
                "taskmanager": self.wsctl(["get", "taskmanagers", "-o", "name"]).stdout.split()[0]}
        for number, row in enumerate(_ROWS, 1):
            with self.subTest(row=number, line=row.line):
                self.check(row, kept)
        for name in ("mistyped", "not"):
            self.assertFalse((self.scenario.directory / name).exists())

    def check(self, row: Row, kept: dict[str, str]) -> None:
        """Runs a row; keeps what it says to keep."""
        words = [_filled(word, kept) for word in row.line.replace(
            "{shop}", "{dir}/shop.yaml --env-file {dir}/shop.env").split()]
        if row.env_file:
            changed = self.scenario.directory / "changed.env"
            changed.write_text(_filled(_env(row.env_file), kept))
            words += ["--env-file", str(changed)]
        done = self.wsctl(words, **row.env)
        said = f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual(row.code, done.returncode, said)
        for pattern, text in ((row.out, done.stdout), (row.err, done.stderr)):
            self.assertRegex(text, re.compile(_filled(pattern, kept), re.MULTILINE), said)
        if not row.err and not row.code:
            self.assertEqual("", done.stderr, said)
        self.assertNotIn("terminate called", said)
        if row.shape is not None:
            self.assertEqual("", mismatch(json.loads(done.stdout), row.shape), said)
        if row.shape_of_lines is not None:
            self.check_lines(done.stdout.splitlines(), row.shape_of_lines)
        if row.keep:
            kept[row.keep] = done.stdout.strip()

    def check_lines(self, lines: Sequence[str], shape: dict[str, type]) -> None:
        """Each is an object with these keys and perhaps more."""
        self.assertTrue(lines)
        for line in lines:
            fields = json.loads(line)
            self.assertEqual("", mismatch({key: fields.get(key) for key in shape}, shape), line)

    def test_nothing_of_the_definition_is_missing(self) -> None:
        wsctl = json.loads(self.wsctl(["reference", "-o", "json"]).stdout)
        lines = [row.words for row in _ROWS]
        missing = [option["name"] for option in wsctl["options"] if not _used(option, lines)]
        for verb in wsctl["commands"]:
            of_verb = [words for words in lines if verb["name"] in words[:1]]
            if not of_verb:
                missing.append(verb["name"])
            missing += [f"{verb['name']} {option['name']}" for option in verb["options"]
                        if not _used(option, of_verb)]
        self.assertEqual([], missing, "no row of the table uses these")

    def test_every_help_has_an_example(self) -> None:
        wsctl = json.loads(self.wsctl(["reference", "-o", "json"]).stdout)
        for verb in wsctl["commands"]:
            text = self.wsctl([verb["name"], "--help"]).stdout
            self.assertRegex(text, rf"Examples?:\n  .*wsctl {verb['name']}", verb["name"])
            for option in verb["options"]:
                self.assertIn(option["name"], text)

    def test_a_watch_prints_changes_until_ctrl_c(self) -> None:
        job = self.cluster.submit(self.scenario.directory / "endless.yaml", {})
        self.addCleanup(self.wsctl, ["cancel", job])
        assert self.cluster.job_manager is not None
        with subprocess.Popen(
                [str(BINARIES / "wsctl"), "get", "checkpoints", job, "--watch", "-o", "json"],
                stdout=subprocess.PIPE, text=True, env={
                    **os.environ,
                    "WSCTL_JOBMANAGER": f"127.0.0.1:{self.cluster.job_manager.ports['rpc']}"}) as watch:
            assert watch.stdout is not None
            seen = [json.loads(watch.stdout.readline()) for _ in range(5)]
            watch.send_signal(signal.SIGINT)
            self.assertEqual(0, watch.wait(30))
        for checkpoint in seen:
            self.assertEqual("", mismatch(checkpoint, CHECKPOINT))
        self.assertGreater(len({checkpoint["id"] for checkpoint in seen}), 1)

    def test_logs_end_quietly_when_their_reader_has_gone(self) -> None:
        """As kubectl's do, and whatever SIGPIPE ends: `wsctl logs -f | head`."""
        assert self.cluster.job_manager is not None
        address = f"127.0.0.1:{self.cluster.job_manager.ports['rpc']}"
        with subprocess.Popen([str(BINARIES / "wsctl"), "--jobmanager", address, "logs", "--follow"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as logs:
            assert logs.stdout is not None and logs.stderr is not None
            try:
                self.assertIn("jobmanager", logs.stdout.readline())
                logs.stdout.close()
                self.assertEqual(141, logs.wait(30))
                self.assertEqual("", logs.stderr.read())
            finally:
                logs.kill()

    def test_bash_completes_verbs_options_values_and_jobs(self) -> None:
        job = self.cluster.submit(self.scenario.directory / "endless.yaml", {})
        self.addCleanup(self.wsctl, ["cancel", job])
        for typed, expected in (
                (["sub"], ["submit"]), (["get", "--wa"], ["--watch"]), (["-o", "y"], ["yaml"]),
                (["get", "-o", "ta"], ["table"]), (["cancel", "endl"], ["endless"]),
                (["get", "check"], ["checkpoints"]), (["--timeout", "5s", "canc"], ["cancel"]),
                (["completion", "z"], ["zsh"]), (["submit", "--wait", "=", "fin"], ["finished"])):
            self.assertEqual(expected, sorted(set(self.completed(typed))), typed)

    def test_bash_offers_what_can_be_meant(self) -> None:
        file = self.scenario.directory / "endless.yaml"
        ended = self.cluster.submit(file, {})
        self.wsctl(["cancel", ended])
        job = self.cluster.submit(file, {})
        self.addCleanup(self.wsctl, ["cancel", job])
        ids = self.wsctl(["get", "taskmanagers", "-o", "name"]).stdout.split()
        self.assertEqual(sorted(ids), sorted(self.completed(["get", "taskmanagers", ""])))
        offered = self.completed(["cancel", ""])
        self.assertIn(job, offered)
        self.assertNotIn(ended, offered)
        self.assertEqual(1, offered.count("endless"))
        self.assertIn(ended, self.completed(["get", "checkpoints", ""]))
        assert self.cluster.job_manager is not None
        address = ["--jobmanager", "127.0.0.1", ":", str(self.cluster.job_manager.ports["rpc"])]
        self.assertEqual(["endless"], self.completed([*address, "cancel", "endl"],
                                                     WSCTL_JOBMANAGER="localhost:1"))

    def completed(self, typed: Sequence[str], **changed: str) -> list[str]:
        """What bash offers for the last word."""
        script = ('source <(wsctl completion bash); COMP_WORDS=(wsctl "$@"); COMP_CWORD=$#; '
                  'COMP_LINE="wsctl $*"; COMP_LINE=${COMP_LINE// : /:}; _wsctl; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        assert self.cluster.job_manager is not None
        env = {**os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}",
               "WSCTL_JOBMANAGER": f"127.0.0.1:{self.cluster.job_manager.ports['rpc']}", **changed}
        done = subprocess.run(["bash", "-c", script, "bash", *typed], capture_output=True, text=True,
                              env=env, check=True, timeout=60)
        self.assertEqual("", done.stderr)
        return done.stdout.split()


def _filled(text: str, kept: dict[str, str]) -> str:
    """{name} is what was kept; other braces stay."""
    return re.sub(r"\{([a-z]+)\}", lambda name: kept[name[1]], text)


def _env(variables: Mapping[str, str]) -> str:
    """An --env-file."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _used(option: dict, lines: Sequence[Sequence[str]]) -> bool:
    spellings = {option["name"], option["short-name"]} - {""}
    return any(word.split("=")[0] in spellings for words in lines for word in words)
