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

from trove_ext.exceptions import CheckError, NotFoundError, ResourceFailedError
from trove_ext.follow_up import to, wait_for_instance
from trove_ext.osc.base import command
from trove_ext.osc.base.options import add_wait_options
from trove_ext.osc.v1 import members
from trove_ext.trove import configuration_groups
from trove_ext.workflows.replica import detach, sets
from trove_ext.workflows.replica.probe import Probed, probe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.replication import ReplicationSet

ACCEPTED = "accepted, not verified."


class ListDatabaseReplica(command.Lister):
    """List all replication sets: each source followed by its replicas.

    Inconsistencies of a set are reported on standard error.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the filter."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--source",
            metavar="<source>",
            help="Only the set of this replica source (name or ID)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read them all, one request for each 20 instances."""
        found = self._sets(parsed_args.source)
        for replica_set in found:
            for oddity in replica_set.oddities:
                self.cloud.progress.warn(str(oddity))
        return members.LIST_COLUMNS, [
            members.list_row(member, replica_set.members)
            for replica_set in found
            for member in members.ordered(replica_set)
        ]

    def _sets(self, source: str | None) -> Sequence[ReplicationSet]:
        if source is None:
            return sets.read_sets(self.cloud)
        found = sets.find(self.cloud, source)
        if found.set is None:
            return []
        if found.set.source is None or found.set.source.id != found.instance.id:
            raise CheckError(
                f"Can't list the replicas of {found.instance}",
                [f"it is itself a replica, of {found.instance.replica_of}"],
            )
        return [found.set]


class ShowDatabaseReplica(command.Lister):
    """Show a replication set as a tree, from any of its members.

    No status shows whether a replica replicates: --probe does.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the instance."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "instance", metavar="<instance>", help="Any member of the set (name or ID)"
        )
        parser.add_argument(
            "--probe",
            action="store_true",
            help="Prove that each replica replicates: a database with a name of its "
            "own is made on the source, waited for on each replica, and dropped",
        )
        parser.add_argument(
            "--long",
            action="store_true",
            help="Show datastore version, flavor and size (GB) too",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read the set; prove that it replicates."""
        membership = sets.find(self.cloud, parsed_args.instance)
        found = membership.set
        if found is None:
            raise NotFoundError(
                f"{membership.instance} is in no replication set: it is no replica and "
                "has none."
            )
        for oddity in found.oddities:
            self.cloud.progress.warn(str(oddity))
        long = parsed_args.long
        names = members.SHOW_COLUMNS + (members.LONG_COLUMNS if long else ())
        names += (members.REPLICATION_COLUMN,) if parsed_args.probe else ()
        probed = self._probe(found) if parsed_args.probe else ()
        return names, members.show_rows(found, names, self.app.stdout.encoding, probed)

    def _probe(self, found: ReplicationSet) -> Sequence[Probed]:
        source = found.source
        if source is None:
            raise CheckError("Can't probe the set", ["its source is gone"])
        replicas = [member for member in found.members if member.id != source.id]
        probed = probe(self.cloud, source, replicas)
        bad = [probe.describe() for probe in probed if not probe.ok]
        if bad:
            self.fail(ResourceFailedError("\n".join(bad)))
        return probed


class DetachDatabaseReplica(command.Lister):
    """Take a replica out of its set, for it to serve by itself.

    Trove says ACTIVE again also where that failed: with --wait the role is verified.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Add the replica."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "replica", metavar="<replica>", help="Replica to detach (name or ID)"
        )
        add_wait_options(parser, "it is no replica any more, ACTIVE and HEALTHY")
        return parser

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
        return members.LIST_COLUMNS, [members.list_row(now, [*found.members, now])]
