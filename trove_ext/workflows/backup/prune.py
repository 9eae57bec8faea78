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

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    PartialFailureError,
    TroveExtError,
)
from trove_ext.follow_up import merged
from trove_ext.model import retention
from trove_ext.model.backup_forest import BackupForest
from trove_ext.trove import read
from trove_ext.workflows.backup import delete
from trove_ext.workflows.backup.prune_run import PruneRun
from trove_ext.workflows.backup.targets import find_instances

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.retention import RetentionPlan, Rotation
    from trove_ext.model.retention_policy import Policy
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.targets import Found


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """The result of a policy for the backups of some instances.

    :ivar forest: all backups of the project, as they were read
    :ivar made: IDs of the backups that this run has just taken, which are kept
    :ivar names: of instances, by ID; a gone one has none
    :ivar rotation: whose backups alone are evaluated, of all its members together
    """

    forest: BackupForest
    retention: RetentionPlan
    policy: Policy
    project_id: str | None
    made: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    rotation: Rotation | None = None

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


def plan_rotation(
    cloud: Cloud,
    rotation: Rotation,
    policy: Policy,
    backups: Sequence[Backup],
    *,
    made: Sequence[str] = (),
) -> PrunePlan:
    """Plan for the backups of a rotation, those of all members of a set together.

    :param backups: all of the project
    :param made: IDs of the backups that this run has just made: never deleted
    """
    names = dict(rotation.members)
    return _plan(cloud, backups, policy, None, names, made=made, rotation=rotation)


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
    (done,) = execute_all(cloud, [plan], deadline)
    return done


def execute_all(
    cloud: Cloud, plans: Sequence[PrunePlan], deadline: Deadline
) -> list[tuple[list[PruneRow], TroveExtError | None]]:
    """Carry out several plans as `execute` does, and wait for their deletes together.

    :param plans: no two of them about the same backups
    :returns: for each plan what `execute` returns
    """
    runs = [PruneRun(cloud, plan, deadline) for plan in plans]
    with cloud.patient(deadline):
        while any(run.waiting for run in runs):
            sent = [(run, backup) for run in runs for backup in run.send_wave()]
            if sent:
                _wait(cloud, sent, deadline)
            _end_all(runs)
    return [(run.rows(), run.error()) for run in runs]


def error_of(
    done: Sequence[tuple[list[PruneRow], TroveExtError | None]],
) -> TroveExtError | None:
    """Return the error of several plans: that of the first kind, with all texts."""
    errors = {str(error): error for _, error in done if error is not None}
    if len(errors) < 2:  # noqa: PLR2004 - one can be returned as it is
        return next(iter(errors.values()), None)
    kinds = {type(error) for error in errors.values()}
    kind = kinds.pop() if len(kinds) == 1 else PartialFailureError
    follow_ups = merged(error.follow_ups for error in errors.values())
    return kind("\n".join(errors), follow_ups=follow_ups)


def _wait(
    cloud: Cloud, sent: Sequence[tuple[PruneRun, Backup]], deadline: Deadline
) -> None:
    """Wait until what was sent is deleted; each run records its results."""
    try:
        targets = delete.gone(cloud, [backup for _, backup in sent])
        outcomes = cloud.wait(targets, deadline)
    except TroveExtError as exc:
        for run, backup in sent:
            run.lost(backup, exc)
        return
    for (run, backup), outcome in zip(sent, outcomes, strict=True):
        run.ended(backup, outcome)


def _end_all(runs: Sequence[PruneRun]) -> None:
    """End every run if one has ended: Trove can't be read, or time is up."""
    ends = [run.end for run in runs if run.end is not None]
    for run in runs:
        if ends and run.waiting:
            run.end = run.end or ends[0]


def _plan(
    cloud: Cloud,
    backups: Sequence[Backup],
    policy: Policy,
    instance_ids: Collection[str] | None,
    names: dict[str, str],
    *,
    made: Sequence[str] = (),
    rotation: Rotation | None = None,
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
        rotation=rotation,
    )
    return PrunePlan(forest, planned, policy, project_id, tuple(made), names, rotation)
