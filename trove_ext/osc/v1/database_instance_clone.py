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

"""``database instance clone``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.osc.base import command
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
    name_pattern,
)
from trove_ext.osc.v1.database_backup_restore import restored_table
from trove_ext.osc.v1.new_instance import add_settings_options, settings_options
from trove_ext.workflows.restore import clone

if TYPE_CHECKING:
    import argparse

    from trove_ext.workflows.restore.clone import ClonePlan

PATTERN = "{instance}-for-clone-{time}"


class CloneDatabaseInstance(command.ShowOne):
    """Create a copy of an instance, with its data and its settings.

    A full backup of the source is taken and restored, and deleted once the clone is
    ACTIVE and HEALTHY; if anything goes wrong before, the backup is kept. With --from a
    backup that exists is used, and not deleted. The clone has the data as of the end of
    the backup, and all users of the source. Flavor, volume size, network, configuration
    group and access are those of the source, unless given here.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "source", metavar="<source>", help="Instance to clone (name or ID)"
        )
        parser.add_argument("name", metavar="<name>", help="Name of the clone")
        _add_backup_options(parser)
        add_settings_options(parser)
        add_dry_run_option(parser, "Check everything, print what would be sent")
        add_engine_option(parser)
        add_timeout_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, take a backup, restore it, wait, and delete it."""
        cloud = self.cloud
        deadline = cloud.start(parsed_args.timeout)
        plan = clone.check(cloud, _request(parsed_args))
        for text in plan.restore.warnings:
            cloud.progress.warn(text)
        for note in plan.restore.notes:
            cloud.progress.note(note.text, *note.follow_ups)
        if parsed_args.dry_run:
            cloud.progress.note(_planned(plan))
            return restored_table(plan.restore, None)
        done = clone.execute(cloud, plan, deadline)
        self.fail(done.error)
        if plan.request.keep:
            cloud.progress.note(f"Backup {done.restore.backup}: kept.")
        return restored_table(done.restore, done.instance)


def _add_backup_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="backup",
        metavar="<backup>",
        help="Take no backup, but use this one of the source (name or ID), or latest "
        "or latest-full",
    )
    parser.add_argument(
        "--keep-backup",
        action="store_true",
        help="Do not delete the backup that is taken",
    )
    parser.add_argument(
        "--backup-name",
        metavar="<pattern>",
        type=name_pattern,
        help="Name of that backup, in which {instance}, {type} and {time} are replaced "
        f"and the time is UTC (default: {PATTERN})",
    )


def _request(args: argparse.Namespace) -> clone.CloneRequest:
    """Read what is requested.

    :raises UsageError: options of a new backup are given with one that exists
    """
    if args.backup is not None and (args.keep_backup or args.backup_name is not None):
        raise UsageError(
            "--from uses a backup that exists, which is kept: leave out --keep-backup "
            "and --backup-name."
        )
    return clone.CloneRequest(
        source=args.source,
        name=args.name,
        options=settings_options(args),
        pattern=args.backup_name or name_pattern(PATTERN),
        backup=args.backup,
        keep=args.keep_backup,
    )


def _planned(plan: ClonePlan) -> str:
    if plan.new is None:
        return "Nothing was sent: this is a dry run."
    return (
        f"Nothing was sent: this is a dry run. A backup {plan.new.name} would be taken "
        "first."
    )
