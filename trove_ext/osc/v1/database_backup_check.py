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
"""``database backup check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import PartialFailureError
from trove_ext.osc.base import columns, command, retention_options
from trove_ext.workflows.backup import check

if TYPE_CHECKING:
    import argparse

    from trove_ext.workflows.backup.check import Verdict

COLUMNS = (
    "Instance",
    "Instance ID",
    "Result",
    "Backup",
    "Created",
    "Age",
    "Chain Length",
    "Problem",
)


class CheckDatabaseBackup(command.Lister):
    """Check that each instance has a restorable backup that is young enough.

    For monitoring: prints a row for each instance, and exits with 0 if each has such
    a backup, with 1 if not. A backup counts if its whole chain exists. In machine
    formats the age is in seconds.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "instance",
            metavar="<instance>",
            nargs="+",
            help="Instance to check (name or ID; the ID if it is deleted)",
        )
        parser.add_argument(
            "--max-age",
            metavar="<duration>",
            type=retention_options.duration,
            default="26h",
            help="Greatest age of the newest restorable backup, such as 26h or 7d "
            "(default: 26h)",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check them all, then fail if one has no good backup."""
        found = check.check(self.cloud, parsed_args.instance, parsed_args.max_age)
        bad = [verdict for verdict in found if verdict.problem is not None]
        if bad:
            self.fail(
                PartialFailureError(
                    f"{len(bad)} of {len(found)} without a good backup: "
                    + "; ".join(f"{verdict.name}: {verdict.problem}" for verdict in bad)
                )
            )
        return columns.table(COLUMNS, found, _cells)


def _cells(verdict: Verdict) -> dict[str, Any]:
    backup = verdict.backup
    return {
        "Instance": columns.text(verdict.name),
        "Instance ID": columns.text(verdict.instance_id),
        "Result": "ok" if verdict.problem is None else "failed",
        "Backup": columns.text(backup.id if backup else None),
        "Created": columns.moment(backup.created if backup else None),
        "Age": columns.span(verdict.age),
        "Chain Length": verdict.chain_length,
        "Problem": columns.text(verdict.problem),
    }
