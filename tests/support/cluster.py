"""A real cluster on free loopback ports: one JobManager process and some TaskManager processes."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence

from network import Machine
from peers.ports import free_ports
from peers.process import log_tail, spawn, stop, wait_ready

ENDED = ("FINISHED", "FAILED", "CANCELED")


class Process:
    """One process of the cluster and the ports it bound."""

    def __init__(
        self, name: str, binary: pathlib.Path, directory: pathlib.Path,
        options: Mapping[str, str], cpus: str | None = None, env: Mapping[str, str] | None = None,
        stands_by: bool = False, machine: Machine = Machine(),
    ) -> None:
        """Returns when it listens, but for one that stands by."""
        self.name = name
        self.machine = machine
        self.log = directory / f"{name}.log"
        self._ports_file = directory / f"{name}.ports"
        self._ports_file.unlink(missing_ok=True)
        self.ports: dict[str, int] = {}
        arguments = [f"-D{key}={value}" for key, value in options.items()]
        self._child = spawn([*machine.enter, str(binary), "--ports-file", str(self._ports_file), *arguments], self.log,
                            env={**os.environ, **(env or {})}, cpus=cpus)
        if not stands_by:
            self.wait_listening()

    def wait_listening(self) -> None:
        """Until it has told its ports."""
        wait_ready(self.name, self._child, self.listens, self.log, timeout_s=30)
        self.ports = json.loads(self._ports_file.read_text())

    def listens(self) -> bool:
        """Whether it has told its ports."""
        return self._ports_file.exists()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._child.pid

    def exited(self) -> bool:
        """Whether it has gone by itself."""
        return self._child.poll() is not None

    def end(self, sig: int = signal.SIGTERM) -> int:
        """Stops it; returns its exit code."""
        return stop(self._child, sig)

    def task_threads(self) -> list[str]:
        """The names of its threads that run tasks: the vertex's beginning and the subtask."""
        names = []
        for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            try:
                names.append((thread / "comm").read_text().strip())
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        return [name for name in names if re.search(r"/\d+$", name)]

    def peak_rss_bytes(self) -> int:
        """The most that was resident at once. AssertionError with the log when it has gone."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
        raise AssertionError(f"{self.name} has gone:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of its log, for messages."""
        return f"--- {self.log}\n{log_tail(self.log, 40)}"

    def metrics(self) -> "list[tuple[str, dict[str, str], float]]":
        """What its Prometheus endpoint says just now: (name, labels, value)."""
        return parse_metrics(_get(f"http://{self.machine.address}:{self.ports['metrics']}/metrics"))

    def metric_sum(self, name: str) -> float:
        """The sum over all series of one name."""
        return sum(value for series, _, value in self.metrics() if series == name)


