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

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trove_ext.exceptions import (
    CheckError,
    NotFoundError,
    ResourceFailedError,
    UsageError,
)
from trove_ext.follow_up import to, wait_for_instance
from trove_ext.osc.base import alarm, command, plugin, projects, session
from trove_ext.osc.base.options import (
    add_dry_run_option,
    add_probe_option,
    add_wait_options,
    positive,
    seconds,
)
from trove_ext.osc.base.plugin import PLUGIN_TIMEOUT
from trove_ext.osc.v1 import members
from trove_ext.osc.v1.replica_report import critical, nagios_report
from trove_ext.trove import configuration_groups
from trove_ext.workflows.replica import detach, fence_lift, sets
from trove_ext.workflows.replica.probe import Probed, probe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.instance import Instance
    from trove_ext.model.replication import ReplicationSet
    from trove_ext.osc.base.nagios import Report
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

ACCEPTED = "accepted, not verified."


class ListDatabaseReplica(command.Lister):
    """List all replica sets: each source followed by its replicas.

    Inconsistencies of a set are reported on standard error.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        _add_filters(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Read them all, one request for each 20 instances."""
        project_id = projects.chosen(self.app, parsed_args)
        everywhere = parsed_args.all_projects or project_id is not None
        if everywhere and parsed_args.source is not None:
            raise UsageError(
                "--source names a set of your project: leave out --project and "
                "--all-projects."
            )
        found = _listed(self.cloud, parsed_args, project_id)
        for replica_set in found:
            _warn(self.cloud, replica_set)
        more = members.LONG_COLUMNS if parsed_args.long else ()
        more += ("Project ID",) if everywhere else ()
        return members.list_table(
            (
                (member, replica_set.members)
                for replica_set in found
                for member in members.ordered(replica_set)
            ),
            more,
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
    """Detach replicas from their source, so that each becomes an independent instance.

    Trove reports ACTIVE again even if the detach failed; --wait verifies the role.
    """

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the replicas."""
        parser.add_argument(
            "replica",
            metavar="<replica>",
            nargs="+",
            help="Replica to detach (name or ID)",
        )
        add_dry_run_option(parser, "Check each, print it as it would be")
        add_wait_options(
            parser, "none of them is a replica any more, and all are ACTIVE and HEALTHY"
        )

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Check all, send, wait, and read them again."""
        cloud, total = self.cloud, len(parsed_args.replica)
        deadline = cloud.start(parsed_args.timeout)
        found, errors = detach.check_each(
            cloud, parsed_args.replica, lift=not parsed_args.dry_run
        )
        before = {replica.id: each.members for replica, each in found}
        replicas = [replica for replica, _ in found]
        if parsed_args.dry_run:
            rows = _as_detached(cloud, replicas)
        else:
            sent, refused = detach.submit_each(cloud, replicas)
            done = _after_detach(cloud, sent, deadline if parsed_args.wait else None)
            rows = [each.instance for each in done]
            errors += [*refused, *(each.error for each in done if each.error)]
        error = detach.error_of(errors, total)
        if error is not None and not rows:
            raise error
        self.fail(error)
        return members.list_table((row, [*before[row.id], row]) for row in rows)


def _as_detached(cloud: Cloud, replicas: Sequence[Instance]) -> list[Instance]:
    """Return replicas as they would be, and report that this is a plan."""
    if replicas:
        cloud.progress.note(f"detach of {sets.listed(replicas)}: nothing was changed.")
    return [replace(replica, replica_of=None) for replica in replicas]


def _after_detach(
    cloud: Cloud, sent: Sequence[Instance], deadline: Deadline | None
) -> Sequence[detach.Detached]:
    """Wait for replicas, or read them as they are.

    :param deadline: None not to wait
    """
    if deadline is not None:
        return detach.follow_each(cloud, sent, deadline)
    if sent:
        wait = wait_for_instance(*(each.id for each in sent), goal="detached")
        cloud.progress.note(
            f"detach of {sets.listed(sent)}: {ACCEPTED}", to("wait for it", wait)
        )
    done = []
    for replica in sent:
        now = next(iter(sets.read_members(cloud, [replica.id])), replica)
        configuration_groups.warn_if_lost(cloud, replica, now)
        done.append(detach.Detached(now))
    return done


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        metavar="<source>",
        help="List only the set of this replica source (name or ID)",
    )
    projects.add_project_options(parser, "the sets")
    parser.add_argument(
        "--long",
        action="store_true",
        help="Also list the datastore version, the flavor and the size in GB",
    )
    parser.add_argument(
        "--limit",
        metavar="<n>",
        type=positive,
        help="List at most this many sets, each as a whole",
    )
    parser.add_argument(
        "--marker",
        metavar="<id>",
        help="List the sets behind the one with this member: the last set of the "
        "previous page",
    )


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


def _listed(
    cloud: Cloud, args: argparse.Namespace, project_id: str | None
) -> Sequence[ReplicationSet]:
    """Read the sets, or the one of a source, and cut the page that is wanted.

    :param project_id: of another project
    :raises CheckError: the named source is a replica
    :raises NotFoundError: the marker is in no set
    """
    if args.source is not None:
        found = _set_of_source(cloud, args.source)
    else:
        found = sets.read_sets(
            cloud, all_projects=args.all_projects, project_id=project_id
        )
    if args.marker is not None:
        ids = [{member.id for member in each.members} for each in found]
        last = next((n for n, each in enumerate(ids) if args.marker in each), None)
        if last is None:
            raise NotFoundError(
                f"No replica set with a member with the ID {args.marker!r} exists."
            )
        found = found[last + 1 :]
    return found[: args.limit]


def _set_of_source(cloud: Cloud, source: str) -> Sequence[ReplicationSet]:
    """Read the set of a source; none if it has no replicas.

    :raises CheckError: it is a replica
    """
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
