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
"""``database backup rotate``."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trove_ext.model.backup import CINDER, SWIFT
from trove_ext.model.rotation_naming import DEFAULT_PATTERN, NamePattern
from trove_ext.osc.base import columns, command, retention_options
from trove_ext.osc.base.options import add_timeout_option
from trove_ext.workflows.backup import rotate

if TYPE_CHECKING:
    from trove_ext.workflows.backup.rotate import RotateRow

COLUMNS = (
    "Instance",
    "Backup",
    "ID",
    "Type",
    "Status",
    "Result",
    "Kept",
    "Deleted",
    "Note",
)
#: Without either of the two the first full backup is the only one.
ENDLESS = (
    "Without --full-every or --chain-length one chain grows for ever, and retention "
    "can delete nothing of it: what is kept keeps its ancestors."
)


class RotateDatabaseBackup(command.Lister):
    """Take a backup of each instance, wait for it, and then prune: for cron.

    An incremental on the newest backup that can be built on; a full one where there
    is none, or where --full-every or --chain-length says so. The --keep options are
    those of "database backup prune"; without one no restore point is deleted, nor is
    any if the backup fails. If the quota of backups is full, FAILED backups that have
    this name pattern are deleted, and the request is sent again.

    It may be killed at any time and run again, and run twice at once: a backup that
    has the name pattern and is still running is waited for, and one that was
    completed less than --min-age ago counts as this run's. Exit code 75 says that
    another backup is running; one that has been running for more than a day is a
    failure.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "instance", metavar="<instance>", nargs="+", help="Instance (name or ID)"
        )
        parser.add_argument(
            "--name",
            metavar="<pattern>",
            type=_pattern,
            default=DEFAULT_PATTERN,
            help="Name of the backups, with {instance}, {type} and {time}; {time} is "
            "UTC and may be given a form, as in {time:%%Y-%%m-%%d} (default: "
            f"{DEFAULT_PATTERN})",
        )
        parser.add_argument(
            "--full-every",
            metavar="<duration>",
            type=retention_options.duration,
            help="Take a full backup where the last one is older, for instance 7d",
        )
        parser.add_argument(
            "--chain-length",
            metavar="<n>",
            type=_positive,
            help="Take a full backup where a restore would have to read more backups "
            "than this, the full one included",
        )
        parser.add_argument(
            "--storage-driver",
            metavar="<driver>",
            choices=(SWIFT, CINDER),
            help="Store the backups in swift or as volume snapshots in cinder, and "
            "build only on backups stored there (default: where the newest backup is "
            "stored; for a full backup the cloud's default). A volume snapshot is "
            "complete in itself: --chain-length does not count it. Needs Trove 23 "
            "or later",
        )
        parser.add_argument(
            "--min-age",
            metavar="<duration>",
            type=_min_age,
            default="1h",
            help="A backup of this rotation completed less than this ago counts as "
            "this run's; keep it below the interval of the cron job; 0 takes a new one "
            "in any case (default: 1h)",
        )
        retention_options.add_keep_options(parser)
        add_timeout_option(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Back all up, prune, and show a row for each instance."""
        policy = retention_options.policy_if_any(parsed_args)
        if policy and not _limits_a_chain(parsed_args):
            self.cloud.progress.warn(ENDLESS)
        request = rotate.RotateRequest(
            instances=tuple(parsed_args.instance),
            pattern=parsed_args.name,
            full_every=parsed_args.full_every,
            chain_length=parsed_args.chain_length,
            min_age=parsed_args.min_age,
            policy=policy,
            storage_driver=parsed_args.storage_driver,
        )
        deadline = self.cloud.start(parsed_args.timeout)
        rows = rotate.rotate(self.cloud, request, deadline)
        self.fail(rotate.error_of(rows))
        return COLUMNS, [_row(row) for row in rows]


def _limits_a_chain(parsed_args: argparse.Namespace) -> bool:
    """Whether a new chain is begun some day; no snapshot makes a chain longer."""
    if parsed_args.storage_driver == CINDER:
        return bool(parsed_args.full_every) or parsed_args.chain_length == 1
    return bool(parsed_args.full_every or parsed_args.chain_length)


def _row(row: RotateRow) -> list[Any]:
    backup = row.backup
    kept = len(row.pruned) - row.deleted
    values = {
        "Instance": columns.text(row.found.name),
        "Backup": columns.text(backup.name if backup else None),
        "ID": columns.text(backup.id if backup else None),
        "Type": columns.text(backup.kind.value if backup else None),
        "Status": columns.text(backup.status if backup else None),
        "Result": _result(row),
        "Kept": kept if row.pruned else columns.number(None),
        "Deleted": row.deleted,
        "Note": columns.text(str(row.error) if row.error else row.note),
    }
    return [values[name] for name in COLUMNS]


def _result(row: RotateRow) -> str:
    if row.error is not None:
        return row.error.exit_code.name.lower()
    return row.how.value if row.how else "failed"


def _pattern(text: str) -> NamePattern:
    try:
        return NamePattern(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _min_age(text: str) -> timedelta:
    return timedelta(0) if text == "0" else retention_options.duration(text)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number
