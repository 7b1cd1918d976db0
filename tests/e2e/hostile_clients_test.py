"""Whoever reaches a port may send anything: garbage and oversized requests are refused before memory is
spent on them, half requests hold no one up, and the processes and their job go on."""

import os
import pathlib
import random
import socket
import tempfile
import time
import unittest

import http2_frames as http2
from cluster import Cluster, Process
from scenario import BINARIES

_MB = 1 << 20
_RPC_MEMORY = 16 * _MB
_GROWTH_MAX = _RPC_MEMORY                # of a process's memory after each of the attacks, which send more
_PEAK_MAX = 2 * _RPC_MEMORY + 8 * _MB    # and at its highest: two floods after one another
_JOB = """kind: Job
name: endless
checkpointing: { interval: 100ms }
sources:
  events:
    connector: datagen
    rows-per-second: 1000
    columns: { host: string, event_time: timestamp }
    watermark: { column: event_time, delay: 1s }
operators:
  counts: { input: events, type: tumbling-window, size: 1s, key: [host],
            aggregate: { hits: count(host) } }
sinks:
  out: { input: counts, connector: blackhole }
"""
_TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(32)) + b"\x20" + bytes(160)
_CALLS = {"jobmanager": ("JobService/SubmitJob", "JobService/ListJobs",
                         "ClusterService/RegisterTaskManager", "ClusterService/UpdateTasks"),
          "taskmanager": ("TaskManagerService/DeployTasks", "DataExchange/Exchange")}


class AttackedCluster(unittest.TestCase):
    """A cluster whose job runs; afterwards it still does, with hardly more memory."""

    options: dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory(prefix="watershed-hostile-")
        cls.addClassCleanup(directory.cleanup)
        root = pathlib.Path(directory.name)
        cls.cluster = Cluster(BINARIES, root / "cluster", task_managers=2, slots=1,
                              options={"execution.checkpointing.dir": f"file://{root}/checkpoints",
                                       **cls.options})
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        (root / "job.yaml").write_text(_JOB)
        cls.job = cls.cluster.submit(root / "job.yaml", {}, parallelism=2)
        cls.cluster.wait_state(cls.job, ["RUNNING"])

    def setUp(self) -> None:
        self.cluster.wait_checkpoints(self.job, 3)  # so that what grows at the beginning has grown
        self.memory = {process.name: resident_bytes(process) for process in self.processes()}
        for process in self.processes():
            pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew

    def tearDown(self) -> None:
        self.assert_goes_on()
        for process in self.processes():
            before = self.memory[process.name]
            self.assertLess(process.peak_rss_bytes() - before, _PEAK_MAX,
                            f"bytes more in {process.name}")
            # What has been freed goes back to the system a moment later.
            self.cluster.wait(lambda: resident_bytes(process) - before < _GROWTH_MAX,
                              f"{process.name} to give memory back", timeout_s=30)

    def processes(self) -> list[Process]:
        """The JobManager and both TaskManagers."""
        return [self.cluster.job_manager, *self.cluster.task_managers]

    def rpc_calls(self) -> list[tuple[int, str]]:
        """A port and a method of it, for some of each service."""
        return [(process.ports["rpc"], f"/watershed.v1.{method}") for process in self.processes()
                for method in _CALLS[process.name.split("-")[0]]]

    def assert_goes_on(self) -> None:
        """Nothing has died, everything answers, and checkpoints complete."""
        for process in self.processes():
            self.assertFalse(process.exited(), process.log_tail())
            self.assertTrue(process.metrics())
        self.cluster.wait_checkpoints(self.job, 2)


