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

"""``database backup policy show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.osc.base import columns, command, session
from trove_ext.osc.base.policy_option import load_policy
from trove_ext.workflows.backup.schedule import announce, schedule

if TYPE_CHECKING:
    import argparse

    from trove_ext.model.backup_due import Due
    from trove_ext.model.policy_file import Settings

COLUMNS = (
    "Instance",
    "Instance ID",
    "Rule",
    "State",
    "Every",
    "Last Backup",
    "Created",
    "Due",
    "Verify Every",
    "Verification Due",
)


class ShowDatabaseBackupPolicy(command.Lister):
    """Show what a policy file wants for each instance of the project.

    The file is checked as a whole first: each mistake is reported with its line and
    column, and nothing is sent. "Rule" is the line of the first rule that matches the
    instance, and "Due" the time of the next backup. "Verification Due" is the start of
    the next backup that is verified; it is that of the last one if that is the first of
    its period. A replica set has the rule of its source, and one row.
    """

    #: It logs in by itself, once the file is known to be good.
    auth_required = False

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "policy", metavar="<policy-file>", help="Policy file, such as backups.yaml"
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read the file, then the project, and show a row for each instance."""
        policy = load_policy(parsed_args.policy)
        session.log_in(self.app, self)
        found = schedule(self.cloud, policy)
        announce(self.cloud, policy, found)
        return columns.table(COLUMNS, found.dues, _cells)


def _cells(due: Due) -> dict[str, Any]:
    head, rule, last = due.group.head, due.rule, due.last
    settings: Settings | None = rule.settings if rule else None
    wanted = settings.verification if settings else None
    return {
        "Instance": columns.text(head.name),
        "Instance ID": head.id,
        "Rule": columns.number(rule.line if rule else None),
        "State": due.state.value,
        "Every": columns.span(settings.every if settings else None),
        "Last Backup": columns.text(last.name if last else None),
        "Created": columns.moment(last.created if last else None),
        "Due": columns.moment(due.at),
        "Verify Every": columns.text(wanted.period if wanted else None),
        "Verification Due": columns.moment(due.verify_at),
    }
