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

"""``database replica restart``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import UsageError
from trove_ext.osc.base import columns, command
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_engine_option,
    add_timeout_option,
)
from trove_ext.osc.v1 import members
from trove_ext.workflows.replica import restart
from trove_ext.workflows.replica.restart import Order

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.workflows.replica.probe import Probed
    from trove_ext.workflows.replica.restart import RestartPlan

COLUMNS: tuple[str, ...] = (
    *members.LIST_COLUMNS,
    "Restart",
    members.REPLICATION_COLUMN,
)


class RestartDatabaseReplica(command.Lister):
    """Restart the databases of a replica set, one after the other.

    Each member has to be ACTIVE and HEALTHY again, and it is proved that it replicates,
    with a temporary database on the source, before the next one is restarted. The first
    that fails ends the command, which names the members that are left.

    A restart of the source interrupts its applications. With --switchover a replica
    that was restarted becomes the source first, and the old one is restarted as its
    replica; on PostgreSQL a fence stops the writes during the switch.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        _add_what(parser)
        add_dry_run_option(parser, "Check everything, print the order")
        add_engine_option(parser)
        add_timeout_option(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, and restart, wait and prove member by member."""
        order = Order(parsed_args.order)
        if parsed_args.switchover and order is Order.SOURCE_FIRST:
            raise UsageError(
                "--switchover needs a replica that was restarted before the source: "
                "leave out --order source-first. Nothing was changed."
            )
        deadline = self.cloud.start(parsed_args.timeout)
        plan = restart.check(self.cloud, _request(parsed_args, order))
        _announce(self, plan)
        if parsed_args.dry_run or not plan.todo:
            return _shown(plan, plan.set.members, "to be restarted")
        done = restart.execute(self.cloud, plan, deadline)
        self.fail(done.error)
        states = dict.fromkeys(done.restarted, "restarted")
        return _shown(plan, done.members, "not restarted", states, done.probed)


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "member", metavar="<member>", help="Any member of the set (name or ID)"
    )
    parser.add_argument(
        "--order",
        choices=[order.value for order in Order],
        default=Order.REPLICAS_FIRST.value,
        help="What to restart first; Trove's guide for TLS wants the source (default: "
        "replicas-first)",
    )
    parser.add_argument(
        "--pending",
        action="store_true",
        help="Restart only the members in RESTART_REQUIRED, whose configuration has "
        "changed",
    )
    parser.add_argument(
        "--switchover",
        action="store_true",
        help="Promote a replica before the source is restarted",
    )
    parser.add_argument(
        "--skip",
        metavar="<instance>",
        action="append",
        default=[],
        help="Member that is not restarted, but proved first (name or ID; repeat for "
        "several): goes on after an interruption",
    )


def _request(args: argparse.Namespace, order: Order) -> restart.RestartRequest:
    return restart.RestartRequest(
        member=args.member,
        order=order,
        pending=args.pending,
        switchover=args.switchover,
        skip=tuple(args.skip),
    )


def _announce(shown: command.Lister, plan: RestartPlan) -> None:
    """Say what is done, in order."""
    steps = "; ".join(restart.planned(plan))
    why = "no member is in RESTART_REQUIRED" if plan.request.pending else "none is left"
    shown.cloud.progress.note(f"Order: {steps}." if steps else f"Nothing to do: {why}.")


def _shown(
    plan: RestartPlan,
    found: Sequence[Instance],
    otherwise: str,
    states: dict[str, str] | None = None,
    probed: Sequence[Probed] = (),
) -> columns.Table:
    """Lay out the members in the order of the restarts.

    :param otherwise: the state of a member to restart that has none
    :param states: what was done to each, by ID
    """
    order = [each.id for each in (*plan.todo, *plan.set.members)]

    def drawn(member: Instance) -> dict[str, Any]:
        planned = any(member.id == each.id for each in plan.todo)
        state = (states or {}).get(member.id, otherwise if planned else "skipped")
        proof = members.replication(member.id, probed)
        is_source = member.replica_of is None
        return members.cells(member, found) | {
            "Restart": state,
            members.REPLICATION_COLUMN: columns.text(None) if is_source else proof,
        }

    rows = sorted(found, key=lambda each: order.index(each.id))
    return columns.table(COLUMNS, rows, drawn)
