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

"""``database backup wait`` and ``database instance wait``."""

from __future__ import annotations

import abc
import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from oslo_utils import uuidutils

from trove_ext.exceptions import AmbiguousNameError, NotFoundError, TroveExtError
from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.osc.base import columns, command
from trove_ext.osc.base.options import add_timeout_option
from trove_ext.trove import conditions, find, wait_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from trove_ext.polling import Outcome, Target
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.find import Finder

T = TypeVar("T", Backup, Instance)

COLUMNS = ("ID", "Name", "Status")
REPLICA_OF = "replica-of="


class _Wait(command.Lister):
    """The base of both commands.

    :cvar noun: what is waited for; the name of the positional, too
    """

    noun: ClassVar[str]

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            self.noun,
            metavar=f"<{self.noun}>",
            nargs="+",
            help=f"{self.noun.capitalize()} to wait for (name or ID); several are "
            "polled together",
        )
        self.add_goal(parser)
        add_timeout_option(parser)

    @abc.abstractmethod
    def add_goal(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--for``, which sets ``goal``."""

    def wait_for(
        self,
        parsed_args: argparse.Namespace,
        find: Callable[[str], T],
        make: Callable[[T], Target],
    ) -> columns.Table:
        """Wait for all of them together; return a row for each that still exists."""
        deadline = self.cloud.start(parsed_args.timeout)
        gone = parsed_args.goal == "deleted"
        targets: list[Target] = []
        there: list[T] = []
        names = getattr(parsed_args, self.noun)
        unknown: list[TroveExtError] = []
        for name in names:
            try:
                found = _find_or_gone(find, name, gone=gone)
            except (NotFoundError, AmbiguousNameError) as exc:
                unknown.append(exc)
                continue
            if found is None:
                note = f"{self.noun.capitalize()} {name} is deleted."
                self.cloud.progress.note(note)
                continue
            if found.id not in {other.id for other in there}:
                targets.append(make(found))
                there.append(found)
        waited = self.cloud.wait(targets, deadline) if targets else []
        self.fail(
            wait_report.with_others(wait_report.error_of(waited), unknown, len(names))
        )
        return columns.table(COLUMNS, zip(there, waited, strict=True), _cells)


class WaitDatabaseBackup(_Wait):
    """Wait until backups are completed or deleted.

    A backup that fails is reported with the fault of its instance, where Trove keeps
    the reason.
    """

    noun = "backup"

    def add_goal(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--for``."""
        parser.add_argument(
            "--for",
            dest="goal",
            metavar="<goal>",
            choices=("completed", "deleted"),
            default="completed",
            help="What to wait for: completed or deleted (default: completed)",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Wait for all of them together."""
        gone = parsed_args.goal == "deleted"
        make = partial(
            conditions.backup_gone if gone else conditions.backup_completed, self.cloud
        )
        return self.wait_for(parsed_args, find.backups(self.cloud).find, make)


class WaitDatabaseInstance(_Wait):
    """Wait until instances are settled, deleted, or have a role.

    Settled means status ACTIVE (or RESTART_REQUIRED) and operating status HEALTHY. A
    role counts once the instance is settled in it.
    """

    noun = "instance"

    def add_goal(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--for``."""
        parser.add_argument(
            "--for",
            dest="goal",
            metavar="<goal>",
            type=_goal,
            default="settled",
            help="What to wait for: settled, deleted, source, detached or "
            "replica-of=<source> (default: settled)",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Wait for all of them together."""
        finder = find.instances(self.cloud)
        make = _target_of(self.cloud, parsed_args.goal, finder)
        return self.wait_for(parsed_args, finder.find, make)


def _target_of(
    cloud: Cloud, goal: str, finder: Finder[Instance]
) -> Callable[[Instance], Target]:
    """Return what makes the target for a goal of ``instance wait``."""
    if goal.startswith(REPLICA_OF):
        source = finder.find(goal.removeprefix(REPLICA_OF))
        return lambda instance: conditions.is_replica_of(
            cloud, instance, source.id, None
        )
    return {
        "settled": partial(conditions.settled, cloud, patience=None),
        "deleted": partial(conditions.instance_gone, cloud),
        "source": partial(conditions.is_source, cloud, patience=None),
        "detached": partial(conditions.is_detached, cloud, patience=None),
    }[goal]


def _cells(waited: tuple[Backup | Instance, Outcome]) -> dict[str, Any]:
    found, outcome = waited
    return {
        "ID": found.id,
        "Name": columns.text(found.name),
        "Status": outcome.state,
    }


def _goal(text: str) -> str:
    if text in {"settled", "deleted", "source", "detached"}:
        return text
    if text.startswith(REPLICA_OF) and len(text) > len(REPLICA_OF):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is none of settled, deleted, source, detached, replica-of=<source>"
    )


def _find_or_gone(find: Callable[[str], T], name: str, *, gone: bool) -> T | None:
    """Find it; if its deletion is awaited, an unknown ID counts as deleted.

    An unknown *name* is still an error: it may be mistyped.
    """
    try:
        return find(name)
    except NotFoundError:
        if gone and uuidutils.is_uuid_like(name):
            return None
        raise
