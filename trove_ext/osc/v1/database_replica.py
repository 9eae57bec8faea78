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


"""``database replica list``, ``show`` and ``detach``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import (
    CheckError,
    NotFoundError,
    ResourceFailedError,
    UsageError,
)
from trove_ext.follow_up import to, wait_for_instance
from trove_ext.osc.base import alarm, command, plugin, session
from trove_ext.osc.base.options import add_probe_option, add_wait_options, seconds
from trove_ext.osc.base.plugin import PLUGIN_TIMEOUT
from trove_ext.osc.v1 import members
from trove_ext.osc.v1.replica_report import critical, nagios_report
from trove_ext.trove import configuration_groups
from trove_ext.workflows.replica import detach, fence_lift, sets
from trove_ext.workflows.replica.probe import Probed, probe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.replication import ReplicationSet
    from trove_ext.osc.base.nagios import Report
    from trove_ext.trove.client import Cloud

ACCEPTED = "accepted, not verified."


class ListDatabaseReplica(command.Lister):
    """List all replica sets: each source followed by its replicas.

    Inconsistencies of a set are reported on standard error.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the filter."""
        parser.add_argument(
            "--source",
            metavar="<source>",
            help="List only the set of this replica source (name or ID)",
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read them all, one request for each 20 instances."""
        found = _listed(self.cloud, parsed_args.source)
        for replica_set in found:
            _warn(self.cloud, replica_set)
        return members.list_table(
            (member, replica_set.members)
            for replica_set in found
            for member in members.ordered(replica_set)
        )


class ShowDatabaseReplica(plugin.Lister):
    """Show a replica set as a tree, from any of its members.

    No status of Trove shows whether a replica replicates; --probe proves it. With
    --nagios too it is a plugin for Nagios, Icinga and Naemon: it prints a status line
    with the delay of each replica, then a line for each, and exits with 0 (OK), 2
    (CRITICAL) or 3 (UNKNOWN: the check itself failed).
    """

    service = "REPLICATION"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the instance."""
        parser.add_argument(
            "instance", metavar="<instance>", help="Any member of the set (name or ID)"
        )
        add_probe_option(parser, "that each replica replicates")
        parser.add_argument(
            "--long",
            action="store_true",
            help="Also show the datastore version, the flavor and the size in GB",
        )
        _add_nagios_options(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read the set; prove that it replicates."""
        found, probed = self._read(parsed_args)
        _warn(self.cloud, found)
        bad = [result.describe() for result in probed if not result.ok]
        if bad:
            self.fail(ResourceFailedError("\n".join(bad)))
        names = members.SHOW_COLUMNS
        names += members.LONG_COLUMNS if parsed_args.long else ()
        names += (members.REPLICATION_COLUMN,) if parsed_args.probe else ()
        return members.show_table(found, names, self.app.stdout.encoding, probed)

    def _read(
        self, parsed_args: argparse.Namespace
    ) -> tuple[ReplicationSet, Sequence[Probed]]:
        with alarm.time_out(parsed_args.timeout):
            session.log_in(self.app, self)
            read = _set_of if parsed_args.nagios else _lifted_set_of
            found = read(self.cloud, parsed_args.instance)
            return found, _probed(self.cloud, found) if parsed_args.probe else ()

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Return what a monitor shows; a set that is gone is CRITICAL."""
        if not parsed_args.probe:
            raise UsageError("--nagios needs --probe: no status shows replication.")
        try:
            return nagios_report(*self._read(parsed_args))
        except (NotFoundError, CheckError) as exc:
            return critical(str(exc))


class DetachDatabaseReplica(command.Lister):
    """Detach a replica from its source, so that it becomes an instance of its own.

    Trove reports ACTIVE again even if the detach failed; --wait verifies the role.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the replica."""
        parser.add_argument(
            "replica", metavar="<replica>", help="Replica to detach (name or ID)"
        )
        add_wait_options(
            parser, "the instance is no longer a replica, and is ACTIVE and HEALTHY"
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check, send, wait, and read it again."""
        deadline = self.cloud.start(parsed_args.timeout)
        replica, found = detach.check(self.cloud, parsed_args.replica)
        replica = detach.submit(self.cloud, replica)
        if parsed_args.wait:
            result = detach.follow(self.cloud, replica, deadline)
            self.fail(result.error)
            now = result.instance
        else:
            self.cloud.progress.note(
                f"detach of {replica}: {ACCEPTED}",
                to("wait for it", wait_for_instance(replica.id, goal="detached")),
            )
            now = next(iter(sets.read_members(self.cloud, [replica.id])), replica)
            configuration_groups.warn_if_lost(self.cloud, replica, now)
        return members.list_table([(now, [*found.members, now])])


def _add_nagios_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nagios",
        action="store_true",
        help="With --probe, write the result as a plugin for Nagios, Icinga and "
        "Naemon, and nothing else to stdout; exit with 0, 2 or 3",
    )
    parser.add_argument(
        "--timeout",
        metavar="<seconds>",
        type=seconds,
        help="Give up after this many seconds, the log-in included, and drop the "
        f"database of the probe (default: {PLUGIN_TIMEOUT:.0f} with --nagios, else no "
        "limit; 0: no limit)",
    )


def _probed(cloud: Cloud, found: ReplicationSet) -> Sequence[Probed]:
    """Probe every replica of a set.

    :raises CheckError: its source is gone
    """
    source = found.source
    if source is None:
        raise CheckError("Can't probe the set", ["its source is gone"])
    replicas = [member for member in found.members if member.id != source.id]
    return probe(cloud, source, replicas)


def _listed(cloud: Cloud, source: str | None) -> Sequence[ReplicationSet]:
    """Read all sets, or the one of a source.

    :raises CheckError: the named source is a replica
    """
    if source is None:
        return sets.read_sets(cloud)
    found = sets.find(cloud, source)
    if found.set is None:
        return []
    if found.set.source is None or found.set.source.id != found.instance.id:
        raise CheckError(
            f"Can't list the replicas of {found.instance}",
            [f"it is itself a replica, of {found.instance.replica_of}"],
        )
    return [found.set]


def _set_of(cloud: Cloud, instance: str) -> ReplicationSet:
    """Read the set of a member.

    :raises NotFoundError: it is in none
    """
    return _set_in(sets.find(cloud, instance))


def _lifted_set_of(cloud: Cloud, instance: str) -> ReplicationSet:
    """Read the set of a member; lift a fence that a killed promote has left.

    :raises NotFoundError: it is in none
    """
    return _set_in(fence_lift.lifted(cloud, sets.find(cloud, instance)))


def _set_in(found: sets.Membership) -> ReplicationSet:
    if found.set is None:
        raise NotFoundError(
            f"{found.instance} is in no replica set: it is not a replica and has none."
        )
    return found.set


def _warn(cloud: Cloud, found: ReplicationSet) -> None:
    for oddity in found.oddities:
        cloud.progress.warn(str(oddity))
