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
"""``database backup prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.osc.base import columns, command, confirm, retention_options, session
from trove_ext.osc.base.escape import count
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
)
from trove_ext.osc.base.policy_option import add_policy_option, policy_of
from trove_ext.osc.v1.delete_preview import warn_of_next
from trove_ext.workflows.backup import prune
from trove_ext.workflows.backup.prune_policy import plan_policy

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow

COLUMNS = ("Instance", "Name", "ID", "Type", "Created", "Action", "Reason")


class PruneDatabaseBackup(command.Lister):
    """Delete the backups that no --keep option keeps, for each instance by itself.

    A backup is kept if any of the --keep options keeps it, and its ancestors are kept
    with it; days, weeks and so on are those of UTC. Never deleted are backups in
    progress, the newest restorable backup of an instance with its chain, backups of
    other projects, and those that can't be restored for an unknown reason. The plan
    lists every backup; --dry-run ends there. With --policy the rules of a file say what
    is kept of the backups that its rotation has taken, and those of all members of a
    replica set are evaluated together.
    """

    #: It logs in by itself, once the policy file is known to be good.
    auth_required = False

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_instances(parser)
        add_policy_option(parser, "Prune the backups of")
        retention_options.add_keep_options(parser)
        add_dry_run_option(parser, "Print the plan")
        confirm.add_yes_option(
            parser, "Do not prompt before deleting; required if there is no terminal"
        )
        add_engine_option(parser)
        add_timeout_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Plan, prompt, delete, and show the result for each backup."""
        planned = self._check(parsed_args)
        session.log_in(self.app, self)
        plans = planned(self.cloud)
        if parsed_args.dry_run:
            rows = [row for plan in plans for row in plan.rows]
            return columns.table(COLUMNS, rows, _cells)
        if any(plan.deletions for plan in plans):
            self._announce(plans, yes=parsed_args.yes)
        deadline = self.cloud.start(parsed_args.timeout)
        done = prune.execute_all(self.cloud, plans, deadline)
        self.fail(prune.error_of(done))
        found = [row for rows, _ in done for row in rows]
        return columns.table((*COLUMNS, "Result"), found, _cells)

    def _check(
        self, parsed_args: argparse.Namespace
    ) -> Callable[[Cloud], Sequence[PrunePlan]]:
        """Check the command line, before anything is sent; return what plans."""
        planned = _planner(parsed_args)
        if not (parsed_args.dry_run or parsed_args.yes):
            confirm.need_terminal(self.app, "This may delete backups.")
        return planned

    def _announce(self, plans: Sequence[PrunePlan], *, yes: bool) -> None:
        """List what is deleted, and prompt."""
        about = _preview(self.cloud, plans)
        if yes:
            self.cloud.progress.note(about)
        number = sum(len(plan.deletions) for plan in plans)
        question = f"Delete {count(number, 'backup')}?"
        confirm.confirm(self.app, question, yes=yes, about=about)


def _planner(
    parsed_args: argparse.Namespace,
) -> Callable[[Cloud], Sequence[PrunePlan]]:
    """Return what plans for the instances.

    :raises UsageError: the arguments, or the policy file, are wrong
    """
    args = parsed_args
    keep = retention_options.policy_if_any(args)
    file = policy_of(args, instance=args.instance, all=args.all, keep_=keep)
    if file is not None:
        return lambda cloud: plan_policy(cloud, file)
    if bool(args.instance) == args.all:
        raise UsageError("Name instances, or give --all or --policy, and only one.")
    policy = retention_options.policy_of(args)
    if args.all:
        return lambda cloud: [prune.plan_all(cloud, policy)]
    return lambda cloud: [prune.plan_named(cloud, args.instance, policy)]


def _preview(cloud: Cloud, plans: Sequence[PrunePlan]) -> str:
    """List what the plans delete, in lines; warn of what that makes necessary."""
    for plan in plans:
        warn_of_next(cloud, plan.forest, {backup.id for backup in plan.deletions})
    rows = [row for plan in plans for row in plan.rows]
    going = [row for row in rows if not row.keep]
    lines = [
        f"  {row.backup}  {row.backup.kind.value}  "
        f"{row.backup.created:%Y-%m-%d %H:%M:%S} UTC"
        for row in going
    ]
    kept = len(rows) - len(going)
    headline = f"To be deleted: {count(len(going), 'backup')}; to be kept: {kept}."
    return "\n".join([headline, *lines])


def _add_instances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "instance",
        metavar="<instance>",
        nargs="*",
        help="Instance whose backups are pruned (name or ID; the ID if it is deleted)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="Prune the backups of all instances of the project, deleted ones too",
    )


def _cells(row: PruneRow) -> dict[str, Any]:
    backup = row.backup
    return {
        "Instance": columns.text(row.instance_name or backup.instance_id),
        "Name": columns.text(backup.name),
        "ID": backup.id,
        "Type": backup.kind.value,
        "Created": columns.moment(backup.created),
        "Action": "keep" if row.keep else "delete",
        "Reason": columns.text("; ".join(row.reasons)),
        "Result": columns.text(row.result),
    }
