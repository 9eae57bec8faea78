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

"""The stock backup commands, extended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oslo_utils import uuidutils
from troveclient.osc.v1 import database_backups as stock

from trove_ext.exceptions import (
    CheckError,
    NotFoundError,
    ServiceError,
    TroveExtError,
    UsageError,
)
from trove_ext.follow_up import Verb
from trove_ext.model.backup import CINDER
from trove_ext.osc.base import run
from trove_ext.osc.hooks import upstream
from trove_ext.osc.hooks.base import (
    HookedCommand,
    columns,
    deleted,
    none_found,
    shown_id,
)
from trove_ext.osc.v1.delete_preview import announce
from trove_ext.trove import conditions, find, read, send, wait_report
from trove_ext.workflows.backup import (
    delete,
    engine_rules,
    parent_check,
    storage_driver,
)
from trove_ext.workflows.restore.source import LATEST, LATEST_FULL, Source, id_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.workflows.backup.delete import DeletePlan


class BackupCreate(HookedCommand):
    """``backup create``: the guide's form, ``--parent`` by name, ``--wait``."""

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Merge the two ways to name the instance; replace names by IDs.

        An unsuitable parent is refused, and so is a backup that would not contain what
        it should; for a command line that the stock command accepts by itself there is
        a warning, and the same request is sent.
        """
        if parsed_args.instance_positional is not None:
            if parsed_args.instance is not None:
                raise UsageError(
                    "The instance is named twice: as "
                    f"{parsed_args.instance_positional!r} before the backup's name "
                    f"and by --instance {parsed_args.instance!r}. Give it once."
                )
            parsed_args.instance = parsed_args.instance_positional
        if parsed_args.instance is not None:
            parsed_args.instance = self.instance_id(parsed_args.instance)
        if parsed_args.parent is not None:
            parsed_args.parent = self._parent_id(parsed_args)
        ours = bool(self.takes_over(parsed_args) or parsed_args.instance_positional)
        if parsed_args.instance:
            self._check_engine(parsed_args, refuse=ours)
        if parsed_args.parent and parsed_args.instance:
            parent = self._check_parent(parsed_args, refuse=ours)
            self._name_driver(parsed_args, parent, ours=ours)
        if not self.takes_over(parsed_args) and parsed_args.incremental:
            self.replace_action(self._warn)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Create, wait, and show the resulting backup."""
        deadline = self.cloud.start(parsed_args.timeout)
        backup_id = send.create_backup(
            self.cloud,
            parsed_args.name,
            parsed_args.instance,
            lambda: shown_id(self.action(parsed_args)),
            parent_id=parsed_args.parent,
            incremental=parsed_args.incremental,
        )
        backup = read.get_backup(self.cloud, backup_id)
        if parsed_args.incremental:
            self._review_parent(parsed_args, backup_id, backup.parent_id)
        found = self.cloud.wait(
            [conditions.backup_completed(self.cloud, backup)], deadline
        )
        self.fail(wait_report.error_of(found))
        return columns(
            self.cloud.read(
                f"Backup {backup}",
                lambda: _shown(self.client.backups.get(backup_id)),
            )
        )

    def _parent_id(self, parsed_args: argparse.Namespace) -> str:
        """Return the ID of the parent: named, or the newest of the instance."""
        if parsed_args.parent in {LATEST, LATEST_FULL} and parsed_args.instance:
            return id_of(self.cloud, Source(parsed_args.parent, parsed_args.instance))
        return self.backup_id(parsed_args.parent)

    def _check_engine(self, parsed_args: argparse.Namespace, *, refuse: bool) -> None:
        """Refuse what the engine of the instance can't back up, and choose a parent."""
        try:
            instance = read.get_instance(self.cloud, parsed_args.instance)
        except TroveExtError:
            if refuse:
                raise
            # The stock command asks for it too, and reports it.
            return
        engine = self.cloud.engines.look(instance.datastore)
        problem = engine_rules.replica_problem(engine, instance)
        if problem and refuse:
            raise CheckError(f"No backup of {instance} is taken", [problem])
        if problem:
            self.cloud.progress.warn(f"{instance}: {problem}. It is sent all the same.")
        alone = parsed_args.incremental and not parsed_args.parent
        if refuse and alone and not engine.any_parent:
            parent = parent_check.choose_parent(self.cloud, instance)
            parsed_args.parent = parent.id if parent else None

    def _check_parent(
        self, parsed_args: argparse.Namespace, *, refuse: bool
    ) -> Backup | None:
        try:
            instance = read.get_instance(self.cloud, parsed_args.instance)
            return parent_check.check_parent(
                self.cloud, instance, parsed_args.parent, _driver(parsed_args)
            )
        except CheckError as exc:
            if refuse:
                raise
            problems = "; ".join(exc.problems)
            self.cloud.progress.warn(
                f"{exc.what}: {problems}. It is sent nevertheless."
            )
        except ServiceError as exc:
            if refuse:
                raise
            self.cloud.progress.warn(f"The parent can't be read: {exc}")
        return None

    def _name_driver(
        self, parsed_args: argparse.Namespace, parent: Backup | None, *, ours: bool
    ) -> None:
        """Store a backup on a volume snapshot as one, or warn that it is not.

        Without a driver in the request the cloud's default is used: Swift in most
        clouds, where the guest can't take an incremental on a snapshot.
        """
        if parent is None or not parent.is_volume_snapshot or _driver(parsed_args):
            return
        if ours:
            parsed_args.storage_driver = CINDER
            storage_driver.argument(self.cloud, CINDER)
            return
        self.cloud.progress.warn(
            f"Parent {parent} is a volume snapshot, and the request names no storage "
            "driver: unless volume snapshots are the cloud's default, the backup will "
            f"fail. Give --storage-driver {CINDER}."
        )

    def _warn(self, parsed_args: argparse.Namespace) -> Any:
        names, values = self.action(parsed_args)
        shown = dict(zip(names, values, strict=True))
        self._review_parent(parsed_args, shown.get("id"), shown.get("parent_id"))
        return names, values

    def _review_parent(
        self,
        parsed_args: argparse.Namespace,
        backup_id: str | None,
        parent_id: str | None,
    ) -> None:
        """Warn if Trove took a full backup, or chose an unsuitable parent."""
        if parent_id is None:
            self.cloud.progress.warn(
                "Trove found no backup to build on and takes a FULL backup."
            )
            return
        try:
            parent = read.get_backup(self.cloud, parent_id)
            instance = read.get_instance(self.cloud, parsed_args.instance)
            missing = parent_check.engine_problem(
                self.cloud, instance, parent, but=backup_id
            )
        except TroveExtError as exc:
            self.cloud.progress.warn(f"The parent can't be read: {exc}")
            return
        if missing and parsed_args.parent is None:
            self.cloud.progress.warn(
                f"Trove chose {parent} as the parent: {missing}. Take a full backup "
                "instead."
            )
        if parent.is_replication_snapshot:
            self.cloud.progress.warn(
                f"Trove chose {parent} as the parent: a temporary replication "
                "snapshot. This backup will be DELETED together with it when the "
                "replica is built. Take another one after that."
            )
        if parent.is_volume_snapshot and not _driver(parsed_args):
            self.cloud.progress.warn(
                f"Trove chose {parent} as the parent: a volume snapshot. Unless volume "
                "snapshots are the cloud's default, this backup will fail. Give "
                f"--storage-driver {CINDER}, or a --parent that is stored in Swift."
            )


