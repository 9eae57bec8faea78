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

"""``database replica replace``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.model.status import DELETED
from trove_ext.osc.base import columns, command, confirm
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
)
from trove_ext.osc.v1 import members
from trove_ext.osc.v1.new_instance import add_reach_options, reach_options
from trove_ext.workflows.replica import replace

if TYPE_CHECKING:
    import argparse

    from trove_ext.workflows.replica.replace import Replaced, ReplacePlan

COLUMNS: tuple[str, ...] = (
    *members.LIST_COLUMNS,
    "Addresses",
    members.REPLICATION_COLUMN,
)


class ReplaceDatabaseReplica(command.Lister):
    """Replace a replica by a new one, and delete the old one.

    The new replica gets the network, the access rules and the configuration group of
    the old one, and the flavor and volume of the source. The command waits for it and
    proves that it replicates, with a temporary database on the source; only then the
    old one is detached and deleted. Until then there is one instance more.

    The old source after a failover, or any other instance that is no replica, needs
    --source; what was written to it alone is deleted with it, so this asks first.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_what(parser)
        add_reach_options(parser, "the old replica")
        add_dry_run_option(parser, "Check everything, print what would be done")
        confirm.add_yes_option(
            parser,
            "Do not prompt before an instance that is no replica is deleted; required "
            "if there is no terminal",
        )
        add_engine_option(parser)
        add_timeout_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, create, wait, prove, and delete the old one."""
        deadline = self.cloud.start(parsed_args.timeout)
        plan = replace.check(self.cloud, _request(parsed_args))
        if parsed_args.dry_run:
            return _planned(plan)
        if plan.is_former_source:
            self.cloud.progress.done()
            confirm.confirm(self.app, _question(plan), yes=parsed_args.yes)
            deadline = self.cloud.start(parsed_args.timeout)
        done = replace.execute(self.cloud, plan, deadline)
        self.fail(done.error)
        return _shown(plan, done)


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "replica", metavar="<replica>", help="Replica to replace (name or ID)"
    )
    parser.add_argument(
        "--source",
        metavar="<source>",
        help="Source of the new replica (name or ID; default: that of the old one)",
    )
    parser.add_argument(
        "--name",
        metavar="<name>",
        help="Name of the new replica (default: that of the old one)",
    )
    parser.add_argument(
        "--with",
        dest="replacement",
        metavar="<replica>",
        help="Create none, but use this replica of the same source (name or ID): goes "
        "on after an interruption",
    )


def _request(args: argparse.Namespace) -> replace.ReplaceRequest:
    return replace.ReplaceRequest(
        replica=args.replica,
        source=args.source,
        name=args.name,
        replacement=args.replacement,
        options=reach_options(args),
    )


def _question(plan: ReplacePlan) -> str:
    return (
        f"{plan.old} is no replica: what was written to it alone will be lost. Delete "
        f"it once a new replica of {plan.source} replicates?"
    )


def _planned(plan: ReplacePlan) -> columns.Table:
    nothing = columns.text(None)
    name = plan.new.names[0] if plan.new else str(plan.replacement)
    new = {
        **dict.fromkeys(COLUMNS, nothing),
        "Name": columns.text(name),
        "Source ID": plan.source.id,
        "Status": "planned",
    }
    old = members.cells(plan.old, [plan.old, plan.source])
    old |= {"Status": "to be deleted", members.REPLICATION_COLUMN: nothing}
    return columns.table(COLUMNS, [new, old], lambda row: row)


def _shown(plan: ReplacePlan, done: Replaced) -> columns.Table:
    """Lay out the new replica and the old one, which may be deleted."""
    nothing = columns.text(None)
    rows = []
    if done.new is not None:
        proof = members.replication(done.new.id, done.probed)
        rows.append(
            members.cells(done.new, [done.new, plan.source])
            | {members.REPLICATION_COLUMN: proof}
        )
    old = done.old or plan.old
    row = members.cells(old, [old, plan.source])
    row |= {members.REPLICATION_COLUMN: nothing}
    if done.old is None:
        row |= {"Status": DELETED, "Operating Status": nothing, "Role": nothing}
    return columns.table(COLUMNS, [*rows, row], lambda each: each)
