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
"""Delete what a retention policy does not keep.

Trove deletes descendants without asking (``trove/backup/models.py``,
``Backup.delete``), so leaves are deleted first, each with a wait: then a delete removes
what was planned and nothing else. Before each delete the backups of its instance are
read again, and the policy is applied again: so changes by another user are never
overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    LoginError,
    NotFoundError,
    OutOfTimeError,
    PartialFailureError,
    ServiceError,
    TroveExtError,
    UnreachableError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, FollowUp, Verb, to
from trove_ext.model import retention
from trove_ext.model.backup_forest import BackupForest
from trove_ext.trove import conditions, read
from trove_ext.workflows.backup import delete
from trove_ext.workflows.backup.targets import find_instances

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.retention import RetentionPlan
    from trove_ext.model.retention_policy import Policy
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.targets import Found

KEPT = "kept"
#: Trove has accepted the delete, but its result is not known.
ACCEPTED = "accepted"
LEFT_ALONE = "left alone"
GO_ON = "Run the same again to continue."
LEFT = (to("see what remains", Action(Verb.LIST_CHAINS)),)


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """The result of a policy for the backups of some instances.

    :ivar forest: all backups of the project, as they were read
    :ivar made: IDs of the backups that this run has just taken, which are kept
    :ivar names: of instances, by ID; a gone one has none
    """

    forest: BackupForest
    retention: RetentionPlan
    policy: Policy
    project_id: str | None
    made: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[PruneRow]:
        """Every backup, with what is planned for it and why."""
        return rows(self)

    @property
    def deletions(self) -> tuple[Backup, ...]:
        """The backups that are to be deleted."""
        return self.retention.deletions


@dataclass(frozen=True, slots=True)
class PruneRow:
    """One backup, its plan and its result.

    :ivar reasons: why it was to be kept or deleted
    :ivar result: ``kept``, ``deleted``, ``accepted`` if the result is not known, or why
        it was skipped; None in a plan
    """

    backup: Backup
    instance_name: str | None
    keep: bool
    reasons: tuple[str, ...]
    result: str | None = None


def plan_named(cloud: Cloud, names_or_ids: Sequence[str], policy: Policy) -> PrunePlan:
    """Plan for some instances.

    Costs one request for the backups, beside those that find the instances.

    :raises CheckError: not all instances can be found; lists those
    """
    backups = read.list_backups(cloud)
    found = find_instances(cloud, names_or_ids, backups)
    problems = [str(target.error) for target in found if target.error is not None]
    if problems:
        raise CheckError("Not all can be found", problems)
    return plan(cloud, found, policy, backups)


def plan_all(cloud: Cloud, policy: Policy) -> PrunePlan:
    """Plan for all instances of the project, and deleted ones with backups."""
    backups = read.list_backups(cloud)
    names = {instance.id: instance.name for instance in read.list_instances(cloud)}
    return _plan(cloud, backups, policy, None, names)


def plan(
    cloud: Cloud,
    instances: Sequence[Found],
    policy: Policy,
    backups: Sequence[Backup] | None = None,
    *,
    made: Sequence[str] = (),
) -> PrunePlan:
    """Plan for instances that were found already.

    :param backups: all of the project, if they were read already
    :param made: IDs of the backups that this run has just made: never deleted
    """
    ids = [target.instance_id for target in instances if target.instance_id is not None]
    names = {
        target.instance_id: target.name for target in instances if target.instance_id
    }
    known = read.list_backups(cloud) if backups is None else backups
    return _plan(cloud, known, policy, ids, names, made=made)


def rows(plan: PrunePlan) -> list[PruneRow]:
    """Return the plan as a table: every backup, keep or delete, and why."""
    return [
        PruneRow(
            backup=row.backup,
            instance_name=plan.names.get(row.backup.instance_id or ""),
            keep=row.keep,
            reasons=row.reasons,
        )
        for row in plan.retention.rows
    ]


def execute(
    cloud: Cloud, plan: PrunePlan, deadline: Deadline
) -> tuple[list[PruneRow], TroveExtError | None]:
    """Delete what the plan deletes: leaves first, each read again before.

    A chain in which something is not as planned is skipped from there on.

    :returns: every backup with its result, and what went wrong
    """
    run = _Run(cloud, plan, deadline)
    with cloud.patient(deadline):
        run.all()
    results = [
        replace(row, result=KEPT if row.keep else run.results[row.backup.id])
        for row in rows(plan)
    ]
    return results, run.error()


class _Run:
    """One application of a plan.

    :ivar results: of each backup to delete, by ID
    """

    def __init__(self, cloud: Cloud, plan: PrunePlan, deadline: Deadline) -> None:
        self.cloud = cloud
        self.plan = plan
        self.deadline = deadline
        self.results: dict[str, str] = {}
        #: IDs whose delete Trove has accepted, even before they are deleted.
        self.sent: set[str] = set()
        #: Why the chain with this root is skipped.
        self.skipped_chains: dict[str, str] = {}
        self.end: TroveExtError | None = None

    def all(self) -> None:
        """Delete wave by wave: all remaining leaves, then wait for their deletion."""
        waiting = list(self.plan.retention.deletions)
        while waiting:
            wave = self._leaves(waiting)
            taken = {backup.id for backup in wave}
            waiting = [backup for backup in waiting if backup.id not in taken]
            self._wait([backup for backup in wave if self._send(backup)])

    def error(self) -> TroveExtError | None:
        """Describe what went wrong: the end of the whole run, or the skipped chains."""
        left = [result for result in self.results.values() if result != conditions.GONE]
        if self.end is not None or not left:
            return self.end
        why = "; ".join(dict.fromkeys(self.skipped_chains.values()))
        return PartialFailureError(
            f"{len(left)} of {len(self.results)} backups were not deleted: {why}\n"
            f"{GO_ON}",
            follow_ups=LEFT,
        )

    def _leaves(self, waiting: Sequence[Backup]) -> list[Backup]:
        """Return those without dependents; a plan deletes no member of a cycle."""
        parents = {backup.parent_id for backup in waiting}
        return [backup for backup in waiting if backup.id not in parents]

    def _send(self, backup: Backup) -> bool:
        """Send one delete if everything is still as planned."""
        root = self.plan.forest.root(backup.id).id
        if self.end is None and self.deadline.passed:
            self.end = WaitTimeoutError(
                f"Time ran out before all backups were deleted. {GO_ON}",
                follow_ups=LEFT,
            )
        if self.end is not None or root in self.skipped_chains:
            self.results[backup.id] = LEFT_ALONE
            return False
        try:
            now = self._read_again(backup)
            if backup.id not in now and self._is_gone(backup):
                self.results[backup.id] = conditions.GONE
                return False
            problem = self._problem(backup, now)
            if problem is None:
                delete.submit(self.cloud, backup)
                self.sent.add(backup.id)
                return True
        except TroveExtError as exc:
            if isinstance(exc, (UnreachableError, LoginError, OutOfTimeError)):
                self.end = self._ended(exc)
            self._leave(backup, root, str(exc), exc.follow_ups)
        else:
            self._leave(backup, root, problem)
        return False

    def _wait(self, sent: Sequence[Backup]) -> None:
        if not sent:
            return
        targets = delete.gone(self.cloud, sent)
        try:
            outcomes = self.cloud.wait(targets, self.deadline)
        except TroveExtError as exc:
            self.results.update((backup.id, ACCEPTED) for backup in sent)
            self.end = self._ended(exc)
            return
        for backup, outcome in zip(sent, outcomes, strict=True):
            self.results[backup.id] = outcome.state
            if not outcome.ok:
                root = self.plan.forest.root(backup.id).id
                self.skipped_chains[root] = f"backup {backup} is still {outcome.state}"
            if outcome.timed_out and self.end is None:
                self.end = WaitTimeoutError(
                    f"Backup {backup} is still {outcome.state} after "
                    f"{outcome.elapsed:.0f} s; it continues on the server. {GO_ON}",
                    follow_ups=LEFT,
                )

    def _ended(self, error: TroveExtError) -> TroveExtError:
        """Return an error with the command that shows the result of the deletes."""
        kinds = (OutOfTimeError, LoginError, UnreachableError)
        kind = next((each for each in kinds if isinstance(error, each)), ServiceError)
        return kind(f"{error}\n{GO_ON}", follow_ups=[*error.follow_ups, *LEFT])

    def _leave(
        self,
        backup: Backup,
        root: str,
        problem: str,
        follow_ups: Iterable[FollowUp] = (),
    ) -> None:
        self.results[backup.id] = f"{LEFT_ALONE}: {problem}"
        self.skipped_chains[root] = problem
        self.cloud.progress.warn(
            f"Backup {backup} and its chain are skipped: {problem}", *follow_ups
        )

    def _is_gone(self, backup: Backup) -> bool:
        """Read a backup that is not in the list: another run may have deleted it."""
        try:
            read.get_backup(self.cloud, backup.id)
        except NotFoundError:
            self.cloud.progress.note(f"Backup {backup} was gone already.")
            return True
        return False

    def _problem(self, backup: Backup, now: BackupForest) -> str | None:
        """Compare with the current chain; describe a relevant change.

        A backup that was to be deleted and is gone has changed as planned.
        """
        planned = {backup.id for backup in self.plan.retention.deletions}
        gone = self.sent | {backup_id for backup_id in planned if backup_id not in now}
        signature = retention.chain_signature
        if signature(now, backup.id, gone) != signature(
            self.plan.forest, backup.id, gone
        ):
            return "its chain has changed since it was planned"
        again = retention.plan(
            now,
            self.plan.policy,
            self.cloud.clock.now(),
            instance_ids=[backup.instance_id] if backup.instance_id else None,
            project_id=self.plan.project_id,
            made=self.plan.made,
        )
        if backup.id not in {deletion.id for deletion in again.deletions}:
            return "the policy keeps it now, because other backups have changed"
        return None

    def _read_again(self, backup: Backup) -> BackupForest:
        """Read the instance's backups, or the project's if the chain has others'."""
        members = self.plan.forest.chain(backup.id).members
        own = all(member.instance_id == backup.instance_id for member in members)
        return BackupForest.of(
            read.list_backups(
                self.cloud, instance_id=backup.instance_id if own else None
            ),
            self.cloud.engines.look,
        )


def _plan(
    cloud: Cloud,
    backups: Sequence[Backup],
    policy: Policy,
    instance_ids: Collection[str] | None,
    names: dict[str, str],
    *,
    made: Sequence[str] = (),
) -> PrunePlan:
    forest = BackupForest.of(backups, cloud.engines.look)
    project_id = cloud.client.client.get_project_id()
    planned = retention.plan(
        forest,
        policy,
        cloud.clock.now(),
        instance_ids=instance_ids,
        project_id=project_id,
        made=made,
    )
    return PrunePlan(forest, planned, policy, project_id, tuple(made), names)
