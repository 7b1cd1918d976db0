"""One real Apache Kafka broker (KRaft, one node) for tests, demo and benchmarks."""

import base64
import pathlib
import signal
import subprocess
import uuid

from . import kafka_jars, kafka_wire
from .ports import free_ports
from .process import PeerError, log_tail, spawn, stop, wait_ready

# Topics are made on purpose; big messages are allowed because tests send a 10 MB one.
_SETTINGS = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},\
SASL_PLAINTEXT://127.0.0.1:{sasl_port},OTHERS://{others_host}:{others_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port},\
OTHERS://{others_host}:{told_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,\
SASL_PLAINTEXT:SASL_PLAINTEXT,OTHERS:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=20000000
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
log.retention.hours=-1
log.cleaner.backoff.ms=500
"""


class KafkaBroker:
    """A broker whose ports and data stay the same across stop and start.

    `directory` (made if missing) holds data, settings and kafka.log; the caller removes it.
    """

    SASL_USER = "watershed"
    SASL_PASSWORD = "broker-secret"

    def __init__(
        self,
        directory: pathlib.Path,
        port: int | None = None,
        heap_mb: int = 512,
        cpus: str | None = None,
        log: pathlib.Path | None = None,
        others_host: str = "127.0.0.1",
        told_port: int | None = None,
    ) -> None:
        """Clients who come to others_host and others_port are told that the broker is there, or at told_port
        of that host: a proxy's."""
        directory.mkdir(parents=True, exist_ok=True)
        own_port, self._controller_port, self.sasl_port, self.others_port = free_ports(4)
        self._others_host = others_host
        self._told_port = told_port or self.others_port
        self.port = port or own_port
        self._directory = directory
        self._java = ["java", f"-Xms{heap_mb}m", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC",
                      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                      "-Dorg.slf4j.simpleLogger.showDateTime=true",
                      "-cp", kafka_jars.class_path()]
        self._cpus = cpus
        self.log = log or directory / "kafka.log"
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """For bootstrap.servers."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    def begin_start(self) -> None:
        """Starts the process; finish_start waits for it."""
        settings, data = self._directory / "server.properties", self._directory / "data"
        settings.write_text(_SETTINGS.format(
            port=self.port, controller_port=self._controller_port, sasl_port=self.sasl_port,
            others_host=self._others_host, others_port=self.others_port, told_port=self._told_port,
            user=self.SASL_USER, password=self.SASL_PASSWORD, data=data))
        if not data.exists():
            self._format(settings)
        self._process = spawn([*self._java, "kafka.Kafka", str(settings)], self.log,
                              cpus=self._cpus)

    def finish_start(self) -> None:
        """Returns once the broker answers a metadata request."""
        assert self._process is not None
        wait_ready("Kafka", self._process, lambda: kafka_wire.is_ready(self.url), self.log,
                   timeout_s=300)

    def start(self) -> None:
        """begin_start and finish_start. PeerError with the end of its log when it does not start."""
        self.begin_start()
        self.finish_start()

    def exited(self) -> bool:
        """Whether a started broker has gone by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """An orderly shutdown; data stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9; data stays as it lies."""
        self._end(signal.SIGKILL)

    def _end(self, sig: int) -> None:
        if self._process is not None:
            stop(self._process, sig)
            self._process = None

    def _format(self, settings: pathlib.Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster = cluster.replace("-", "x")  # a leading dash would read as an option
        with open(self.log, "ab") as out:
            code = subprocess.run(
                [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c",
                 str(settings)], stdout=out, stderr=subprocess.STDOUT, check=False).returncode
        if code:
            raise PeerError(f"Kafka's storage could not be formatted:\n{log_tail(self.log)}")
