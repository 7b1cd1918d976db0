"""Metrics of a known run, scraped from the JobManager and two TaskManagers: what they say equals what was
sent, and what wsctl and REST say of it, before and after a TaskManager is killed; every series is listed in
runtime/metrics/names.h with exactly its labels, and every metric listed is seen."""

import dataclasses
import json
import subprocess
import time
import unittest
from collections.abc import Iterable

from cluster import Cluster, Process
from scenario import BINARIES, Scenario, event

_JOB = """kind: Job
name: known
checkpointing: {{ interval: 1h }}
sources:
  events:
    connector: kafka
    topic: {topic}
    properties.bootstrap.servers: {kafka}
    properties.group.id: {topic}
    scan.startup.mode: earliest-offset
    format: json
    on-error: skip
    columns:
      host: string
      event_time: {{ type: timestamp, pattern: "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'" }}
    watermark: {{ column: event_time, delay: 15s }}
operators:
  counted:
    input: events
    type: tumbling-window
    size: 1min
    key: [host]
    aggregate: {{ hits: count(*) }}
  timely:
    input: events
    type: tumbling-window
    size: 1min
    key: [host]
    aggregate: {{ hits: count(*) }}
    late: {{ to: belated }}
sinks:
  table:
    input: counted
    connector: postgres
    url: ${{POSTGRES_URL}}
    database: ${{POSTGRES_DB}}
    username: ${{POSTGRES_USER}}
    password: ${{POSTGRES_PASSWORD}}
    table-name: hits
    columns: {{ host: host, hits: hits }}
  dropped: {{ input: timely, connector: blackhole }}
  dropped_late: {{ input: belated, connector: blackhole }}
"""
_PARTITIONS = 2
_TASKS = 2 * 3  # two subtasks of the source and of each window
_TASK = "flink_taskmanager_job_task_"
_OPERATOR = f"{_TASK}operator_"
_PARTITION = f"{_OPERATOR}KafkaSourceReader_topic_partition_"
_JOB_METRIC = "flink_jobmanager_job_"
_OF_THE_PAGE = "exposer_"  # how often it was asked for: of the library that serves it
_HOSTS = [f"host-{i}" for i in range(20)]
_DELAY_MS = 15_000
_EPOCH_MS = 1_709_251_200_000  # 2024-03-01T00:00Z, minute 0 of event()
_TIMES = [f"{_TASK}{kind}TimeMsPerSecond" for kind in ("busy", "idle", "backPressured")]
# What the JobManager tells of tasks: wsctl's name of it, the TaskManager's and that of REST.
_TOLD = {f"{what}-{way}": (f"num{what.capitalize()}{way.capitalize()}", f"{verb}-{what}")
         for what in ("records", "bytes") for way, verb in (("in", "read"), ("out", "write"))}


@dataclasses.dataclass
class Sent:
    """What a topic was told since the count was begun, all of it."""

    usable: int = 0
    bad: int = 0
    future: int = 0
    late: int = 0  # of usable
    size_bytes: int = 0

    @property
    def all(self) -> int:
        """Records."""
        return self.usable + self.bad + self.future


class Scrape:
    """One look at every process."""

    def __init__(self, cluster: Cluster) -> None:
        self.before_ms = time.time() * 1000
        self.series = [(role, name, labels, value)
                       for role, process in _processes(cluster)
                       for name, labels, value in process.metrics()
                       if not name.startswith(_OF_THE_PAGE)]
        self.after_ms = time.time() * 1000

    def values(self, name: str, **labels: str) -> list[float]:
        """Of all series that have these labels, and perhaps others."""
        return [value for _, series, found, value in self.series
                if series == name and labels.items() <= found.items()]

    def sum(self, name: str, **labels: str) -> float:
        """AssertionError if there is no such series."""
        values = self.values(name, **labels)
        assert values, f"no series {name} {labels}"
        return sum(values)

    def of(self, operator: str, metric: str) -> float:
        """Over the subtasks of an operator, under Flink's names or ours."""
        name = metric if metric.startswith("watershed_") else _OPERATOR + metric
        return self.sum(name, operator_id=operator)


def _processes(cluster: Cluster) -> list[tuple[str, Process]]:
    assert cluster.job_manager is not None
    return [("jobmanager", cluster.job_manager),
            *(("taskmanager", each) for each in cluster.task_managers)]


