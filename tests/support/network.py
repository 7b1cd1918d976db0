"""Machines of one test, each with an address of its own, and a router between them that can drop what one sends to
another: network namespaces. Needs the right to make them."""

import contextlib
import dataclasses
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator, Mapping

_GATEWAY = "169.254.1.1"
_PREFERENCE = "100"  # of the router's rules, before its routes


@dataclasses.dataclass(frozen=True)
class Machine:
    """Where processes run: without a namespace, on loopback like everybody."""

    address: str = "127.0.0.1"
    namespace: str = ""

    @property
    def enter(self) -> list[str]:
        """Before a command."""
        return ["ip", "netns", "exec", self.namespace] if self.namespace else []

    def options(self, *names: str) -> Mapping[str, str]:
        """These set to its address; none on loopback, which is the default of all."""
        return dict.fromkeys(names, self.address) if self.namespace else {}


class Network:
    """From `open` to `close`. The test itself and its peers stay where they are: they have addresses here, too."""

    def __init__(self) -> None:
        pid = os.getpid()
        self._name = f"ws{pid}"
        self._router = f"{self._name}-router"
        self._block = f"10.{64 + (pid >> 8) % 64}.{pid % 256}"  # /24
        self._namespaces: list[str] = []
        self._machines: dict[str, Machine] = {}
        self._addresses = 0

    @staticmethod
    def works() -> bool:
        """Whether namespaces can be made here."""
        return pathlib.Path("/usr/sbin/ip").exists() and subprocess.run(
            ["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0

    def open(self) -> "Network":
        """Makes the router."""
        _remove_what_the_dead_left()
        try:
            self._add_namespace(self._router)
            _ip("-n", self._router, "addr", "add", f"{_GATEWAY}/32", "dev", "lo")
            _run("ip", "netns", "exec", self._router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
            self._plug("", self._name)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Removes all of it. The ends of a namespace's wires go with it."""
        for namespace in self._namespaces:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
        self._namespaces.clear()

    def address(self) -> str:
        """A new one of the test's own, for a peer to listen at."""
        address = self._new_address()
        _ip("addr", "add", f"{address}/32", "dev", self._name)
        _ip("-n", self._router, "route", "add", f"{address}/32", "dev", self._name)
        return address

    def machine(self, name: str) -> Machine:
        """Of that name; a new one at first."""
        if name not in self._machines:
            number = len(self._machines)
            machine = Machine(self._new_address(), f"{self._name}-{number}")
            self._add_namespace(machine.namespace)
            wire = f"{self._name}.{number}"
            self._plug(machine.namespace, wire)
            _ip("-n", machine.namespace, "addr", "add", f"{machine.address}/32", "dev", wire)
            _ip("-n", machine.namespace, "route", "add", "default", "via", _GATEWAY, "dev", wire, "onlink")
            _ip("-n", self._router, "route", "add", f"{machine.address}/32", "dev", wire)
            self._machines[name] = machine
        return self._machines[name]

    @contextlib.contextmanager
    def cut(self, *ways: tuple[str, str]) -> Iterator[None]:
        """Nothing arrives meanwhile that goes from one address to another."""
        rules = [("from", sender, "to", receiver, "pref", _PREFERENCE, "blackhole") for sender, receiver in ways]
        for rule in rules:
            _ip("-n", self._router, "rule", "add", *rule)
        try:
            yield
        finally:
            for rule in rules:
                _ip("-n", self._router, "rule", "del", *rule)

    def _new_address(self) -> str:
        self._addresses += 1
        return f"{self._block}.{self._addresses}"

    def _add_namespace(self, namespace: str) -> None:
        _ip("netns", "add", namespace)
        self._namespaces.append(namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")

    def _plug(self, namespace: str, wire: str) -> None:
        """A wire between it and the router, of the same name at both ends; without a name: to the test itself."""
        end = f"{wire}-r"
        where = ("-n", namespace) if namespace else ()
        _ip("-n", self._router, "link", "add", wire, "type", "veth", "peer", "name", end)
        _ip("-n", self._router, "link", "set", end, "netns", namespace or str(os.getpid()))
        _ip(*where, "link", "set", end, "name", wire)
        _ip(*where, "link", "set", wire, "up")
        _ip("-n", self._router, "link", "set", wire, "up")
        if not namespace:
            address = self._new_address()
            _ip("addr", "add", f"{address}/32", "dev", wire)
            _ip("-n", self._router, "route", "add", f"{address}/32", "dev", wire)
            _ip("route", "add", f"{self._block}.0/24", "via", _GATEWAY, "dev", wire, "onlink", "src", address)


def _remove_what_the_dead_left() -> None:
    """Namespaces of processes that were killed."""
    for namespace in pathlib.Path("/run/netns").glob("ws*-*"):
        owner = re.fullmatch(r"ws(\d+)-\w+", namespace.name)
        if owner and not pathlib.Path(f"/proc/{owner[1]}").exists():
            subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