def _driver(parsed_args: argparse.Namespace) -> str | None:
    """Return the requested driver; before 8.8 the client has no option."""
    driver: str | None = getattr(parsed_args, "storage_driver", None)
    return driver


class BackupDelete(HookedCommand):
    """``backup delete``: lists dependent backups, prompts at a terminal, and waits."""

    plan: DeletePlan | None = None
    not_found: Sequence[TroveExtError] = ()

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Replace names by IDs, report all unknown ones; list dependent backups.

        Without one of our options a failed read does not stop what the stock command
        would send.
        """
        try:
            self.plan = self._plan(parsed_args)
        except ServiceError as exc:
            ids_alone = all(map(uuidutils.is_uuid_like, parsed_args.backup))
            if self.takes_over(parsed_args) or not ids_alone:
                raise
            self.cloud.progress.warn(f"The dependent backups can't be read. {exc}")
            return
        if self.takes_over(parsed_args):
            delete.check(self.plan)
        for backup in self.plan.running:
            problem = delete.how_to_end(backup)
            self.cloud.progress.warn(
                f"Trove deletes no running backup: {problem}", *problem.follow_ups
            )
        # Until here our code runs: a signal ends it with a message.
        with run.catching_signals():
            announce(self.command.app, self.cloud, self.plan, yes=parsed_args.yes)

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """Send each delete, then wait until all are deleted."""
        if self.plan is None:
            raise ServiceError("The backups to delete were not read.")
        refused = [
            *self.not_found,
            *(
                NotFoundError(f"There is no backup {each}.")
                for each in self.plan.unknown
            ),
        ]
        if not self.plan.named:
            raise CheckError("Nothing can be deleted", refused)
        deadline = self.cloud.start(parsed_args.timeout)
        _, error = delete.execute(self.cloud, self.plan, deadline, self._accepted)
        accepted = len(self.plan.named)
        self.fail(deleted(error, refused, accepted, Verb.LIST_BACKUPS))

    def _plan(self, parsed_args: argparse.Namespace) -> DeletePlan:
        backups = read.list_backups(self.cloud)
        finder = find.backups(self.cloud, listed=backups)
        ids, problems = finder.ids_of(parsed_args.backup)
        if problems and not (ids and self.takes_over(parsed_args)):
            raise none_found(problems)
        parsed_args.backup, self.not_found = ids, problems
        return delete.plan(self.cloud, parsed_args.backup, backups)

    def _accepted(self, backup: Backup) -> None:
        """Print what the stock command prints."""
        stdout = self.command.app.stdout
        stdout.write(
            f"Request to delete database backup {backup.id} has been accepted.\n"
        )
        stdout.flush()


def _shown(backup: Any) -> dict[str, Any]:
    """Format a backup as the stock client does; older releases send no version ID."""
    datastore = getattr(backup, "datastore", None)
    if isinstance(datastore, dict):
        datastore.setdefault("version_id", None)
    return upstream.details(stock, backup)


class BackupList(HookedCommand):
    """``backup list``: the instance filter applies on every page."""

    def resolve(self, parsed_args: argparse.Namespace) -> None:
        """Set the option that the stock command reads for further pages.

        It sends ``--instance`` for the first page and ``--instance-id`` for the
        others (``troveclient/osc/v1/database_backups.py``).
        """
        name_or_id = parsed_args.instance or parsed_args.instance_id
        if name_or_id:
            instance_id = name_or_id
            if not uuidutils.is_uuid_like(name_or_id):
                instance_id = self.instance_id(name_or_id)
            parsed_args.instance = parsed_args.instance_id = instance_id
