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

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from oslo_utils import uuidutils

from trove_ext.exceptions import NotFoundError
from trove_ext.osc import columns, command
from trove_ext.osc.hooks import add_timeout_option
from trove_ext.workflows import done, outcomes, resources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.wait import Outcome, Target

COLUMNS = ("ID", "Name", "Status")
REPLICA_OF = "replica-of="


class WaitDatabaseBackup(command.Lister):
    """Wait until backups are completed or deleted.

    A backup that fails is reported with the fault of its instance, which is where
    Trove keeps the reason.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "backup",
            metavar="<backup>",
            nargs="+",
            help="Backup to wait for (name or ID); several are polled together",
        )
        parser.add_argument(
            "--for",
            dest="goal",
            choices=("completed", "deleted"),
            default="completed",
            help="What to wait for (default: completed)",
        )
        add_timeout_option(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Wait for all of them together."""
        deadline = self.cloud.deadline(parsed_args.timeout)
        gone = parsed_args.goal == "deleted"
        make = done.backup_gone if gone else done.backup_completed
        find = partial(resources.find_backup, self.cloud)
        targets, ids = [], []
        for name in parsed_args.backup:
            backup = _find_or_gone(find, name, gone=gone)
            if backup is None:
                self.cloud.progress.note(f"Backup {name} is deleted.")
                continue
            targets.append(make(self.cloud, backup))
            ids.append((backup.id, backup.name))
        waited = self.cloud.wait(targets, deadline) if targets else []
        self.fail(outcomes.error_of(self.cloud, waited))
        return COLUMNS, _rows(ids, waited)


class WaitDatabaseInstance(command.Lister):
    """Wait until instances are settled, deleted, or have a role.

    Settled is status ACTIVE (or RESTART_REQUIRED) together with operating status
    HEALTHY. A role counts once the instance is settled in it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "instance",
            metavar="<instance>",
            nargs="+",
            help="Instance to wait for (name or ID); several are polled together",
        )
        parser.add_argument(
            "--for",
            dest="goal",
            metavar="<goal>",
            type=_goal,
            default="settled",
            help="What to wait for: settled, deleted, source, detached or "
            "replica-of=<source> (default: settled)",
        )
        add_timeout_option(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Wait for all of them together."""
        deadline = self.cloud.deadline(parsed_args.timeout)
        make = self._target_of(parsed_args.goal)
        gone = parsed_args.goal == "deleted"
        find = partial(resources.find_instance, self.cloud)
        targets, ids = [], []
        for name in parsed_args.instance:
            instance = _find_or_gone(find, name, gone=gone)
            if instance is None:
                self.cloud.progress.note(f"Instance {name} is deleted.")
                continue
            targets.append(make(instance))
            ids.append((instance.id, instance.name))
        waited = self.cloud.wait(targets, deadline) if targets else []
        self.fail(outcomes.error_of(self.cloud, waited))
        return COLUMNS, _rows(ids, waited)

    def _target_of(self, goal: str) -> Callable[[Instance], Target]:
        cloud = self.cloud
        if goal.startswith(REPLICA_OF):
            source = resources.find_instance(cloud, goal.removeprefix(REPLICA_OF))
            return lambda one: done.is_replica_of(cloud, one, source.id, None)
        return {
            "settled": partial(done.settled, cloud, patience=None),
            "deleted": partial(done.instance_gone, cloud),
            "source": partial(done.is_source, cloud, patience=None),
            "detached": partial(done.is_detached, cloud, patience=None),
        }[goal]


def _goal(text: str) -> str:
    if text in {"settled", "deleted", "source", "detached"}:
        return text
    if text.startswith(REPLICA_OF) and len(text) > len(REPLICA_OF):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is none of settled, deleted, source, detached, replica-of=<source>"
    )


def _find_or_gone(find: Callable[[str], Any], name: str, *, gone: bool) -> Any:
    """Find it; where its deletion is awaited an ID that is unknown has arrived.

    An unknown *name* stays an error: it may be a mistyped one.
    """
    try:
        return find(name)
    except NotFoundError:
        if gone and uuidutils.is_uuid_like(name):
            return None
        raise


def _rows(
    ids: Sequence[tuple[str, str]], waited: Sequence[Outcome]
) -> list[tuple[str, columns.Shown, str]]:
    return [
        (one_id, columns.text(name), outcome.state)
        for (one_id, name), outcome in zip(ids, waited, strict=True)
    ]