class HostileClients(AttackedCluster):
    def assert_goes_on(self) -> None:
        """And the job has not even restarted."""
        super().assert_goes_on()
        status = self.cluster.job(self.job)
        self.assertEqual(("RUNNING", 0), (status["state"], status["restarts"]), status)

    def test_garbage(self) -> None:
        choose = random.Random(5)
        oversized = http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0, b"") + b"\xff\xff\xff\0\0" + bytes(4)
        payloads = [choose.randbytes(64 << 10), bytes(64 << 10), _TLS_HELLO, http2.PREFACE[:11],
                    b"GET / HTTP/1.1\r\n\r\n", b"\r\n" * 1000, http2.PREFACE + choose.randbytes(64 << 10),
                    oversized + choose.randbytes(_MB),
                    http2.PREFACE + http2.frame(http2.HEADERS, 4, 1, choose.randbytes(2000)),
                    http2.PREFACE + http2.frame(http2.HEADERS, 0, 1, bytes(16000)) * 20]
        for process in self.processes():
            for name, port in process.ports.items():
                for number, payload in enumerate(payloads):
                    with self.subTest(process=process.name, port=name, payload=number):
                        send_and_close(port, payload, wait_s=0.05)

    def test_half_requests_hold_nobody_up(self) -> None:
        halves = {"rpc": (http2.PREFACE[:10],
                          http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0, b"") + b"\0\0\x20\1"),
                  "rest": (b"GET /overview HT", b"PATCH /jobs HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc"),
                  "metrics": ()}  # has a thread a connection, so it gives none to these
        held = []
        try:
            for process in self.processes():
                for name, port in process.ports.items():
                    for half in halves[name] * 100:
                        held.append(socket.create_connection(("127.0.0.1", port), timeout=10))
                        held[-1].sendall(half)
            self.assertEqual(0, self.cluster.wsctl("list").returncode)
            self.assert_goes_on()
        finally:
            for each in held:
                each.close()

    def test_messages_that_are_none(self) -> None:
        choose = random.Random(6)
        absurd = b"\x0a\xff\xff\xff\xff\x07"  # field 1, of 2^31 - 1 bytes
        deep = b""
        for _ in range(2000):
            deep = b"\x0a" + varint(len(deep)) + deep
        frames = [absurd, deep, choose.randbytes(3000), b"\x1a\x04" + absurd[2:],
                  # A batch of 2^32 - 1 rows on a channel that nobody has.
                  b"\x0a\x0c\x0a\x0a" + b"0123456789" + b"\x10\x07\x1a\x08" + b"\xff" * 8]
        for port, method in self.rpc_calls():
            for number, payload in enumerate(frames):
                with self.subTest(method=method, payload=number), http2.Call(port, method) as call:
                    call.send(http2.message(payload))
                    self.assertTrue(call.wait_for_end())

    def test_rest_limits(self) -> None:
        port = self.cluster.job_manager.ports["rest"]
        post = b"PATCH /jobs HTTP/1.1\r\nHost: h\r\n"
        for status, head, body in (
                (431, b"GET /overview HTTP/1.1\r\nX: " + b"x" * (64 << 10), b""),
                (431, b"GET /" + b"x" * (64 << 10), b""),
                (431, b"GET /overview HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b""),
                (413, post + b"Content-Length: 99999999999\r\n\r\n", bytes(64 * _MB)),
                (413, post + b"Content-Length: 65537\r\n\r\n", bytes(65537)),
                (413, post + b"Transfer-Encoding: chunked\r\n\r\n",
                 (b"10000\r\n" + bytes(0x10000) + b"\r\n") * 200),
                (400, post + b"Content-Length: -1\r\n\r\n", b""),
                (400, post + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n")):
            with self.subTest(head=head[:60], size=len(head)):
                answer = send_and_close(port, head + body)
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:200])


class Flood(AttackedCluster):
    """gRPC refuses a message when all of it has come; before, only its server's memory bounds it. What is
    ended then may be other calls too, so the job may restart."""

    options = {"rpc.server.memory.size": f"{_RPC_MEMORY // _MB}mb"}

    def test_messages_above_the_limit(self) -> None:
        for process, method in ((self.cluster.job_manager, "JobService/SubmitJob"),
                                (self.cluster.task_managers[0], "DataExchange/Exchange")):
            for length in (None, 0xFFFFFFFF):  # the true one, or an absurd one
                with self.subTest(method=method, length=length), \
                        http2.Call(process.ports["rpc"], f"/watershed.v1.{method}") as call:
                    call.send(http2.message(bytes(4 * _RPC_MEMORY), length))
                    self.assertTrue(call.ended, f"after {call.sent} bytes")
                    self.assertLess(call.sent, 2 * _RPC_MEMORY)


def varint(value: int) -> bytes:
    """Protobuf's."""
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def send_and_close(port: int, data: bytes, wait_s: float = 5) -> bytes:
    """Sends as much as the other side takes; returns what it says until it closes, or for so long."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(wait_s)
        try:
            connection.sendall(data)
        except OSError:
            pass  # refused meanwhile, or not read any more
        deadline = time.monotonic() + wait_s
        try:
            while time.monotonic() < deadline and (received := connection.recv(1 << 16)):
                answer += received
        except OSError:
            pass
    return answer


def resident_bytes(process: Process) -> int:
    """Of a process's memory."""
    pages = pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    unittest.main()
