"""As much of HTTP/2 (RFC 9113) as it takes to send a gRPC server what no gRPC client would: frames by
hand, in the pace that the server's windows allow."""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
_FRAME_BYTES_MAX = 16384
_WINDOW = 65535


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name: str, value: str) -> bytes:
    """HPACK: a header field without indexing, both parts as they are."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call_headers(method: str) -> bytes:
    """Of a gRPC call, such as "/watershed.v1.JobService/ListJobs"."""
    fields = {":method": "POST", ":scheme": "http", ":path": method, ":authority": "localhost",
              "content-type": "application/grpc", "te": "trailers"}
    return b"".join(_literal(name, value) for name, value in fields.items())


def message(payload: bytes, length: int | None = None) -> bytes:
    """A gRPC message, which may lie about its length."""
    return struct.pack(">BI", 0, len(payload) if length is None else length) + payload


class Call:
    """One call on a connection of its own."""

    def __init__(self, port: int, method: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.sendall(PREFACE + frame(SETTINGS, 0, 0, b"") +
                             frame(HEADERS, END_HEADERS, 1, call_headers(method)))
        self._windows = {0: _WINDOW, 1: _WINDOW}
        self._received = b""
        self.ended = False  # by the server
        self.sent = 0       # bytes of messages

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes, timeout_s: float = 10) -> None:
        """As the windows allow, until all is sent or the server has ended the call or gives no window
        for so long."""
        deadline = time.monotonic() + timeout_s
        at = 0
        while at < len(data) and not self.ended and time.monotonic() < deadline:
            size = min(len(data) - at, _FRAME_BYTES_MAX, *self._windows.values())
            if size > 0:
                self._write(frame(DATA, 0, 1, data[at:at + size]))
                at += size
                self.sent += size
                for stream in self._windows:
                    self._windows[stream] -= size
            self._read(0 if size > 0 else 0.2)

    def wait_for_end(self, timeout_s: float = 10) -> bool:
        """Half-closes, then waits until the server has ended the call."""
        self._write(frame(DATA, END_STREAM, 1, b""))
        deadline = time.monotonic() + timeout_s
        while not self.ended and time.monotonic() < deadline:
            self._read(0.2)
        return self.ended

    def _write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(10)
            self._socket.sendall(data)
        except OSError:
            self.ended = True

    def _read(self, timeout_s: float) -> None:
        try:
            self._socket.settimeout(timeout_s or 0.0001)
            received = self._socket.recv(1 << 16)
        except TimeoutError:
            return
        except OSError:
            received = b""
        self.ended |= not received
        self._received += received
        while len(self._received) >= 9:
            size = int.from_bytes(self._received[:3], "big")
            if len(self._received) < 9 + size:
                return
            kind, flags = self._received[3], self._received[4]
            stream = int.from_bytes(self._received[5:9], "big") & 0x7FFFFFFF
            self._handle(kind, flags, stream, self._received[9:9 + size])
            self._received = self._received[9 + size:]

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == WINDOW_UPDATE:
            self._windows[stream] = self._windows.get(stream, 0) + int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == 4:  # the initial window of streams
                    self._windows[1] += value - _WINDOW
            self._write(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self._write(frame(PING, ACK, 0, payload))
        elif kind in (RST_STREAM, GOAWAY) or (kind == HEADERS and flags & END_STREAM):
            self.ended = True