def _listed() -> dict[str, dict]:
    done = subprocess.run([str(BINARIES / "metric_reference"), "--json"], stdout=subprocess.PIPE,
                          check=True)
    return {metric["name"]: metric for metric in json.loads(done.stdout)}


class Metrics(unittest.TestCase):
    def setUp(self) -> None:
        self.scenario = scenario = Scenario("metrics")
        scenario.create_topic(_PARTITIONS)
        scenario.sql("CREATE TABLE hits (host text, hits bigint)")
        self.cluster = Cluster(
            BINARIES, scenario.directory / "cluster", task_managers=2, slots=2,
            options={"execution.checkpointing.dir": f"file://{scenario.directory}/checkpoints",
                     "heartbeat.timeout": "3s"})
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.listed = _listed()
        self.seen: set[str] = set()
        self.ends = [0] * _PARTITIONS  # of the topic

    def test_a_known_run(self) -> None:
        self.check_cluster(self.scrape(), jobs=0, slots_available=4)
        job_file = self.scenario.directory / "job.yaml"
        job_file.write_text(_JOB.format(topic=self.scenario.topic, kafka=self.scenario.kafka_url))
        self.job = self.cluster.submit(job_file, self.scenario.env, parallelism=2)
        self.cluster.wait_state(self.job, ["RUNNING"])

        first = self.send_first()
        self.take_checkpoint()
        scrape = self.await_end(first)
        self.check_cluster(scrape, jobs=1, slots_available=2)
        self.check_job(scrape, checkpoints=1, restarts=0)
        self.check_flow(scrape, first, attempt=1, last_minute=11)
        rows = self.check_sinks(scrape, first, fired=2, rows_before=0, commits_most=2)
        self.check_told(scrape, first)
        self.check_state(scrape)
        self.check_time(scrape)

        self.restart()
        second = self.send_second()
        self.take_checkpoint()
        scrape = self.await_end(second)
        self.check_job(scrape, checkpoints=2, restarts=1)
        self.check_flow(scrape, second, attempt=2, last_minute=21)
        # Twice as many commits: those of the first checkpoint are made sure of once more.
        self.check_sinks(scrape, second, fired=2, rows_before=rows, commits_most=4)
        self.check_told(scrape, second)
        self.assertEqual(set(), set(self.listed) - self.seen, "are listed and were never seen")
        self.check_end()

    # ---- What is sent ----

    def send(self, sent: Sent, lines: list[str]) -> None:
        """To the partitions in turn, and counts the bytes."""
        assert len(lines) % _PARTITIONS == 0
        self.scenario.load_lines(lines, _PARTITIONS)
        self.ends = [end + len(lines) // _PARTITIONS for end in self.ends]
        sent.size_bytes += sum(len(line.encode(errors="surrogateescape")) for line in lines)

    def send_usable(self, sent: Sent, minute: float) -> None:
        """One event of every host to every partition."""
        lines = [event(minute, host=host) for host in _HOSTS for _ in range(_PARTITIONS)]
        self.send(sent, lines)
        sent.usable += len(lines)

    def await_watermark(self, minute: float) -> None:
        """Until both windows of every subtask have seen that of events of this minute."""
        wanted = self.watermark_of(minute)
        self.cluster.wait(
            lambda: {wanted} == {value for name in ("counted", "timely") for value in
                                 self.scrape().values(f"{_OPERATOR}currentInputWatermark", operator_id=name)},
            f"the watermark {wanted}", 60)

    def watermark_of(self, minute: float) -> float:
        """Once all partitions have events of it."""
        return _EPOCH_MS + minute * 60_000 - _DELAY_MS

    def send_first(self) -> Sent:
        """Records of every kind."""
        sent = Sent()
        for minute in (0.1, 0.2, 1.1, 10):
            self.send_usable(sent, minute)
        future = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 2 * 86_400))
        self.send(sent, ['not JSON', '[1]', '{"host":"a"}', event(1, event_time=7)])
        sent.bad += 4
        self.send(sent, [event(0, event_time=future)] * 6)
        sent.future += 6
        self.await_watermark(10)
        for host in _HOSTS[:5]:
            self.send(sent, [event(0.3, host=host)] * 4)
            sent.late += 4
            sent.usable += 4
        self.send_usable(sent, 11)  # a watermark follows it, and ends what was gathered
        self.await_watermark(11)
        return sent

    def send_second(self) -> Sent:
        """After the restart: only the windows that were open before it, and newer ones."""
        sent = Sent()
        self.send_usable(sent, 11.5)
        self.send(sent, ["{", "}"])
        sent.bad += 2
        self.send_usable(sent, 21)
        self.await_watermark(21)
        return sent

    # ---- What happens ----

    def take_checkpoint(self) -> None:
        """And waits until its output is in the table."""
        before = self.cluster.checkpoints(self.job)["completed"]
        status, _ = self.cluster.rest_call("POST", f"/jobs/{self.job}/checkpoints")
        self.assertEqual(202, status)
        self.cluster.wait(lambda: self.cluster.checkpoints(self.job)["completed"] > before,
                          "a checkpoint", 60)

    def restart(self) -> None:
        """By the loss of a TaskManager."""
        self.cluster.kill_task_manager(self.cluster.task_managers[0])
        self.cluster.wait(lambda: self.attempts() == {"2"}, "the second attempt", 60)
        self.cluster.wait_state(self.job, ["RUNNING"])

    def await_end(self, sent: Sent) -> Scrape:
        """A scrape in which everything sent has been counted everywhere: gauges follow within a second,
        commits and offsets when brokers and database have answered."""
        scrape = self.scrape()

        def arrived() -> bool:
            nonlocal scrape
            scrape = self.scrape()
            return (scrape.of("events", "numRecordsIn") >= sent.all
                    and scrape.of("table", "watershed_sink_committed_records")
                    >= scrape.of("table", "numRecordsSend") > 0
                    and self.offsets(scrape, "currentOffset") == [end - 1 for end in self.ends]
                    and self.offsets(scrape, "committedOffset") == self.ends
                    and scrape.of("events", "sourceIdleTime") > 0
                    and scrape.of("events", "pendingRecords") == 0
                    and self.is_settled(scrape))

        self.cluster.wait(arrived, "all to be counted", 60,
                          lambda: f"{sent}\n{[s for s in scrape.series if 'KafkaSource' in s[1]]}")
        return scrape

    def is_settled(self, scrape: Scrape) -> bool:
        """A second without rows, so that rates are those of one."""
        return not any(scrape.values(f"{_TASK}numRecordsInPerSecond"))

    def offsets(self, scrape: Scrape, which: str) -> list[float]:
        """By partition."""
        return [scrape.sum(_PARTITION + which, topic=self.scenario.topic, partition=str(partition))
                for partition in range(_PARTITIONS)]

    # ---- What a scrape must say ----

    def scrape(self) -> Scrape:
        """Every series in it is listed, comes once and has the labels listed."""
        scrape = Scrape(self.cluster)
        keys = set()
        for role, name, labels, _ in scrape.series:
            listed = self.listed.get(name)
            assert listed is not None, f"{name} is not in runtime/metrics/names.h"
            self.assertEqual((listed["process"], sorted(listed["labels"])), (role, sorted(labels)), name)
            self.assertNotIn("", labels.values(), f"{name} {labels}")
            key = (name, *sorted(labels.items()))
            self.assertNotIn(key, keys)
            keys.add(key)
            self.seen.add(name)
        return scrape

    def attempts(self) -> set[str]:
        """That tasks are of."""
        return {labels["task_attempt_num"] for _, _, labels, _ in self.scrape().series
                if "task_attempt_num" in labels}

    def check_cluster(self, scrape: Scrape, jobs: int, slots_available: int) -> None:
        """The JobManager's own, and each TaskManager's memory."""
        for name, value in (("numRegisteredTaskManagers", 2), ("taskSlotsTotal", 4),
                            ("taskSlotsAvailable", slots_available), ("numRunningJobs", jobs)):
            self.assertEqual([value], scrape.values(f"flink_jobmanager_{name}"), name)
        shares = {labels["share"] for _, name, labels, _ in scrape.series
                  if name == "watershed_memory_used_bytes"}
        self.assertEqual({"state", "sources", "network", "snapshots", "sinks"}, shares)
        for _, name, labels, limit in scrape.series:
            if name == "watershed_memory_limit_bytes":
                used, peak = (scrape.sum(f"watershed_memory_{which}_bytes", **labels)
                              for which in ("used", "peak"))
                self.assertLessEqual(0, used)
                self.assertLessEqual(used, peak)
                self.assertLessEqual(peak, limit, labels)
        status = "flink_taskmanager_Status_"
        for flinks, share in ((f"{status}Flink_Memory_Managed_Total", "state"),
                              (f"{status}Shuffle_Netty_TotalMemory", "network")):
            self.assertEqual(scrape.sum("watershed_memory_limit_bytes", share=share),
                             scrape.sum(flinks))
        self.assertEqual(scrape.sum(f"{status}Shuffle_Netty_TotalMemory"),
                         scrape.sum(f"{status}Shuffle_Netty_UsedMemory")
                         + scrape.sum(f"{status}Shuffle_Netty_AvailableMemory"))
        resident = scrape.values("watershed_memory_resident_bytes")
        self.assertEqual(2, len(resident))
        self.assertGreater(min(resident), 10 << 20)
        self.assertLess(sum(resident), scrape.sum("watershed_memory_process_limit_bytes"))

    def check_job(self, scrape: Scrape, checkpoints: int, restarts: int) -> None:
        """The JobManager's figures of the job, and the tasks' of its checkpoints."""
        labels = {"job_id": self.job, "job_name": "known"}
        last = self.cluster.rest(f"/jobs/{self.job}/checkpoints")["latest"]["completed"]
        for name, value in (("numRestarts", restarts), ("totalNumberOfCheckpoints", checkpoints),
                            ("numberOfCompletedCheckpoints", checkpoints),
                            ("numberOfFailedCheckpoints", 0), ("numberOfInProgressCheckpoints", 0),
                            ("lastCompletedCheckpointId", last["id"]),
                            ("lastCheckpointDuration", last["end_to_end_duration"]),
                            ("lastCheckpointSize", last["checkpointed_size"]),
                            ("lastCheckpointFullSize", last["state_size"])):
            self.assertEqual([value], scrape.values(_JOB_METRIC + name, **labels), name)
        self.assertGreater(last["checkpointed_size"], 0)
        restored = scrape.sum(f"{_JOB_METRIC}lastCheckpointRestoreTimestamp", **labels)
        self.assertEqual(restarts > 0, restored > 0)
        self.assertGreater(scrape.sum(f"{_JOB_METRIC}uptime", **labels), 0)
        self.assertLess(scrape.sum(f"{_JOB_METRIC}uptime", **labels), 600_000)
        delays_ns = scrape.values(f"{_TASK}checkpointStartDelayNanos")
        self.assertEqual(_TASKS, len(delays_ns))
        self.assertLessEqual(max(delays_ns), last["end_to_end_duration"] * 1e6 + 1e6)
        alignments_ns = scrape.values(f"{_TASK}checkpointAlignmentTime")
        self.assertLessEqual(max(alignments_ns), last["end_to_end_duration"] * 1e6 + 1e6)

    def check_flow(self, scrape: Scrape, sent: Sent, attempt: int, last_minute: float) -> None:
        """Records, bytes and watermarks from the topic to the windows."""
        self.assertEqual(_TASKS, len(scrape.values(f"{_TASK}numRecordsIn", task_attempt_num=str(attempt))))
        for name, value in (("numRecordsIn", sent.all), ("numRecordsOut", sent.usable),
                            ("numRecordsInErrors", sent.bad),
                            ("watershed_source_future_refused_records", sent.future),
                            ("pendingRecords", 0), ("KafkaSourceReader_KafkaConsumer_records_lag_max", 0)):
            self.assertEqual(value, scrape.of("events", name), name)
        self.assertEqual(0, scrape.sum("watershed_source_partition_lag_records"))
        self.assertEqual(sent.usable, self.of_task(scrape, "events", "numRecordsIn"))
        self.assertEqual(sent.size_bytes, self.of_task(scrape, "events", "numBytesIn"))
        # The one window gets its rows as they are, the other one gets sums of some.
        self.assertEqual(sent.usable, scrape.of("timely", "numRecordsIn"))
        self.assertLessEqual(scrape.of("counted", "numRecordsIn"), sent.usable)
        for window in ("counted", "timely"):
            self.assertEqual(self.of_task(scrape, window, "numRecordsIn"),
                             scrape.of(window, "numRecordsIn"))
        for what in ("numRecords", "numBytes"):
            self.assertEqual(self.of_task(scrape, "events", f"{what}Out"),
                             sum(self.of_task(scrape, window, f"{what}In")
                                 for window in ("counted", "timely")), what)
        self.assertEqual(sent.late, scrape.of("counted", "numLateRecordsDropped"))
        self.assertEqual(0, scrape.of("timely", "numLateRecordsDropped"))
        self.assertEqual(sent.late, scrape.of("timely", "watershed_operator_side_output_records"))
        self.check_network(scrape, whole=attempt == 1)
        self.check_watermarks(scrape, self.watermark_of(last_minute), last_minute)

    def check_network(self, scrape: Scrape, whole: bool) -> None:
        """`whole`: no TaskManager has taken its counts with it."""
        sent, received = ([scrape.sum(f"watershed_network_{way}_{unit}") for unit in ("bytes", "frames")]
                          for way in ("sent", "received"))
        self.assertGreater(min(sent), 0)
        if whole:
            self.assertEqual(sent, received)

    def check_watermarks(self, scrape: Scrape, watermark: float, last_minute: float) -> None:
        """And how far they are behind."""
        for operator, way in (("events", "Output"), ("counted", "Output"), ("timely", "Input"),
                              ("table", "Input")):
            values = scrape.values(f"{_OPERATOR}current{way}Watermark", operator_id=operator)
            self.assertEqual([watermark] * 2, values, operator)
        self.assertEqual({watermark}, set(scrape.values(f"{_TASK}currentInputWatermark")))
        for lag in scrape.values(f"{_OPERATOR}watermarkLag"):
            self.assertLessEqual(scrape.before_ms - watermark - 1, lag)
            self.assertLessEqual(lag, scrape.after_ms - watermark)
        event_ms = _EPOCH_MS + last_minute * 60_000
        for kind in ("Fetch", "Emit"):  # of its batch, which was before this scrape
            lags = scrape.values(f"{_OPERATOR}current{kind}EventTimeLag")
            self.assertEqual(2, len(lags))
            self.assertLess(max(lags), scrape.after_ms - event_ms)
            self.assertGreater(min(lags), scrape.before_ms - event_ms - 120_000)

    def check_sinks(self, scrape: Scrape, sent: Sent, fired: int, rows_before: int,
                    commits_most: int) -> int:
        """Of the attempt, in which so many windows of every host have fired; how many rows the table has.
        Rows that an attempt before had left to commit count as committed, whether they come twice or not."""
        rows = int(self.scenario.sql("SELECT count(*) FROM hits")[0][0])
        self.assertEqual(rows - rows_before, scrape.of("table", "watershed_sink_committed_records"))
        came = fired * len(_HOSTS)
        for name in ("numRecordsIn", "numRecordsSend"):
            self.assertEqual(came, scrape.of("table", name), name)
        self.assertEqual(came, scrape.of("counted", "numRecordsOut"))
        self.assertEqual(came + sent.late, scrape.of("timely", "numRecordsOut"))
        self.assertEqual(came, scrape.of("dropped", "watershed_blackhole_rows"))
        self.assertEqual(sent.late, scrape.of("dropped_late", "watershed_blackhole_rows"))
        # Of each subtask that had rows.
        self.assertIn(scrape.of("table", "watershed_sink_commits"), range(1, commits_most + 1))
        for name in ("numRecordsSendErrors", "watershed_sink_retries"):
            self.assertEqual(0, scrape.of("table", name), name)
        for window, late in (("counted", 0), ("timely", sent.late)):
            self.assertEqual(came + late, self.of_task(scrape, window, "numRecordsOut"))
        return rows

    def check_told(self, scrape: Scrape, sent: Sent) -> None:
        """The JobManager tells of the attempt what its TaskManagers count, by wsctl and by REST, once
        they have told it: of the job, of every vertex and of every subtask."""
        job = {"records-in": sent.usable, "late-records": sent.late,
               "skipped-records": sent.bad + sent.future, "lag-records": 0,
               "records-out": sum(self.of_task(scrape, window, "numRecordsOut")
                                  for window in ("counted", "timely"))}
        vertices = {labels["task_id"] for _, name, labels, _ in scrape.series if name == _TIMES[0]}
        by_vertex = {vertex: self.told_of(scrape, task_id=vertex) for vertex in vertices}
        by_subtask = {(vertex, subtask): self.told_of(scrape, task_id=vertex, subtask_index=str(subtask))
                      for vertex in vertices for subtask in range(_TASKS // len(vertices))}
        expected = (job, by_vertex, by_subtask, by_vertex)
        self.cluster.wait(lambda: self.told(job) == expected, "the JobManager to tell the same", 30,
                          lambda: f"\n{self.told(job)}\nis not\n{expected}")

    def told_of(self, scrape: Scrape, **labels: str) -> dict[str, float]:
        """What the TaskManagers count of these tasks, as wsctl names it."""
        return {wsctls: scrape.sum(_TASK + ours, **labels) for wsctls, (ours, _) in _TOLD.items()}

    def told(self, names: Iterable[str]) -> tuple[dict, dict, dict, dict]:
        """By the JobManager: these figures of the job, and _TOLD of its vertices, of its subtasks, and of
        its vertices by REST."""
        shown = self.cluster.job(self.job)
        return ({name: shown[name] for name in names},
                {each["id"]: {name: each[name] for name in _TOLD} for each in shown["vertices"]},
                {(vertex["id"], each["subtask"]): {name: each[name] for name in _TOLD}
                 for vertex in shown["vertices"] for each in vertex["subtasks"]},
                {each["id"]: {name: each["metrics"][rests] for name, (_, rests) in _TOLD.items()}
                 for each in self.cluster.rest(f"/jobs/{self.job}")["vertices"]})

    def check_state(self, scrape: Scrape) -> None:
        """Each row is looked up once."""
        for window in ("counted", "timely"):
            hits, misses = (scrape.of(window, f"watershed_state_cache_{what}")
                            for what in ("hits", "misses"))
            self.assertEqual(scrape.of(window, "numRecordsIn"), hits + misses)
            self.assertGreater(hits, 0)
            self.assertGreaterEqual(misses, len(_HOSTS))
            self.assertEqual(len(_HOSTS), scrape.of(window, "watershed_state_cache_keys"))
            for what in ("backend_keys", "backend_reads", "backend_writes", "cache_evictions"):
                self.assertEqual(0, scrape.of(window, f"watershed_state_{what}"), what)
            self.assertEqual(0, scrape.of(window, "watershed_rocksdb_flushes"))
        used = scrape.sum("watershed_memory_used_bytes", share="state")
        self.assertEqual(used, scrape.sum("watershed_state_cache_bytes")
                         + scrape.sum("watershed_rocksdb_block_cache_bytes")
                         + scrape.sum("watershed_rocksdb_write_buffer_bytes"))

    def check_time(self, scrape: Scrape) -> None:
        """Every task's second is whole, and without input an idle one."""
        tasks = {(labels["task_id"], labels["subtask_index"]) for _, name, labels, _ in scrape.series
                 if name == _TIMES[0]}
        self.assertEqual(_TASKS, len(tasks))
        for vertex, subtask in tasks:
            busy, idle, backpressured = (
                scrape.sum(name, task_id=vertex, subtask_index=subtask) for name in _TIMES)
            self.assertEqual(1000, busy + idle + backpressured)
            self.assertGreater(idle, 0)
            self.assertEqual(0, scrape.sum(f"{_TASK}isBackPressured", task_id=vertex,
                                           subtask_index=subtask))

    def check_end(self) -> None:
        """With the job its series go, from both processes."""
        self.assertEqual(0, self.cluster.wsctl("cancel", self.job).returncode)
        self.cluster.wait(lambda: not any("job_id" in labels for _, _, labels, _ in self.scrape().series),
                          "the job's series to go", 30)
        self.check_cluster(self.scrape(), jobs=0, slots_available=4)

    def of_task(self, scrape: Scrape, operator: str, metric: str) -> float:
        """Over the subtasks of the vertex that has the operator."""
        vertices = {labels["task_id"] for _, _, labels, _ in scrape.series
                    if labels.get("operator_id") == operator}
        self.assertEqual(1, len(vertices), operator)
        return scrape.sum(_TASK + metric, task_id=vertices.pop())


if __name__ == "__main__":
    unittest.main()