class Cluster:
    """Start with `with`; everything is stopped at its end."""

    def __init__(
        self, binaries: pathlib.Path, directory: pathlib.Path, task_managers: int = 2,
        slots: int = 2, options: Mapping[str, str] | None = None, cpus: str | None = None,
        fixed_ports: bool = False, standbys: int = 0,
        variables: Callable[[str], Mapping[str, str]] = lambda name: {},
        machines: Callable[[str], Machine] = lambda name: Machine(),
    ) -> None:
        """By the names of processes: more of their environment, and the machines that they are on."""
        directory.mkdir(parents=True, exist_ok=True)
        self._binaries = binaries
        self._directory = directory
        self._count = task_managers
        self._slots = slots
        self._options = dict(options or {})
        self._cpus = cpus
        self._fixed_ports = fixed_ports
        self._variables = variables
        self._machines = machines
        self._stopped_logs: list[pathlib.Path] = []
        self.job_manager: Process | None = None  # that leads, as far as was looked
        self.standbys: list[Process] = []
        self._job_manager_ports = free_ports(1 + standbys) if standbys else []
        self._job_managers_started = 0
        self.task_managers: list[Process] = []
        self._task_managers_started = 0

    def __enter__(self) -> "Cluster":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when every TaskManager has registered."""
        if self._job_manager_ports:
            self.job_manager = self._start_one_of_several(self._job_manager_ports[0], stands_by=False)
            for port in self._job_manager_ports[1:]:
                self.standbys.append(self._start_one_of_several(port, stands_by=True))
        else:
            self._start_job_manager({} if self._fixed_ports else {
                "jobmanager.rpc.port": "0", "rest.port": "0", "metrics.reporter.prom.port": "0"})
        for _ in range(self._count):
            self.add_task_manager()

    def kill_job_manager(self, env: Mapping[str, str] | None = None) -> None:
        """kill -9, then another one on the same ports and the same store, with these variables."""
        assert self.job_manager is not None
        ports = self.job_manager.ports
        self.job_manager.end(signal.SIGKILL)
        self._start_job_manager({"jobmanager.rpc.port": str(ports["rpc"]),
                                 "rest.port": str(ports["rest"]),
                                 "metrics.reporter.prom.port": str(ports["metrics"])}, env)

    def _start_one_of_several(self, port: int, stands_by: bool,
                              env: Mapping[str, str] | None = None) -> Process:
        self._job_managers_started += 1
        name = f"jobmanager-{self._job_managers_started}"
        return Process(
            name, self._binaries / "jobmanager", self._directory,
            {"high-availability.storageDir": f"file://{self._directory}/store",
             "jobmanager.rpc.port": str(port), "rest.port": "0", "metrics.reporter.prom.port": "0",
             **self._options}, self._cpus, {**self._variables(name), **(env or {})}, stands_by=stands_by)

    def await_takeover(self, timeout_s: float = 30) -> Process:
        """Until one that stood by listens, and leads from then on. Returns the former leader."""
        former = self.job_manager
        assert former is not None
        self.wait(lambda: any(each.listens() for each in self.standbys), "another JobManager to lead",
                  timeout_s, lambda: "\n".join(each.log_tail() for each in self.standbys))
        self.job_manager = next(each for each in self.standbys if each.listens())
        self.standbys.remove(self.job_manager)
        self.job_manager.wait_listening()
        return former

    def replace_job_manager(self, gone: Process, env: Mapping[str, str] | None = None) -> Process:
        """Another process for one of several that has ended, which stands by."""
        assert gone.exited()
        self.standbys.append(self._start_one_of_several(gone.ports["rpc"], stands_by=True, env=env))
        return self.standbys[-1]

    def kill_task_manager(self, task_manager: Process,
                          env: Mapping[str, str] | None = None) -> Process:
        """kill -9, and another one in its place, which is not waited for to register."""
        task_manager.end(signal.SIGKILL)
        self.task_managers.remove(task_manager)
        return self._start_task_manager(env)

    def remove_task_manager(self, task_manager: Process) -> None:
        """kill -9, and none in its place."""
        task_manager.end(signal.SIGKILL)
        self.task_managers.remove(task_manager)

    def _start_job_manager(self, ports: Mapping[str, str],
                           env: Mapping[str, str] | None = None) -> None:
        machine = self._machines("jobmanager")
        self.job_manager = Process(
            "jobmanager", self._binaries / "jobmanager", self._directory,
            {"high-availability.storageDir": f"file://{self._directory}/store", **ports, **machine.options(
                "jobmanager.bind-host", "jobmanager.rpc.address", "rest.bind-address",
                "metrics.reporter.prom.bind-host"), **self._options},
            self._cpus, {**self._variables("jobmanager"), **(env or {})}, machine=machine)

    def add_task_manager(self) -> Process:
        """One more TaskManager; returns when it has registered."""
        task_manager = self._start_task_manager()
        alive = sum(not each.exited() for each in self.task_managers)
        self.wait(lambda: self.rest("/overview")["taskmanagers"] >= alive,
                  f"{task_manager.name} to register", 30)
        return task_manager

    def _start_task_manager(self, env: Mapping[str, str] | None = None) -> Process:
        assert self.job_manager is not None
        self._task_managers_started += 1
        name = f"taskmanager-{self._task_managers_started}"
        temporary = self._directory / f"{name}.tmp"
        temporary.mkdir(exist_ok=True)
        ports = {} if self._fixed_ports else {"metrics.reporter.prom.port": "0"}
        machine = self._machines(name)
        task_manager = Process(
            name, self._binaries / "taskmanager", self._directory,
            {**self._way_to_job_managers(), "taskmanager.numberOfTaskSlots": str(self._slots),
             "io.tmp.dirs": str(temporary), **ports, **machine.options(
                 "taskmanager.bind-host", "taskmanager.host", "metrics.reporter.prom.bind-host"), **self._options},
            self._cpus, {**self._variables(name), **(env or {})}, machine=machine)
        self.task_managers.append(task_manager)
        return task_manager

    def _way_to_job_managers(self) -> dict[str, str]:
        if self._job_manager_ports:
            return {"jobmanager.rpc.addresses": self._addresses()}
        assert self.job_manager is not None
        return {"jobmanager.rpc.address": self.job_manager.machine.address,
                "jobmanager.rpc.port": str(self.job_manager.ports["rpc"])}

    def _addresses(self) -> str:
        """Of all JobManagers."""
        assert self.job_manager is not None
        ports = self._job_manager_ports or [self.job_manager.ports["rpc"]]
        return ",".join(f"{self.job_manager.machine.address}:{port}" for port in ports)

    def stop(self) -> None:
        """TaskManagers first, so that they do not complain."""
        for process in [*self.task_managers, *self.standbys, self.job_manager]:
            if process is not None:
                process.end()

    def rest(self, path: str) -> dict:
        """GET of the JobManager's REST API."""
        return json.loads(_get(f"{self._rest()}{path}"))

    def _rest(self) -> str:
        assert self.job_manager is not None
        return f"http://{self.job_manager.machine.address}:{self.job_manager.ports['rest']}"

    def rest_call(self, method: str, path: str, body: str = "") -> tuple[int, dict]:
        """Any request of the REST API: the status and what it says, also when that is an error."""
        request = urllib.request.Request(
            f"{self._rest()}{path}", body.encode() or None,
            method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def wsctl(
        self, *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess:
        """Runs wsctl against this cluster; never raises for its exit code."""
        return subprocess.run(
            [str(self._binaries / "wsctl"), *arguments], capture_output=True, text=True,
            env={**os.environ, "WSCTL_JOBMANAGER": self._addresses(), **(env or {})}, timeout=timeout_s,
            check=False)

    def submit(
        self, job_file: pathlib.Path, env: Mapping[str, str], parallelism: int | None = None,
        restore: str | None = None, *options: str,
    ) -> str:
        """Submits a job file, to begin from a checkpoint; its 32-digit id. AssertionError with wsctl's
        words otherwise."""
        arguments = ["submit", str(job_file)]
        if parallelism is not None:
            arguments += ["-p", str(parallelism)]
        if restore is not None:
            arguments += ["-s", restore]
        arguments += options
        done = self.wsctl(*arguments, env=env)
        match = re.search(r"Job has been submitted with JobID ([0-9a-f]{32})", done.stdout)
        assert done.returncode == 0 and match, f"submit: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return match[1]

    def job(self, job_id: str) -> dict:
        """`wsctl get -o json`."""
        done = self.wsctl("get", job_id, "-o", "json")
        assert done.returncode == 0, f"get: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def checkpoints(self, job_id: str) -> dict:
        """Their counts: completed, failed, in_progress, restored, total."""
        return self.rest(f"/jobs/{job_id}/checkpoints")["counts"]

    def wait_checkpoints(self, job_id: str, more: int, how: str = "completed") -> None:
        """Until so many more have been completed, or failed."""
        before = self.checkpoints(job_id)[how]
        self.wait(lambda: self.checkpoints(job_id)[how] >= before + more,
                  f"{more} checkpoints {how}", 30,
                  lambda: f"{self.rest(f'/jobs/{job_id}/checkpoints')['latest']}")

    def restored_checkpoint(self, job_id: str) -> int:
        """The one that the running attempt began with; 0: none, or this JobManager does not know it."""
        restored = self.rest(f"/jobs/{job_id}/checkpoints")["latest"]["restored"]
        return restored["id"] if restored else 0

    def state(self, job_id: str) -> str:
        """RUNNING, FINISHED, …"""
        return self.rest(f"/jobs/{job_id}")["state"]

    def wait_state(self, job_id: str, wanted: Sequence[str], timeout_s: float = 60) -> str:
        """Returns the first of the wanted states that is seen. AssertionError when the job ends in
        another one, or time runs out."""
        state = ""

        def reached() -> bool:
            nonlocal state
            state = self.state(job_id)
            if state not in wanted and state in ENDED:
                raise AssertionError(f"job is {state}, not {wanted}:\n"
                                     f"{self.wsctl('get', job_id).stdout}\n{self.logs()}")
            return state in wanted

        self.wait(reached, f"job {job_id} to be {' or '.join(wanted)}", timeout_s,
                  lambda: f"state {state}\n{self.wsctl('get', job_id).stdout}")
        return state

    def wait(self, condition, what: str, timeout_s: float, describe=lambda: "") -> None:
        """Asks until the condition holds. AssertionError with the logs when time runs out."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"waited {timeout_s:.0f} s for {what}; {describe()}\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """The ends of all logs, for messages."""
        processes = [self.job_manager, *self.task_managers]
        return "\n".join(process.log_tail() for process in processes if process is not None)


_SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)')
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


def parse_metrics(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Prometheus' text format."""
    found = []
    for line in text.splitlines():
        if match := _SAMPLE.match(line):
            found.append((match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])))
    return found


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()
