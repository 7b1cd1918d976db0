"""One real PostgreSQL 15 server in a private data directory, for tests and the demo."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
from collections.abc import Iterator

from .ports import free_ports
from .process import PeerError, log_tail, spawn, stop, wait_ready

_BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
_SYSTEM_USER = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this user


class PostgresServer:
    """A server whose port and data stay the same across stop and start.

    Passwords are checked (scram-sha-256). `directory` must not exist below a directory that other
    users cannot enter; the caller removes it.
    """

    USER = "watershed"
    PASSWORD = "postgres-secret"
    DATABASE = "watershed"

    def __init__(
        self, directory: pathlib.Path, port: int | None = None, log: pathlib.Path | None = None,
        others_host: str | None = None,
    ) -> None:
        """`others_host`: an address at which it listens, too."""
        if not (_BINARIES / "postgres").exists():
            raise FileNotFoundError(f"PostgreSQL 15 is not in {_BINARIES}: run ./dev setup")
        directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_ports(1)[0]
        self._directory = directory
        self._data = directory / "data"
        self.log = log or directory / "postgres.log"
        self._others_host = others_host
        self._process: subprocess.Popen | None = None
        # A change of user clears the parent-death signal, so setpriv sets it again after its own.
        self._as_user = ["setpriv", f"--reuid={_SYSTEM_USER}", f"--regid={_SYSTEM_USER}",
                         "--init-groups", "--pdeathsig=SIGQUIT", "--"] if os.geteuid() == 0 else []

    @property
    def url(self) -> str:
        """postgresql://host:port/database, without user and password."""
        return f"postgresql://127.0.0.1:{self.port}/{self.DATABASE}"

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns once the server accepts connections. PeerError when it does not start."""
        first = not self._data.exists()
        if first:
            self._initdb()
        self._process = spawn(
            [*self._as_user, str(_BINARIES / "postgres"), "-D", str(self._data), "-p",
             str(self.port), "-c", f"listen_addresses={','.join(self._addresses())}", "-c",
             "unix_socket_directories=", "-c", "max_connections=400", "-c", "log_min_messages=warning"], self.log)
        wait_ready("PostgreSQL", self._process, self._accepts, self.log)
        if first:
            self.psql(f"CREATE DATABASE {self.DATABASE}", database="postgres")

    def exited(self) -> bool:
        """Whether a started server has gone by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, data stays."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """An immediate shutdown, as after a crash: the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def psql(self, sql: str, database: str | None = None) -> list[list[str]]:
        """Runs statements and returns the rows of the last one, as text."""
        return query(self.connection_env(database), sql)

    def connection_env(self, database: str | None = None) -> dict[str, str]:
        """libpq's environment variables for this server."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": self.USER,
                "PGPASSWORD": self.PASSWORD, "PGDATABASE": database or self.DATABASE}

    def _initdb(self) -> None:
        self._data.mkdir()
        password = self._directory / "password"
        password.write_text(self.PASSWORD)
        if self._as_user:
            self._directory.chmod(0o711)
            for path in (self._data, password):
                shutil.chown(path, _SYSTEM_USER, _SYSTEM_USER)
        with open(self.log, "ab") as out:
            code = subprocess.run(
                [*self._as_user, str(_BINARIES / "initdb"), "-D", str(self._data), "--no-sync",
                 "-U", self.USER, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8",
                 "--locale=C.UTF-8"], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, cwd="/", check=False).returncode
        if code:
            raise PeerError(f"initdb failed:\n{log_tail(self.log)}")
        if self._others_host:
            with open(self._data / "pg_hba.conf", "a", encoding="utf-8") as rules:
                rules.write("host all all all scram-sha-256\n")

    def _addresses(self) -> list[str]:
        return ["127.0.0.1", *([self._others_host] if self._others_host else [])]

    def _accepts(self) -> bool:
        return subprocess.run(
            [str(_BINARIES / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False).returncode == 0

    def _end(self, sig: int) -> None:
        if self._process is not None:
            stop(self._process, sig)
            self._process = None


_PSQL = (str(_BINARIES / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-P", "null=\\N",
         "-F", "\x1f")


def query(connection_env: dict[str, str], sql: str) -> list[list[str]]:
    """psql with libpq's environment variables; NULL reads as \\N. RuntimeError with psql's words."""
    done = subprocess.run([*_PSQL, "-c", sql], env={**os.environ, **connection_env},
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"psql: {done.stderr.strip()}\n{sql}")
    return [line.split("\x1f") for line in done.stdout.splitlines() if line]


@contextlib.contextmanager
def transaction(connection_env: dict[str, str], sql: str) -> Iterator[None]:
    """One that has run the statements and stays open until the end of `with`, where it is rolled back."""
    with subprocess.Popen([*_PSQL], env={**os.environ, **connection_env}, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as session:
        assert session.stdin is not None and session.stdout is not None
        session.stdin.write(f"BEGIN;\n{sql};\n\\echo begun\n")
        session.stdin.flush()
        for line in session.stdout:
            if line == "begun\n":
                break
        else:
            raise RuntimeError(f"psql ended: {sql}")
        yield
        session.stdin.close()
