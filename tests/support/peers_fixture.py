#!/usr/bin/env python3
"""The ctest fixture `peers`: one Kafka broker and one PostgreSQL server per ctest run.

`start --env-file F` returns once both accept requests; a supervisor in the background keeps them as
its children and ends with the ctest run that started it. `stop --env-file F` ends it at once.
`F` then holds KAFKA_URL, POSTGRES_URL … as KEY=value lines; tests read it by peers.h or peers/env.py.
"""

import argparse
import os
import pathlib
import select
import shutil
import signal
import sys
import tempfile

from peers import env
from peers.kafka import KafkaBroker
from peers.postgres import PostgresServer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("start", "stop"))
    parser.add_argument("--env-file", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    env_file = arguments.env_file.resolve()
    return _start(env_file) if arguments.action == "start" else _stop(env_file)


def _start(env_file: pathlib.Path) -> int:
    if env_file.exists() and _supervisor_alive(env_file):
        print(f"another ctest run uses the peers of {env_file}; wait for it or end it",
              file=sys.stderr)
        return 1
    env_file.unlink(missing_ok=True)
    watched = os.pidfd_open(os.getppid())  # ctest
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.close(read_end)
        _become_supervisor(env_file, watched, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as report:
        problem = report.read()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    print(env_file.read_text(), end="")
    return 0


def _become_supervisor(env_file: pathlib.Path, watched: int, report_fd: int) -> None:
    """Never returns. Writes to `report_fd` only what went wrong; closing it empty means ready."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # ctest waits until nobody holds a test's output
        os.dup2(null, fd)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    report = os.fdopen(report_fd, "w")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="watershed-peers-"))
    scratch.chmod(0o711)
    kafka = postgres = None
    try:
        logs = env_file.parent
        for log in ("kafka.log", "postgres.log"):
            (logs / log).unlink(missing_ok=True)
        kafka = KafkaBroker(scratch / "kafka", log=logs / "kafka.log")
        postgres = PostgresServer(scratch / "postgres", log=logs / "postgres.log")
        kafka.begin_start()
        postgres.start()
        kafka.finish_start()
        env.write(env_file, kafka, postgres)
        report.close()
        _wait(watched, (kafka, postgres))
    except Exception as error:  # whatever it is, ctest must show it
        if not report.closed:
            report.write(f"the peers did not start: {error}")
    finally:
        for peer in (kafka, postgres):
            if peer is not None:
                peer.kill()
        env_file.unlink(missing_ok=True)
        if not report.closed:
            report.close()
        # Gigabytes of topics take longer than anybody waits for the end, where the disk is busy.
        if os.fork() == 0:
            shutil.rmtree(scratch, ignore_errors=True)
        os._exit(0)


def _wait(watched: int, peers: tuple[KafkaBroker, PostgresServer]) -> None:
    """Until ctest is gone or a peer has died; SIGTERM ends it from outside."""
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    for peer in peers:
        poll.register(os.pidfd_open(peer.pid), select.POLLIN)
    poll.poll()


def _stop(env_file: pathlib.Path) -> int:
    if not env_file.exists():
        print(f"{env_file} is gone: a peer ended before the tests did; see the logs beside it",
              file=sys.stderr)
        return 1
    pid = int(env.read(env_file)["PEERS_PID"])
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    if not poll.poll(30_000):
        print(f"the supervisor of the peers (pid {pid}) did not end within 30 s", file=sys.stderr)
        return 1
    return 0


def _supervisor_alive(env_file: pathlib.Path) -> bool:
    pid = env.read(env_file).get("PEERS_PID", "")
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"peers_fixture.py" in command


if __name__ == "__main__":
    sys.exit(main())
