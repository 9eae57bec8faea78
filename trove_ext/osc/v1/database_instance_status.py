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

"""``database instance status``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.model import recovery
from trove_ext.osc.base import columns, command
from trove_ext.osc.base.escape import escape
from trove_ext.osc.base.options import add_timeout_option
from trove_ext.workflows.replica.instance_status import InstanceStatus, read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO


#: Requests of one reading, besides those for the other members of a set; the server
#: gets no more than 60 a minute.
REQUESTS = 5
#: What changes with every reading, and is no event.
AGES = frozenset({"backup_age", "fault_age", "heartbeat_age", "volume_used"})


class StatusDatabaseInstance(command.ShowOne):
    """Show all that matters about an instance.

    Its role and replica set, its states, the fault and the heartbeat with their ages,
    the volume, TLS, the newest restorable backup and the quota of backups. What Trove
    does not report is empty.

    With --watch it is read again and again: at a terminal the fields are drawn again,
    elsewhere each change is a line.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "instance", metavar="<instance>", help="Instance to show (name or ID)"
        )
        parser.add_argument(
            "--watch",
            metavar="<seconds>",
            type=_interval,
            help="Read it again after this many seconds, or more if that would be more "
            "than 60 requests a minute, until Ctrl-C or --timeout",
        )
        add_timeout_option(parser, "Stop watching after this many seconds")

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read it once, or again and again; show the last state."""
        if parsed_args.watch is not None and parsed_args.formatter != "table":
            raise UsageError("--watch writes lines, so it needs the format table.")
        deadline = self.cloud.start(parsed_args.timeout)
        status = read_status(self.cloud, parsed_args.instance)
        if parsed_args.watch is None:
            return _laid_out(_fields(status))
        show = _drawing(self.app.stdout)
        while True:
            show(status)
            pause = max(parsed_args.watch, float(REQUESTS + len(status.members)))
            if deadline.remaining <= pause:
                return _laid_out(_fields(status))
            self.cloud.clock.sleep(pause)
            status = read_status(self.cloud, status.instance.id)


def _interval(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def _laid_out(fields: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    return tuple(fields), tuple(fields.values())


def _fields(status: InstanceStatus) -> dict[str, Any]:
    """Lay out a reading, field by field."""
    return {**_role(status), **_health(status), **_backups(status)}


def _role(status: InstanceStatus) -> dict[str, Any]:
    instance, members = status.instance, status.members
    others = [str(each) for each in members if each.id != instance.id]
    return {
        "id": instance.id,
        "name": columns.text(instance.name),
        "role": columns.text(
            recovery.role_of(instance, members) if members else "no role"
        ),
        "replica_set": columns.Shown(others, "\n".join(others) or "-"),
        "status": instance.status,
        "operating_status": columns.text(instance.operating_status),
    }


def _health(status: InstanceStatus) -> dict[str, Any]:
    instance, fault = status.instance, status.instance.fault
    return {
        "fault": columns.text(fault.message if fault else None),
        "fault_age": columns.span(status.age(fault.created if fault else None)),
        "heartbeat_age": columns.span(status.age(instance.heartbeat)),
        "volume_size": columns.number(instance.size),
        "volume_used": columns.number(instance.used),
        "volume_used_percent": columns.number(_rounded(status.used_percent)),
        "restart_pending": columns.yes_no(status.restart_pending),
        "tls_mode": columns.text(status.tls.mode if status.tls else None),
        "tls_days_left": columns.number(status.tls_days_left),
    }


def _backups(status: InstanceStatus) -> dict[str, Any]:
    backup, quota = status.backup, status.quota
    return {
        "backup": columns.text(str(backup) if backup else None),
        "backup_age": columns.span(status.age(backup.updated if backup else None)),
        "backup_chain": columns.number(status.chain_length if backup else None),
        "backup_running": columns.text(str(status.running) if status.running else None),
        "backups_used": columns.number(quota.used if quota else None),
        "backups_limit": columns.number(
            quota.limit if quota and quota.limit >= 0 else None
        ),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _drawing(stream: TextIO) -> Callable[[InstanceStatus], None]:
    """Return what shows a reading: a table again and again, or a line per change."""
    if not stream.isatty():
        return _Changes(stream).show
    try:
        from rich.console import Console
    except ImportError:
        # The clients of 2024.2 and older don't install it.
        return _Changes(stream).show
    console = Console(file=stream, highlight=False, markup=False, emoji=False)

    def draw(status: InstanceStatus) -> None:
        console.clear()
        for name, text in _texts(status).items():
            console.print(f"{name:<20} {text}", soft_wrap=True)

    return draw


class _Changes:
    """Writes a line for each field that has changed since the last reading."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: dict[str, str] = {}

    def show(self, status: InstanceStatus) -> None:
        """Write the changes; everything the first time."""
        now = _texts(status)
        for line in self._lines(status, now):
            self._stream.write(f"{line}\n")
        self._stream.flush()
        self._last = now

    def _lines(self, status: InstanceStatus, now: dict[str, str]) -> Iterator[str]:
        moment = f"{status.now:%Y-%m-%dT%H:%M:%SZ}"
        for name, text in now.items():
            before = self._last.get(name)
            if before is None:
                yield f"{moment} {name}: {text}"
            elif before != text and name not in AGES:
                yield f"{moment} {name}: {before} -> {text}"


def _texts(status: InstanceStatus) -> dict[str, str]:
    """Return each field as text in one line."""
    shown = {
        name: value.human_readable() if isinstance(value, columns.Shown) else value
        for name, value in _fields(status).items()
    }
    return {name: escape(", ".join(text.split("\n"))) for name, text in shown.items()}
