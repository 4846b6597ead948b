"""One course: all attacks in turn on the same servers, and a restart at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench.servers import ROOT
from tests.longrun.hostile import after
from tests.longrun.hostile.attack import Attack
from tests.longrun.hostile.peers import USE_TLS
from tests.longrun.hostile.servers import Servers
from tests.longrun.hostile.verdict import TRIES, Outcome, measure
from tests.longrun.hostile.watch import Bystander, Child, Memory, Probes
from tests.tls.authority import Authority

#: Seconds after an attack in which its consequences count: writes of tables, say.
#: After an attack shortened to a second it is as long.
AFTERWARDS = 1.5
#: An attacker that does not end by itself is ended so many seconds after its time.
PATIENCE = 60.0


def _with_tls(folder: Path) -> list[str]:
    """Make a certificate; return the options of servers that accept TLS, too."""
    certificate, key = Authority(str(folder / "tls")).issue()
    return ["--tls-cert", certificate, "--tls-key", key]


class Course:
    """
    Servers, and those who watch them.

    :param programs: ``together`` in one process, ``apart`` in two, or ``tls``:
        together, and the attackers use TLS.
    """

    def __init__(self, folder: Path, programs: str) -> None:
        self._folder = folder
        self._programs = {"together": "one", "apart": "two"}.get(programs, programs)
        self._uses_tls = programs == "tls"
        options = _with_tls(folder) if self._uses_tls else []
        self.servers = Servers(folder, programs != "apart", *options)
        # The same program as one of those under attack; nobody knows its port.
        self._control = Servers(folder / "control", together=True)
        self._ledger = folder / "ledger"
        self._memory = Memory(self.servers)

    def run(
        self, attacks: Iterable[Attack], report: Callable[[Outcome], None]
    ) -> list[str]:
        """
        Attack, restart, and compare.

        :param report: called with the outcome of each attack.
        :returns: what was lost after the restarts.
        """
        errors = self._folder / "watchers.log"
        watchers: list[Child] = []
        try:
            self.servers.start()
            self._control.start()
            self._memory.start()
            bystander = Bystander(self.servers.names, self._ledger, errors)
            watchers.append(bystander)
            assert bystander.wait_for(10, 60), errors.read_text()[-2000:]
            probes = self._probes(errors)
            watchers.append(probes)
            for each in attacks:
                for _ in range(TRIES):
                    outcome = self._one(each, probes, bystander)
                    if not outcome.is_slow:
                        break
                report(outcome)
            return after.check(self.servers, bystander, self._ledger)
        finally:
            self._memory.end()
            for watcher in watchers:
                watcher.end()
            self.servers.end(signal.SIGKILL)
            self._control.end(signal.SIGKILL)

    def _probes(self, errors: Path) -> Probes:
        """Probe the broker, the name server, and the control."""
        first, last = self.servers.programs[0].pid, self.servers.programs[-1].pid
        ports = {self.servers.broker: last, self.servers.names: first}
        ports[self._control.broker] = self._control.programs[0].pid
        return Probes(ports, errors)

    def _one(self, attack: Attack, probes: Probes, bystander: Bystander) -> Outcome:
        """Run one attack and look at what it did."""
        before, logs = dict(bystander.seen), self.servers.logs()
        counts = {port: len(waits) for port, waits in probes.waits.items()}
        used, begin = self._memory.reset(), time.monotonic()
        said = self._attack(attack)
        time.sleep(min(AFTERWARDS, attack.seconds))
        faults = [] if bystander.wait_for(20) else ["the bystander misses messages"]
        faults += self._state()
        time.sleep(0.1)  # until the probe's last waits are written
        waits = {port: all_[counts[port] :] for port, all_ in probes.waits.items()}
        control = waits[self._control.broker]
        seen = {
            key: bystander.seen[key] - before.get(key, 0)
            for key in ("acknowledged", "out_of_order", "repeated", "failed")
        }
        outcome = Outcome(
            name=attack.name,
            programs=self._programs,
            seconds=time.monotonic() - begin,
            broker=measure(waits[self.servers.broker], control),
            names=measure(waits[self.servers.names], control),
            control=measure(control, []),
            growth=(self._memory.most - used) / (1 << 20),
            logged=self.servers.logged_since(logs),
            seen=seen | {"lost": max(0, bystander.seen["missing"] - 4)},
            said=said,
            faults=faults,
        )
        outcome.judge(attack)
        return outcome

    def _state(self) -> list[str]:
        """Look whether the servers run, and the route is there."""
        if not all(program.is_running() for program in self.servers.programs):
            return ["a server has ended"]
        return after.missing_route(self.servers)

    def _attack(self, attack: Attack) -> str:
        """Run the attack in its own process; return its last line."""
        module = "tests.longrun.hostile.attacker"
        target = [str(self.servers.broker), str(self.servers.names)]
        words = [attack.name, *target, str(attack.seconds)]
        environment = {**os.environ, **({USE_TLS: "1"} if self._uses_tls else {})}
        with (self._folder / "attackers.log").open("ab") as errors:
            attacker = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            said, _ = attacker.communicate(timeout=attack.seconds + PATIENCE)
        except subprocess.TimeoutExpired:
            attacker.kill()
            attacker.communicate()
            return "did not end"
        last = (said.strip().splitlines() or [""])[-1]
        return last if attacker.returncode in (0, 3) else f"broken attack: {last}"
