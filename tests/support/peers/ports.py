"""Free TCP ports on loopback."""

import random
import socket

# Below Linux's ephemeral range (32768…), so that no outgoing connection takes a port between our
# choosing it and the server's binding it.
_FIRST, _LAST = 15000, 32000


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 that nothing listens on just now."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(_FIRST, _LAST)
        if port in found:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found
