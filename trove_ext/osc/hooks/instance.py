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

"""``instance create`` and ``instance delete``, extended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from troveclient.osc.v1 import database_instances as stock

from trove_ext.exceptions import CheckError, UsageError
from trove_ext.follow_up import Action, Problem, Verb, to
from trove_ext.model import account_names
from trove_ext.osc.hooks import replica_form, upstream
from trove_ext.osc.hooks.base import (
    HookedCommand,
    columns,
    delete_each,
    none_found,
    shown_id,
)
from trove_ext.osc.hooks.credentials import credentials
from trove_ext.osc.v1.new_instance import nic_fields
from trove_ext.trove import (
    conditions,
    find,
    read,
    send,
    wait_report,
)
from trove_ext.workflows import new_instance
from trove_ext.workflows.backup import last_backup
from trove_ext.workflows.restore import restore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.exceptions import TroveExtError
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Target


class InstanceCreate(HookedCommand):
    """``instance create``: the guide's replica form, credentials, ``--wait``."""

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Check users, replace names by IDs, drop what Trove refuses for a replica."""
        if parsed_args.nics:
            _check_nic(parsed_args.nics)
        parsed_args.users = credentials(parsed_args, self.command.app.stdin)
        self._warn_of_names(parsed_args)
        if parsed_args.backup is not None:
            parsed_args.backup = self.backup_id(parsed_args.backup)
        self.source: Instance | None = None
        if parsed_args.replica_of is not None:
            self.source = find.instance(self.cloud, parsed_args.replica_of)
            parsed_args.replica_of = self.source.id
            replica_form.drop_options(self.cloud, parsed_args, self.source)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Create, wait for all created instances, and show the result."""
        deadline = self.cloud.start(parsed_args.timeout)
        instance_id = send.create_instance(
            self.cloud,
            parsed_args.name,
            lambda: shown_id(self.action(parsed_args)),
            source_id=self.source.id if self.source else None,
        )
        found = self.cloud.wait(self._targets(instance_id), deadline)
        error = wait_report.error_of(found)
        if error is None and self.source is None:
            error = new_instance.contents_error(
                self.cloud,
                read.get_instance(self.cloud, instance_id),
                parsed_args.databases,
                [user.split(":")[0] for user in parsed_args.users],
                deadline,
            )
        if error is None and parsed_args.backup is not None:
            made = read.get_instance(self.cloud, instance_id)
            error = restore.recovery_error(self.cloud, made, deadline)
        self.fail(error)
        return columns(
            self.cloud.read(
                f"Instance {instance_id}",
                lambda: upstream.details(stock, self.client.instances.get(instance_id)),
            )
        )

    def _warn_of_names(self, parsed_args: argparse.Namespace) -> None:
        """Warn of names that the guest refuses; the stock command sends them."""
        datastore = parsed_args.datastore
        if datastore and datastore.lower() not in account_names.DATASTORES:
            return
        users = [tuple(user.split(":")) for user in parsed_args.users]
        found = list(account_names.problems(parsed_args.databases, users))
        if found:
            self.cloud.progress.warn(
                "The guest agents of MySQL and MariaDB refuse this, and create nothing "
                f"of its kind that follows: {'; '.join(found)}."
            )

    def _targets(self, instance_id: str) -> list[Target]:
        if self.source is None:
            made = read.get_instance(self.cloud, instance_id)
            return [conditions.settled(self.cloud, made, patience=None)]
        now = read.get_instance(self.cloud, self.source.id)
        new = [
            replica for replica in now.replicas if replica not in self.source.replicas
        ]
        return [
            conditions.is_replica_of(
                self.cloud,
                read.get_instance(self.cloud, replica_id),
                self.source.id,
                patience=None,
            )
            for replica_id in dict.fromkeys([*new, instance_id])
        ]


class InstanceDelete(HookedCommand):
    """``instance delete``: waits for all, even if one of them was refused."""

    not_found: Sequence[TroveExtError] = ()

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace names by IDs; report all that can't be found together.

        With ``--wait`` the others are deleted nevertheless; the stock command sends
        nothing then, and neither does ``--backup-first``.
        """
        ids, problems = find.instances(self.cloud).ids_of(parsed_args.instance)
        goes_on = parsed_args.wait and not parsed_args.backup_first
        if problems and not (ids and goes_on):
            raise none_found(problems)
        parsed_args.instance, self.not_found = ids, problems

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Send each delete, then wait for all that were accepted."""
        deadline = self.cloud.start(parsed_args.timeout)
        manager = self.client.instances
        instances, problems = find.instances(self.cloud).each(parsed_args.instance)
        problems = [*self.not_found, *problems]
        if not instances or (problems and parsed_args.backup_first):
            raise none_found(problems)
        if parsed_args.backup_first:
            _check_deletable(instances)
            planned = last_backup.check(self.cloud, instances, parsed_args.backup_name)
            last_backup.take(self.cloud, planned, deadline)
        delete_each(
            self,
            "database instance",
            instances,
            delete=manager.force_delete if parsed_args.force else manager.delete,
            target=conditions.instance_gone if parsed_args.wait else None,
            deadline=deadline,
            not_found=problems,
        )


def _check_deletable(instances: Sequence[Instance]) -> None:
    """Refuse to back up what Trove will not delete: a source that has replicas.

    :raises CheckError: one of them has (``trove/instance/models.py``, ``delete``)
    """
    problems = [
        Problem(
            f"{instance} has replicas, and Trove deletes no such source",
            (
                to(
                    "see them",
                    Action(Verb.SHOW_REPLICAS, (instance.id,)),
                    detail="detach or delete each of them first",
                ),
            ),
        )
        for instance in instances
        if instance.replicas
    ]
    if problems:
        raise CheckError("Not all of them can be deleted", problems)


def _check_nic(text: str) -> None:
    """Refuse an invalid text, which the stock command would split unchecked.

    :raises UsageError: a field of it is not ``key=value``
    """
    try:
        nic_fields(text)
    except ValueError as exc:
        raise UsageError(f"--nic {text}: {exc}") from exc
