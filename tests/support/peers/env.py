"""The file by which tests find the peers of the fixture: KEY=value lines."""

import os
import pathlib

from .kafka import KafkaBroker
from .postgres import PostgresServer


def variables(kafka: KafkaBroker, postgres: PostgresServer) -> dict[str, str]:
    """What job files and tests need to reach the peers."""
    return {
        "KAFKA_URL": kafka.url,
        "KAFKA_SASL_URL": f"127.0.0.1:{kafka.sasl_port}",  # SASL_PLAINTEXT, mechanism PLAIN
        "KAFKA_SASL_USER": kafka.SASL_USER,
        "KAFKA_SASL_PASSWORD": kafka.SASL_PASSWORD,
        "POSTGRES_URL": postgres.url,
        "POSTGRES_USER": postgres.USER,
        "POSTGRES_PASSWORD": postgres.PASSWORD,
        "POSTGRES_DB": postgres.DATABASE,
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres.port),
    }


def write(path: pathlib.Path, kafka: KafkaBroker, postgres: PostgresServer) -> None:
    """Complete or absent. The writer's pid is in it too."""
    values = {**variables(kafka, postgres), "PEERS_PID": str(os.getpid())}
    partial = path.with_suffix(".partial")
    partial.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    partial.rename(path)


def read(path: pathlib.Path) -> dict[str, str]:
    """The variables of a file that write() made."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def of_this_run() -> dict[str, str]:
    """The fixture's peers, for tests under ctest (ws_peer_test sets WATERSHED_PEERS_ENV)."""
    path = os.environ.get("WATERSHED_PEERS_ENV", "")
    if not path or not os.path.exists(path):
        raise RuntimeError("no peers: run this test by ctest, whose fixture starts Kafka and "
                           f"PostgreSQL (WATERSHED_PEERS_ENV={path!r})")
    return read(pathlib.Path(path))
