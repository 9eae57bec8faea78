# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Injected faults, as small files that stand-ins and agents read.

A file ``faults/<point>`` applies everywhere, ``faults/<point>@<instance>`` to one
instance alone. The file says what happens: ``error TEXT``, ``sleep SECONDS`` or
``hang``; with ``once`` before it the file is removed after the first use. They are
files because the command that sets a fault and the process that it applies to share
nothing else.
"""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

POINTS = {
    "backup": "a backup fails in the guest",
    "restore": "a restore fails in the guest",
    "create": "Nova refuses to make a server",
    "create-hang": "Nova never finishes making a server",
    "promote-candidate": "the replica that is promoted can't catch up",
    "attach-replica": "another replica can't attach to the new source",
    "tls": "a change of TLS fails in the guest",
    "archive": "a PostgreSQL's archiver fails, which its status does not show",
    "recovery": "a PostgreSQL fetches each archived WAL segment late (--sleep)",
    "backup-delete": "Swift or Cinder refuses to delete the data of a backup",
    "quoted-etag": "Swift has ETags in quotes, so no backup can be registered",
    "slow-api": "Trove's API handles requests late",
    "slow-answer": "Trove's API handles a request at once and responds late",
}

# Nothing waits that long; clearing the fault ends it.
_HANG = "hang"
_POLL_SECONDS = 0.5


class FaultInjected(Exception):  # noqa: N818 - it is no error of this program
    """An injected fault; its text is shown to the user."""


class UnknownFaultError(ValueError):
    """The text of a fault file is not a known action."""


@dataclass(frozen=True)
class Fault:
    """The content of one fault file."""

    point: str
    action: str
    """``error``, ``sleep`` or ``hang``."""
    argument: str = ""
    """The text of an error, the seconds of a sleep."""
    instance_id: str | None = None
    once: bool = False

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.point}@{self.instance_id}" if self.instance_id else self.point

    @property
    def text(self) -> str:
        """The content of its file."""
        words = ["once"] if self.once else []
        return " ".join([*words, self.action, self.argument]).strip()


def parse(name: str, text: str) -> Fault:
    """Parse a fault file called *name* with content *text*.

    Raises UnknownFaultError if the text is not a known action.
    """
    point, _, instance_id = name.partition("@")
    first, _, rest = text.strip().partition(" ")
    once = first == "once"
    action, _, argument = rest.partition(" ") if once else (first, "", rest)
    if action not in {"error", "sleep", _HANG}:
        raise UnknownFaultError(f"Fault {name!r} has no known action: {text!r}")
    return Fault(point, action, argument.strip(), instance_id or None, once)


class Faults:
    """The faults of one sandbox, kept under its state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._faults = state_dir / "faults"
        self._power = state_dir / "power"

    def set(self, fault: Fault) -> None:
        """Activate *fault* from now on."""
        self._faults.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._faults / fault.name).write_text(fault.text + "\n")

    def list(self) -> list[Fault]:
        """All faults that are set, in the order of their names."""
        if not self._faults.is_dir():
            return []
        return [parse(f.name, f.read_text()) for f in sorted(self._faults.iterdir())]

    def clear(self, point: str | None = None) -> int:
        """Clear the faults at *point*, or all, and return how many there were.

        A point with its target, as in ``backup@ID``, clears only that one.
        """
        gone = [f for f in self.list() if point in {None, f.point, f.name}]
        for fault in gone:
            (self._faults / fault.name).unlink(missing_ok=True)
        return len(gone)

    def find(self, point: str, instance_id: str | None = None) -> Fault | None:
        """Return the fault that applies; one for the instance takes precedence."""
        names = [f"{point}@{instance_id}", point] if instance_id else [point]
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                return parse(name, (self._faults / name).read_text())
        return None

    def hit(self, point: str, instance_id: str | None = None) -> None:
        """Fail or wait as the fault at this point says, if one is set.

        Raises FaultInjected with the text of the fault, or sleeps; ``hang`` sleeps
        until the fault is cleared. Trove's process has time.sleep made cooperative.
        """
        fault = self.find(point, instance_id)
        if fault is None:
            return
        if fault.once:
            (self._faults / fault.name).unlink(missing_ok=True)
        if fault.action == "error":
            raise FaultInjected(fault.argument)
        if fault.action == "sleep":
            time.sleep(float(fault.argument))
            return
        self._hang(point, instance_id)

    def _hang(self, point: str, instance_id: str | None) -> None:
        while True:
            time.sleep(_POLL_SECONDS)
            fault = self.find(point, instance_id)
            if fault is None or fault.action != _HANG:
                return

    def is_off(self, instance_id: str) -> bool:
        """Whether the host of this instance has been switched off."""
        return (self._power / f"off@{instance_id}").exists()

    def power_off(self, instance_id: str) -> None:
        """Mark the host of this instance as off."""
        self._power.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._power / f"off@{instance_id}").touch()

    def power_on(self, instance_id: str) -> None:
        """Mark the host of this instance as on again."""
        (self._power / f"off@{instance_id}").unlink(missing_ok=True)
