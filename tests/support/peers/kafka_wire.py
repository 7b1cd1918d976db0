"""The few requests of the Kafka protocol that tests need, so that no JVM starts for each of them.

Requests go to a single broker, which is leader of everything. Layouts: the versions named below in
Kafka's protocol guide, all without tagged fields.
"""

import socket
import struct
import time
from collections.abc import Mapping

_LIST_OFFSETS, _METADATA, _CREATE_TOPICS, _DELETE_TOPICS = (2, 2), (3, 4), (19, 4), (20, 3)
_INIT_PRODUCER_ID = (22, 0)
_CONCURRENT_TRANSACTIONS = 51
_EARLIEST, _LATEST = -2, -1


class KafkaError(Exception):
    """The broker refused a request."""


class _Reader:
    """Reads Kafka's primitive types off a response."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from(">" + code, self._data, self._at)
        self._at += struct.calcsize(">" + code)
        return value

    def string(self) -> str | None:
        size = self.number("h")
        if size < 0:
            return None
        self._at += size
        return self._data[self._at - size:self._at].decode()


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the broker closed the connection")
        data += part
    return data


def _request(url: str, api: tuple[int, int], body: bytes, timeout_s: float = 15) -> _Reader:
    host, port = url.rsplit(":", 1)
    message = struct.pack(">hhi", *api, 1) + _string("watershed-test") + body
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(struct.pack(">i", len(message)) + message)
        (size,) = struct.unpack(">i", _receive(connection, 4))
        return _Reader(_receive(connection, size)[4:])


def partitions(url: str, topic: str | None = None, timeout_s: float = 15) -> dict[str, int]:
    """Partitions that have a leader, by topic: of all topics, or of one."""
    names = struct.pack(">i", -1) if topic is None else struct.pack(">i", 1) + _string(topic)
    reader = _request(url, _METADATA, names + b"\0", timeout_s)
    reader.number("i")
    if (brokers := reader.number("i")) == 0:
        raise KafkaError("no broker has registered yet")
    for _ in range(brokers):
        reader.number("i"), reader.string(), reader.number("i"), reader.string()
    reader.string(), reader.number("i")
    found: dict[str, int] = {}
    for _ in range(reader.number("i")):
        error, name, _internal = reader.number("h"), reader.string(), reader.number("b")
        led = 0
        for _ in range(reader.number("i")):
            partition_error, _index, leader = (reader.number(code) for code in "hii")
            for _ in range(2):
                for _ in range(reader.number("i")):
                    reader.number("i")
            led += partition_error == 0 and leader >= 0
        if error == 0 and name is not None:
            found[name] = led
    return found


def is_ready(url: str) -> bool:
    """Whether the broker answers a metadata request and has registered itself."""
    try:
        partitions(url, timeout_s=5)
        return True
    except (OSError, KafkaError):
        return False


def create_topic(url: str, topic: str, count: int, configs: Mapping[str, str] | None = None) -> None:
    """Creates a topic and waits until every partition's leader answers for it."""
    body = struct.pack(">i", 1) + _string(topic) + struct.pack(">ihi", count, 1, 0)
    body += struct.pack(">i", len(configs or {}))
    for name, value in (configs or {}).items():
        body += _string(name) + _string(value)
    reader = _request(url, _CREATE_TOPICS, body + struct.pack(">i?", 15000, False))
    reader.number("i")
    _raise_errors(reader, f"create topic {topic}", with_message=True)
    deadline = time.monotonic() + 15
    while not _leads(url, topic, count):
        if time.monotonic() > deadline:
            raise KafkaError(f"topic {topic} has no leaders after 15 s")
        time.sleep(0.02)


def delete_topic(url: str, topic: str) -> None:
    """Deletes a topic."""
    body = struct.pack(">i", 1) + _string(topic) + struct.pack(">i", 15000)
    reader = _request(url, _DELETE_TOPICS, body)
    reader.number("i")
    _raise_errors(reader, f"delete topic {topic}", with_message=False)


def end_offsets(url: str, topic: str) -> list[int]:
    """The offset after the last record, by partition."""
    return _offsets(url, topic, _LATEST)


def record_count(url: str, topic: str) -> int:
    """Records in the topic, by its offsets (right for topics without transactions or compaction)."""
    return sum(end_offsets(url, topic)) - sum(_offsets(url, topic, _EARLIEST))


def take_transactional_id(url: str, transactional_id: str) -> None:
    """As another producer would: whoever has it is fenced, and its open transaction ends."""
    body = _string(transactional_id) + struct.pack(">i", 60_000)
    deadline = time.monotonic() + 15
    while True:
        reader = _request(url, _INIT_PRODUCER_ID, body)
        reader.number("i")
        error = reader.number("h")
        if error == 0:
            return
        if error != _CONCURRENT_TRANSACTIONS or time.monotonic() > deadline:
            raise KafkaError(f"transactional id {transactional_id}: error code {error}")
        time.sleep(0.05)


def _leads(url: str, topic: str, count: int) -> bool:
    """Metadata may name a leader a moment before the leader itself knows."""
    try:
        return len(end_offsets(url, topic)) == count
    except KafkaError:
        return False


def _offsets(url: str, topic: str, which: int) -> list[int]:
    count = partitions(url, topic).get(topic, 0)
    if count == 0:
        raise KafkaError(f"topic {topic} has no partition with a leader")
    body = struct.pack(">ibi", -1, 0, 1) + _string(topic) + struct.pack(">i", count)
    body += b"".join(struct.pack(">iq", index, which) for index in range(count))
    reader = _request(url, _LIST_OFFSETS, body)
    reader.number("i"), reader.number("i"), reader.string()
    offsets = [0] * reader.number("i")
    for _ in range(len(offsets)):
        index, error = reader.number("i"), reader.number("h")
        reader.number("q")
        if error:
            raise KafkaError(f"offsets of {topic}-{index}: error code {error}")
        offsets[index] = reader.number("q")
    return offsets


def _raise_errors(reader: _Reader, what: str, with_message: bool) -> None:
    for _ in range(reader.number("i")):
        reader.string()
        error = reader.number("h")
        text = reader.string() if with_message else None
        if error:
            raise KafkaError(f"{what}: {text or 'refused'} (error code {error})")
