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
"""Delete backups with their dependent backups.

Trove deletes all descendants of a backup first, without listing them; one in progress
stops it half way, when earlier siblings are already deleted
(``trove/backup/models.py``, ``Backup.delete``). The code should refuse one in progress
with 422 for three days; release 26 responds with 500 at any age, because it subtracts a
naive time from an aware one. So no such delete is sent: half of a tree would remain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    LostAnswerError,
    NotFoundError,
    TroveExtError,
)
from trove_ext.follow_up import (
    Action,
    Problem,
    Verb,
    or_to,
    to,
    wait_for_backup,
)
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.status import Phase
from trove_ext.polling import Reading
from trove_ext.trove import conditions, read, send, wait_report
from trove_ext.workflows.backup import chains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.polling import Deadline, Outcome, Target
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """What is deleted when some backups are.

    :ivar named: the backups that were named, once each
    :ivar unknown: IDs that were named and do not exist in any list
    """

    forest: BackupForest
    named: tuple[Backup, ...]
    unknown: tuple[str, ...] = ()

    @property
    def tops(self) -> tuple[Backup, ...]:
        """The named ones that depend on no other named one: one request for each."""
        ids = {backup.id for backup in self.named}
        return tuple(
            backup
            for backup in self.named
            if not any(
                above.id in ids
                for above in self.forest.path(backup.id)
                if above.id != backup.id
            )
        )

    @property
    def going(self) -> tuple[Backup, ...]:
        """All deleted backups, each after its parent, as a drawn tree."""
        ids = {backup.id for backup in self.named}
        for backup in self.named:
            ids.update(below.id for below in self.forest.descendants(backup.id))
        return tuple(backup for backup in self.forest if backup.id in ids)

    @property
    def depths(self) -> tuple[int, ...]:
        """How many deleted backups are above each of `going`."""
        ids = {backup.id for backup in self.going}
        return tuple(
            sum(above.id in ids for above in self.forest.path(backup.id)) - 1
            for backup in self.going
        )

    @property
    def dependents(self) -> tuple[Backup, ...]:
        """The dependent backups, which are deleted without having been named."""
        ids = {backup.id for backup in self.named}
        return tuple(backup for backup in self.going if backup.id not in ids)

    @property
    def instances_left_without_backup(self) -> tuple[str, ...]:
        """IDs of the instances that are left without a restorable backup."""
        lost = {backup.id for backup in self.going}
        good = [
            backup for backup in self.forest if self.forest.is_restorable(backup.id)
        ]
        before = {backup.instance_id: None for backup in good if backup.instance_id}
        after = {backup.instance_id for backup in good if backup.id not in lost}
        return tuple(key for key in before if key not in after)

    @property
    def running(self) -> tuple[Backup, ...]:
        """Those that Trove does not delete at present."""
        return tuple(backup for backup in self.going if backup.is_running)


@dataclass(frozen=True, slots=True)
class Deleted:
    """The result for one backup of a `DeletePlan`.

    :ivar result: ``deleted``, ``accepted``, ``refused``, ``unknown`` if the response
        was lost, or its last known state
    """

    backup: Backup
    result: str

    @property
    def gone(self) -> bool:
        """Whether it is known to be deleted."""
        return self.result == conditions.GONE


def plan(
    cloud: Cloud, backup_ids: Iterable[str], backups: Sequence[Backup] | None = None
) -> DeletePlan:
    """Find the dependent backups, in one request if all are of the user's project.

    An ID that is not found is kept: Trove itself responds to a delete of it.

    :param backups: all of the project, if they were read already
    """
    known = list(read.list_backups(cloud) if backups is None else backups)
    by_id = {backup.id: backup for backup in known}
    named: list[Backup] = []
    unknown: list[str] = []
    for backup_id in dict.fromkeys(backup_ids):
        backup = by_id.get(backup_id) or _foreign(cloud, backup_id)
        if backup is None:
            unknown.append(backup_id)
            continue
        named.append(backup)
        if backup.id not in by_id:
            known += [*chains.read_project_of(cloud, backup), backup]
    return DeletePlan(BackupForest.of(known), tuple(named), tuple(unknown))


def check(plan: DeletePlan) -> None:
    """Refuse a delete that would stop half way.

    :raises CheckError: a backup is in progress, which Trove will not delete
    """
    if plan.running:
        raise CheckError(
            "Trove deletes no running backup, and would stop half way",
            map(how_to_end, plan.running),
        )


def how_to_end(running: Backup) -> Problem:
    """Return what makes a delete possible; ``reset_status`` makes it FAILED."""
    follow_ups = [to("wait for it", wait_for_backup(running.id))]
    if running.instance_id:
        follow_ups.append(
            or_to(
                "make it FAILED if it never ends",
                Action(Verb.RESET_STATUS, (running.instance_id,)),
                admin=True,
            )
        )
    return Problem(f"Backup {running} is still {running.status}", tuple(follow_ups))


def check_unchanged(cloud: Cloud, plan: DeletePlan) -> None:
    """Read the backups to delete again: time has passed since they were listed.

    :raises CheckError: a backup was added, or has changed its state
    """
    forest = _read_again(cloud, plan)
    now = DeletePlan(
        forest, tuple(backup for backup in plan.named if backup.id in forest)
    )
    before = {backup.id: backup.status for backup in plan.going}
    changed = [b for b in now.going if before.get(b.id) != b.status]
    if changed:
        raise CheckError(
            "The backups that were listed have changed",
            (f"Backup {backup} is {backup.status}" for backup in changed),
        )


def execute(
    cloud: Cloud,
    plan: DeletePlan,
    deadline: Deadline | None,
    accepted: Callable[[Backup], None] = lambda _backup: None,
) -> tuple[list[Deleted], TroveExtError | None]:
    """Send the deletes, and wait until all backups are gone.

    :param deadline: None to wait for nothing
    :param accepted: called with each named backup whose delete Trove has accepted
    :returns: each backup of the plan, and what went wrong
    """
    refused: dict[str, TroveExtError] = {}
    for top in plan.tops:
        try:
            submit(cloud, top)
        except TroveExtError as exc:
            refused[top.id] = exc
    going = [b for b in plan.going if _top_of(plan, b).id not in refused]
    for backup in plan.named:
        if backup in going:
            accepted(backup)
    waited = cloud.wait(gone(cloud, going), deadline) if deadline and going else []
    rows = _rows(plan, refused, going, waited)
    return rows, _error(waited, list(refused.values()), len(plan.tops))


def submit(cloud: Cloud, backup: Backup) -> None:
    """Send one delete; a backup that no longer exists counts as deleted."""
    try:
        send.delete(
            cloud,
            f"delete of backup {backup}",
            backup,
            partial(cloud.client.backups.delete, backup.id),
        )
    except NotFoundError:
        cloud.progress.note(f"Backup {backup} was gone already.")


def gone(cloud: Cloud, backups: Sequence[Backup]) -> list[Target]:
    """Wait until each of several backups is gone, with one request for all of them.

    A backup that is not in the list is read by itself before it counts as gone: the
    list shows only the own project. A short list would not do: no delete changes
    ``updated`` (``trove/taskmanager/models.py``, ``BackupTasks.delete_backup``).
    """
    instances = {backup.instance_id for backup in backups}
    only = instances.pop() if len(instances) == 1 else None
    listed = _Listed(lambda: read.list_backups(cloud, instance_id=only))
    return [
        _listed_gone(conditions.backup_gone(cloud, backup), backup.id, listed)
        for backup in backups
    ]


class _Listed:
    """A list that several targets share: read again when a target needs it again."""

    def __init__(self, read: Callable[[], list[Backup]]) -> None:
        self._read = read
        self._states: dict[str, str] = {}
        self._served: set[str] | None = None

    def state(self, backup_id: str) -> str | None:
        if self._served is None or backup_id in self._served:
            self._states = {backup.id: backup.status for backup in self._read()}
            self._served = set()
        self._served.add(backup_id)
        return self._states.get(backup_id)


def _listed_gone(target: Target, backup_id: str, listed: _Listed) -> Target:
    def poll() -> Reading:
        state = listed.state(backup_id)
        return Reading(Phase.BUSY, state) if state else target.poll()

    return replace(target, poll=poll, backup_id=None)


def _foreign(cloud: Cloud, backup_id: str) -> Backup | None:
    """Read a backup that is not in the list of the project: an admin may name it."""
    try:
        return read.get_backup(cloud, backup_id)
    except NotFoundError:
        return None


def _read_again(cloud: Cloud, plan: DeletePlan) -> BackupForest:
    projects = {backup.project_id: backup for backup in plan.named}
    backups = list(read.list_backups(cloud))
    own = {backup.id for backup in backups}
    for backup in projects.values():
        if backup.id not in own:
            backups += chains.read_project_of(cloud, backup)
    return BackupForest.of(backups)


def _top_of(plan: DeletePlan, backup: Backup) -> Backup:
    tops = {top.id: top for top in plan.tops}
    return next(
        tops[step.id] for step in plan.forest.path(backup.id) if step.id in tops
    )


def _rows(
    plan: DeletePlan,
    refused: Mapping[str, TroveExtError],
    going: Sequence[Backup],
    waited: Sequence[Outcome],
) -> list[Deleted]:
    results = {backup.id: "accepted" for backup in going}
    for backup, outcome in zip(going, waited, strict=False):
        results[backup.id] = outcome.state
    for backup in plan.going:
        error = refused.get(_top_of(plan, backup).id)
        if error is not None:
            lost = isinstance(error, LostAnswerError)
            results[backup.id] = "unknown" if lost else "refused"
    return [Deleted(backup, results[backup.id]) for backup in plan.going]


def _error(
    waited: Sequence[Outcome],
    refused: Sequence[TroveExtError],
    sent: int,
) -> TroveExtError | None:
    error = wait_report.error_of(waited)
    if not refused:
        return error
    if len(refused) == sent == 1:
        return refused[0]
    return wait_report.joined(
        [*refused, *([error] if error else [])],
        f"{len(refused)} of {sent} were not deleted.",
        [to("see which backups are left", Action(Verb.LIST_BACKUPS))],
    )
