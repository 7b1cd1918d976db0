"""Who holds a TCP port on this machine, from /proc."""

import os
import pathlib
import socket

_LISTEN = "0A"


def is_free(port: int) -> bool:
    """Whether a server could bind it on loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """"process 4711 (java)", or that it could not be found out (another user's process)."""
    inodes = _listening_inodes(port)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and _sockets_of(entry) & inodes:
            name = (entry / "comm").read_text().strip()
            return f"process {entry.name} ({name})"
    return "a process of another user (run as root to see which)"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _sockets_of(process: pathlib.Path) -> set[str]:
    try:
        return {os.readlink(fd) for fd in (process / "fd").iterdir()}
    except OSError:  # gone meanwhile, or not ours to see
        return set()
