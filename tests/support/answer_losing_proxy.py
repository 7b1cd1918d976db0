"""A TCP proxy before Kafka or PostgreSQL that can swallow the answer to one commit: the request arrives and is
carried out, and the client sees a connection that breaks; or the request itself, which looks the same from there.
(lost_answer_proxy.h does the former for one sink in a C++ test.)"""

import asyncio
import struct
import threading
from collections.abc import Iterator
from typing import Protocol

_CHUNK = 1 << 16
_END_TXN = 26  # Kafka's number of the request
_FLEXIBLE = 3  # from this version of it on, tagged fields follow


class Commits(Protocol):
    """Finds them on one connection."""

    def sent(self, data: bytes) -> bool:
        """By the client: whether a commit is in it, whose answer is to be lost."""

    def keep(self, data: bytes, losing: bool) -> bytes | None:
        """Of what the server answers what may be passed on; None: it says that the commit was carried out."""


class KafkaCommits:
    """EndTxn, by its correlation id."""

    def __init__(self) -> None:
        self._sent, self._answered = bytearray(), bytearray()
        self._lost_id = b""

    def sent(self, data: bytes) -> bool:
        found = False
        for request in _frames(self._sent, data):
            if _ends_with_commit(request):
                self._lost_id, found = request[8:12], True
        return found

    def keep(self, data: bytes, losing: bool) -> bytes | None:
        kept = b""
        for answer in _frames(self._answered, data):
            if losing and answer[4:8] == self._lost_id and _is_ok(answer):
                return None
            kept += answer
        return kept


def _ends_with_commit(request: bytes) -> bool:
    """EndTxn can also mean the contrary; its last field says so."""
    number, version = struct.unpack_from(">hh", request, 4)
    return number == _END_TXN and bool(request[-1 if version < _FLEXIBLE else -2])


def _is_ok(answer: bytes) -> bool:
    """EndTxn's error code, behind the throttle time; after an error the client asks again by another id."""
    return answer[12:14] == b"\0\0"


class PostgresCommits:
    """COMMIT as a statement; nothing is asked before its answer is there, which is ROLLBACK for one that failed."""

    def sent(self, data: bytes) -> bool:
        return data[:1] == b"Q" and data[5:11] == b"COMMIT"

    def keep(self, data: bytes, losing: bool) -> bytes | None:
        return None if losing and data[:1] == b"C" and data[5:12] == b"COMMIT\0" else data


def _frames(buffer: bytearray, data: bytes) -> Iterator[bytes]:
    """Those that are whole now, each behind its length."""
    buffer += data
    while len(buffer) >= 4:
        end = 4 + int.from_bytes(buffer[:4], "big")
        if len(buffer) < end:
            return
        frame = bytes(buffer[:end])
        del buffer[:end]
        yield frame


class AnswerLosingProxy:
    """Serves on a thread of its own, from its making to `stop`."""

    def __init__(self, commits: type[Commits], server_port: int = 0) -> None:
        self.server_port = server_port  # may be set later
        self.lost = 0  # answers to commits that were carried out, and requests
        self._commits = commits
        self._armed = False
        self._armed_for_request = False
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def lose_next(self) -> None:
        """The answer to the next commit that a client sends."""
        self._armed = True

    def lose_next_request(self) -> None:
        """The next commit itself: the server never hears of it."""
        self._armed_for_request = True

    def stop(self) -> None:
        """Cuts all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port, limit=_CHUNK)
        except OSError:
            to_client.close()
            return
        connection = _Connection(self._commits())
        pumps = [asyncio.ensure_future(self._requests(connection, from_client, to_server)),
                 asyncio.ensure_future(self._answers(connection, from_server, to_client))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if connection.losing and not connection.has_lost:
                self._armed = True  # it broke by itself, or the commit was refused
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_client.close()
            to_server.close()

    async def _requests(self, connection: "_Connection", reader: asyncio.StreamReader,
                        writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            has_commit = connection.commits.sent(data)
            if has_commit and self._armed_for_request:
                self._armed_for_request = False
                self.lost += 1
                return
            if has_commit and self._armed:
                self._armed, connection.losing = False, True
            writer.write(data)
            await writer.drain()

    async def _answers(self, connection: "_Connection", reader: asyncio.StreamReader,
                       writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            kept = connection.commits.keep(data, connection.losing)
            if kept is None:
                self.lost += 1
                connection.has_lost = True
                return
            writer.write(kept)
            await writer.drain()


class _Connection:
    def __init__(self, commits: Commits) -> None:
        self.commits = commits
        self.losing = False
        self.has_lost = False
