#!/usr/bin/env python3
"""A broker or a database of a test's own, to be stopped and started: `run_peer.py kafka|postgres`.

Commands on standard input, one a line: start, stop (orderly), kill, exit. Each is answered by one
line, `ok` or `error TEXT`. The first line printed is the address: host:port for Kafka, a URL
for PostgreSQL (user watershed, password postgres-secret). The end of the input ends all of it.
"""

import pathlib
import shutil
import sys
import tempfile

from peers.kafka import KafkaBroker
from peers.postgres import PostgresServer


def main() -> int:
    kinds = {"kafka": KafkaBroker, "postgres": PostgresServer}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        print(__doc__, file=sys.stderr)
        return 2
    scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"watershed-{sys.argv[1]}-"))
    scratch.chmod(0o711)
    try:
        peer = kinds[sys.argv[1]](scratch / "peer")
        print(peer.url, flush=True)
        _serve(peer)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _serve(peer: KafkaBroker | PostgresServer) -> None:
    actions = {"start": peer.start, "stop": peer.stop, "kill": peer.kill}
    try:
        for line in sys.stdin:
            command = line.strip()
            if command == "exit":
                break
            try:
                actions[command]()
                print("ok", flush=True)
            except Exception as error:  # told to the test, which knows what it means
                print(f"error {error!r}", flush=True)
    finally:
        peer.kill()


if __name__ == "__main__":
    sys.exit(main())
