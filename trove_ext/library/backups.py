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

"""The jobs on backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from trove_ext.library.base import TIMEOUT, Base, raise_if, reference
from trove_ext.model.retention_policy import PERIODS
from trove_ext.model.rotation_naming import DEFAULT_PATTERN, NamePattern
from trove_ext.trove import conditions, find, read
from trove_ext.workflows.backup import (
    chains,
    check,
    create,
    delete,
    prune,
    rotate,
    rotate_job,
)
from trove_ext.workflows.backup.rotate_all import rotate_all
from trove_ext.workflows.restore.rotation_check import RotationCheck
from trove_ext.workflows.restore.settings import RestoreOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupChain
    from trove_ext.model.instance import Instance
    from trove_ext.model.retention_policy import Policy
    from trove_ext.model.selection import Selection
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.chains import Member
    from trove_ext.workflows.backup.check import Verdict
    from trove_ext.workflows.backup.delete import Deleted, DeletePlan
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow
    from trove_ext.workflows.backup.rotate_job import RotateRequest, RotateRow
    from trove_ext.workflows.restore.contents import Question


class Backups(Base):
    """Back up, read chains, delete, prune, rotate, check."""

    def find_backup(self, name_or_id: str) -> Backup:
        """Find a backup by ID, or by name on any page of the list.

        :raises NotFoundError: there is none
        :raises AmbiguousNameError: several have the name; lists their IDs
        """
        with self._reading():
            return find.backup(self._cloud, name_or_id)

    def list_backups(self, instance: str | Instance | None = None) -> list[Backup]:
        """Read all backups of the project, or those of one instance.

        :param instance: name, ID or record; of a deleted instance the ID
        """
        with self._reading():
            if instance is None:
                return read.list_backups(self._cloud)
            instance_id = chains.instance_id_of(
                self._cloud, reference(instance), read.list_backups(self._cloud)
            )
            return read.list_backups(self._cloud, instance_id=instance_id)

    def create_backup(
        self,
        instance: str | Instance,
        name: str,
        *,
        incremental: bool = False,
        parent: str | Backup | None = None,
        description: str | None = None,
        storage_driver: str | None = None,
        wait: bool = True,
        timeout: float = TIMEOUT,
    ) -> Backup:
        """Back up an instance.

        :param name: of the backup
        :param incremental: build on the newest backup of the instance that can be
            restored
        :param parent: build on this backup
        :param storage_driver: default: that of the parent, of a full backup the cloud's
        :param wait: wait until it is COMPLETED
        :param timeout: seconds; 0 for no limit
        :returns: the backup as read last
        :raises BusyError: another operation is in progress on the instance
        :raises CheckError: there is nothing to build on, or the parent is unsuitable
        :raises ResourceFailedError: the instance is not ready for it, or it failed
        :raises WaitTimeoutError: time is over; the backup continues on the server
        """
        request = create.CreateRequest(
            instance=reference(instance),
            name=name,
            incremental=incremental,
            parent=None if parent is None else reference(parent),
            description=description,
            storage_driver=storage_driver,
        )
        with self._job(timeout) as job:
            job.result = made = create.create(self._cloud, request)
            if wait:
                target = conditions.backup_completed(self._cloud, made)
                try:
                    self._await([target], job.deadline)
                finally:
                    job.result = made = next(iter(self._backups([made])), made)
            return made

    def wait_for_backups(
        self,
        *backups: str | Backup,
        until: Literal["completed", "deleted"] = "completed",
        timeout: float = TIMEOUT,
    ) -> tuple[Backup, ...]:
        """Wait for all of them together.

        :param timeout: seconds; 0 for no limit
        :returns: those that are still there, as read last
        :raises ResourceFailedError: one has failed
        :raises WaitTimeoutError: time is over
        """
        condition = {
            "completed": conditions.backup_completed,
            "deleted": conditions.backup_gone,
        }[until]
        with self._job(timeout) as job:
            finder = find.backups(self._cloud)
            found = [finder.find(reference(backup)) for backup in backups]
            job.result = tuple(found)
            targets = [condition(self._cloud, backup) for backup in found]
            self._await(targets, job.deadline)
            return self._backups(found)

    def list_backup_chains(
        self, instance: str | Instance | None = None
    ) -> list[BackupChain]:
        """Read all chains, oldest root first: each the tree under one full backup.

        :param instance: only chains with a backup of it
        """
        name = None if instance is None else reference(instance)
        with self._reading():
            listed = chains.list_chains(self._cloud, instance=name)
            return [each.chain for each in listed]

    def show_backup_chain(self, backup: str | Backup) -> list[Member]:
        """Read the chain that a backup belongs to: each member after its parent."""
        with self._reading():
            return chains.show_chain(self._cloud, reference(backup))

    def plan_delete_backups(self, *backups: str | Backup) -> DeletePlan:
        """Determine what is deleted with these backups: dependent backups are too.

        :returns: the plan; ``going`` is all of it, ``dependents`` what was not named
        :raises CheckError: one is in progress: Trove would stop half way
        """
        with self._reading():
            listed = read.list_backups(self._cloud)
            finder = find.backups(self._cloud, listed)
            ids = [finder.find(reference(backup)).id for backup in backups]
            plan = delete.plan(self._cloud, ids, listed)
            delete.check(plan)
            return plan

    def delete_backups(
        self, plan: DeletePlan, *, wait: bool = True, timeout: float = TIMEOUT
    ) -> list[Deleted]:
        """Delete what a plan lists.

        :param timeout: seconds; 0 for no limit
        :returns: each backup with its result
        :raises CheckError: a backup was added or has changed since the plan was made;
            nothing was deleted
        :raises PartialFailureError: Trove did not delete all
        """
        with self._job(timeout) as job:
            delete.check_unchanged(self._cloud, plan)
            deadline = job.deadline if wait else None
            job.result, error = delete.execute(self._cloud, plan, deadline)
            raise_if(error)
            return job.result

    def plan_prune_backups(
        self,
        *instances: str | Instance,
        policy: Policy,
        all_instances: bool = False,
    ) -> PrunePlan:
        """Determine what a retention policy keeps and deletes, for each instance.

        :param instances: names, IDs or records; of a deleted instance the ID
        :param all_instances: all of the project, including deleted ones that have
            backups
        :returns: the plan; ``rows`` has every backup with the reasons
        :raises ValueError: the policy keeps nothing, or neither instances nor
            ``all_instances`` are given, or both
        """
        policy.check()
        if bool(instances) == all_instances:
            raise ValueError("give instances or all_instances=True, and not both")
        with self._reading():
            if all_instances:
                return prune.plan_all(self._cloud, policy)
            return prune.plan_named(
                self._cloud, [reference(instance) for instance in instances], policy
            )

    def prune_backups(
        self, plan: PrunePlan, *, timeout: float = TIMEOUT
    ) -> list[PruneRow]:
        """Delete what a plan deletes, leaves first; each is read again before.

        A chain that has changed since the plan was made is skipped.

        :param timeout: seconds; 0 for no limit
        :returns: every backup with its result
        :raises PartialFailureError: not all were deleted
        """
        with self._job(timeout) as job:
            job.result, error = prune.execute(self._cloud, plan, job.deadline)
            raise_if(error)
            return job.result

    def rotate_backups(
        self,
        *instances: str | Instance,
        policy: Policy | None = None,
        incremental: bool = False,
        full_every: timedelta | None = None,
        chain_length: int | None = None,
        min_age: timedelta = rotate_job.MIN_AGE,
        name_pattern: str = DEFAULT_PATTERN,
        storage_driver: str | None = None,
        selection: Selection | None = None,
        prefer_replica: bool = False,
        verify_each: str | None = None,
        questions: Sequence[Question] = (),
        query_database: str | None = None,
        options: RestoreOptions | None = None,
        timeout: float = TIMEOUT,
    ) -> list[RotateRow]:
        """Back up each instance, full if that is due, then apply a retention policy.

        Nothing is stored between two runs: the next run continues one that was
        killed, and a run that finds a backup younger than ``min_age`` takes none.

        :param policy: None to delete nothing
        :param incremental: with PostgreSQL take incrementals too, which may miss rows
        :param full_every: how old a full backup may be under its incrementals
        :param chain_length: how many backups a restore may read, the full one included
        :param name_pattern: with ``{instance}``, ``{type}`` and ``{time}`` (UTC)
        :param selection: all instances of the project that it selects, a replica set as
            one, instead of named ones
        :param prefer_replica: with ``selection``, back up a replica of a set if a probe
            proves that it replicates
        :param verify_each: verify its first backup in each ``"hour"``, ``"day"``,
            ``"week"``, ``"month"`` or ``"year"`` (UTC) before it prunes; ``questions``,
            ``query_database`` and ``options`` are as for :meth:`verify_backup`
        :param timeout: seconds; 0 for no limit
        :returns: the result for each instance
        :raises ValueError: an argument can't be used, or not with another one
        :raises CheckError: a statement can't be run; nothing was changed
        :raises PartialFailureError: one failed; each result has its error
        :raises BusyError: another operation is in progress on all that failed
        """
        _refuse_both(instances, selection, policy)
        request = rotate_job.RotateRequest(
            instances=tuple(reference(instance) for instance in instances),
            pattern=NamePattern(name_pattern),
            full_every=full_every,
            chain_length=chain_length,
            min_age=min_age,
            policy=policy,
            incremental=incremental,
            storage_driver=storage_driver,
            check=_check(name_pattern, verify_each, questions, query_database, options),
        )
        with self._job(timeout) as job:
            job.result = rows = _rotated(
                self._cloud, request, selection, job.deadline, prefer=prefer_replica
            )
            raise_if(rotate.error_of(rows))
            return rows

    def check_backups(
        self,
        *instances: str | Instance,
        max_age: timedelta,
        warning: timedelta | None = None,
        selection: Selection | None = None,
    ) -> Sequence[Verdict]:
        """Check that each instance has a restorable backup that is recent enough.

        :param max_age: counted from the start of the backup
        :param warning: from which age on it is a warning; None for none
        :param selection: all instances of the project that it selects, a replica set as
            one, instead of named ones; what is left out is reported as a note
        :returns: a verdict for each; its ``problem`` is None if it is OK
        :raises ValueError: instances and a selection are given
        :raises NotFoundError: the selection is empty
        """
        _refuse_both(instances, selection)
        with self._reading():
            if selection is None:
                names = [reference(instance) for instance in instances]
                return check.check(self._cloud, names, max_age, warning=warning)
            found = check.check_all(
                self._cloud, max_age, warning=warning, selection=selection
            )
            for left in found.left_out:
                self._cloud.progress.note(str(left))
            return found.verdicts


def _refuse_both(
    instances: Sequence[object],
    selection: Selection | None,
    policy: Policy | None = None,
) -> None:
    """Refuse to guess what is wanted.

    :raises ValueError: instances and a selection are given, or neither; the policy
        keeps nothing
    """
    if bool(instances) == (selection is not None):
        raise ValueError("Give instances or a selection, and not both.")
    if policy is not None:
        policy.check()


def _check(
    pattern: str,
    period: str | None,
    questions: Sequence[Question],
    database: str | None,
    options: RestoreOptions | None,
) -> RotationCheck | None:
    """Return what a rotation verifies; None for nothing.

    :raises ValueError: the period is not known, or there is only the rest
    """
    if period is None:
        if questions or database or options:
            raise ValueError("questions, query_database and options need verify_each")
        return None
    if period not in PERIODS:
        raise ValueError(f"verify_each is {period!r}, not one of {', '.join(PERIODS)}")
    names, asked = NamePattern(pattern), tuple(questions)
    return RotationCheck(period, names, asked, database, options or RestoreOptions())


def _rotated(
    cloud: Cloud,
    request: RotateRequest,
    selection: Selection | None,
    deadline: Deadline,
    *,
    prefer: bool,
) -> list[RotateRow]:
    if selection is None:
        return rotate.rotate(cloud, request, deadline)
    done = rotate_all(cloud, request, selection, deadline, prefer_replica=prefer)
    return list(done.rows)
