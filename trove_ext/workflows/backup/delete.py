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
"""Delete backups, knowing what goes along.

Trove deletes all descendants of a backup first and says nothing; a running one stops
it half way, with earlier siblings gone already (``trove/backup/models.py``,
``Backup.delete``). A running one is refused with 422 for three days by what the code
means; release 26 answers 500 at any age, for it takes a naive time from an aware one.
So none is sent: a 500 in the middle of a tree would leave half of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    CheckError,
    LostAnswerError,
    NotFoundError,
    PartialFailureError,
    TroveExtError,
)
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.status import Phase
from trove_ext.polling import Reading, Target
from trove_ext.trove import conditions, read, send, wait_report
from trove_ext.workflows.backup import chains

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.polling import Deadline, Outcome
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """What goes when some backups are deleted.

    :ivar named: the backups that were named, once each
    :ivar unknown: IDs that were named and of which nothing is known
    """

    forest: BackupForest
    named: tuple[Backup, ...]
    unknown: tuple[str, ...] = ()

    @property
    def tops(self) -> tuple[Backup, ...]:
        """Those named that hang on no other named one: what has to be sent."""
        ids = {one.id for one in self.named}
        return tuple(
            one
            for one in self.named
            if not any(
                above.id in ids
                for above in self.forest.path(one.id)
                if above.id != one.id
            )
        )

    @property
    def going(self) -> tuple[Backup, ...]:
        """All that go, each after its parent, as a drawn tree."""
        ids = {one.id for one in self.named}
        for one in self.named:
            ids.update(below.id for below in self.forest.descendants(one.id))
        return tuple(one for one in self.forest if one.id in ids)

    @property
    def along(self) -> tuple[Backup, ...]:
        """Those that go without having been named."""
        ids = {one.id for one in self.named}
        return tuple(one for one in self.going if one.id not in ids)

    @property
    def instances_left_without_backup(self) -> tuple[str, ...]:
        """IDs of the instances that are left without a restorable backup."""
        lost = {one.id for one in self.going}
        good = [one for one in self.forest if self.forest.is_restorable(one.id)]
        before = {one.instance_id: None for one in good if one.instance_id}
        after = {one.instance_id for one in good if one.id not in lost}
        return tuple(one for one in before if one not in after)

    @property
    def running(self) -> tuple[Backup, ...]:
        """Those that Trove does not delete now."""
        return tuple(one for one in self.going if one.is_running)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of one backup that was to go.

    :ivar result: ``deleted``, ``accepted``, ``refused``, ``unknown`` where the answer
        was lost, or the state that it was last seen in
    """

    backup: Backup
    result: str

    @property
    def gone(self) -> bool:
        """Whether it was seen to be gone."""
        return self.result == conditions.GONE


def plan(
    cloud: Cloud, backup_ids: Iterable[str], backups: Sequence[Backup] | None = None
) -> DeletePlan:
    """Find out what hangs on backups, in one request where all are the own.

    An ID of which nothing is known is kept as such: whoever sends the delete is told
    by Trove.

    :param backups: all of the project, where they were read already
    """
    known = list(read.list_backups(cloud) if backups is None else backups)
    by_id = {one.id: one for one in known}
    named: list[Backup] = []
    unknown: list[str] = []
    for backup_id in dict.fromkeys(backup_ids):
        one = by_id.get(backup_id) or _foreign(cloud, backup_id)
        if one is None:
            unknown.append(backup_id)
            continue
        named.append(one)
        if one.id not in by_id:
            known += [*chains.read_project_of(cloud, one), one]
    return DeletePlan(BackupForest.of(known), tuple(named), tuple(unknown))


def check(cloud: Cloud, plan: DeletePlan) -> None:
    """Refuse what would stop half way.

    :raises CheckError: something is running that Trove will not delete
    """
    if plan.running:
        raise CheckError(
            "Trove deletes no running backup, and would stop half way",
            (how_to_end(cloud, one) for one in plan.running),
        )


def how_to_end(cloud: Cloud, running: Backup) -> str:
    """Say what makes a delete possible; a reset fails what runs (``reset_status``)."""
    wait = cloud.command("backup", "wait", running.id)
    reset = cloud.command("instance", "reset", "status", running.instance_id or "")
    return (
        f"Backup {running} is still {running.status}; wait for it with\n      {wait}\n"
        f"    or, where it never ends, let an admin make it FAILED with\n      {reset}"
    )


def check_unchanged(cloud: Cloud, plan: DeletePlan) -> None:
    """Read again what goes: time has passed since it was listed.

    :raises CheckError: a backup has joined, or changed its state
    """
    forest = _read_again(cloud, plan)
    now = DeletePlan(forest, tuple(one for one in plan.named if one.id in forest))
    before = {one.id: one.status for one in plan.going}
    changed = [one for one in now.going if before.get(one.id) != one.status]
    if changed:
        raise CheckError(
            "What was listed has changed meanwhile",
            (f"Backup {one} is {one.status}" for one in changed),
        )


def delete(
    cloud: Cloud,
    plan: DeletePlan,
    deadline: Deadline | None,
    accepted: Callable[[Backup], None] = lambda _backup: None,
) -> tuple[list[Deleted], TroveExtError | None]:
    """Send what has to be sent, and wait until all of it is gone.

    :param deadline: None to wait for nothing
    :param accepted: told of each named backup that Trove has accepted to delete
    :returns: each backup that was to go, and what went wrong
    """
    refused: dict[str, TroveExtError] = {}
    for top in plan.tops:
        try:
            submit(cloud, top)
        except TroveExtError as exc:
            refused[top.id] = exc
    going = [one for one in plan.going if _top_of(plan, one).id not in refused]
    for one in plan.named:
        if one in going:
            accepted(one)
    waited = cloud.wait(gone(cloud, going), deadline) if deadline and going else []
    rows = _rows(plan, refused, going, waited)
    return rows, _error(cloud, waited, list(refused.values()), len(plan.tops))


def submit(cloud: Cloud, backup: Backup) -> None:
    """Send one delete; that it is gone already is as good."""
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
    """Wait until each of several backups is gone, with one request for a look at all.

    One that the list lacks is asked for by itself before it counts as gone: the list
    shows the own project alone.
    """
    instances = {one.instance_id for one in backups}
    only = instances.pop() if len(instances) == 1 else None
    listed = _Listed(lambda: read.list_backups(cloud, instance_id=only))
    return [
        _listed_gone(
            conditions.backup_gone(cloud, one), one.id, listed, 0 if index else 1
        )
        for index, one in enumerate(backups)
    ]


class _Listed:
    """A list that several looks share: read anew once somebody looks again."""

    def __init__(self, read: Callable[[], list[Backup]]) -> None:
        self._read = read
        self._states: dict[str, str] = {}
        self._served: set[str] | None = None

    def state(self, backup_id: str) -> str | None:
        if self._served is None or backup_id in self._served:
            self._states = {one.id: one.status for one in self._read()}
            self._served = set()
        self._served.add(backup_id)
        return self._states.get(backup_id)


def _listed_gone(target: Target, backup_id: str, listed: _Listed, cost: int) -> Target:
    def look() -> Reading:
        state = listed.state(backup_id)
        return Reading(Phase.BUSY, state) if state else target.look()

    return Target(target.label, look, target.follow, cost)


def _foreign(cloud: Cloud, backup_id: str) -> Backup | None:
    """Read a backup that the list of the own project lacks: an admin may name it."""
    try:
        return read.get_backup(cloud, backup_id)
    except NotFoundError:
        return None


def _read_again(cloud: Cloud, plan: DeletePlan) -> BackupForest:
    projects = {one.project_id: one for one in plan.named}
    backups = list(read.list_backups(cloud))
    own = {one.id for one in backups}
    for one in projects.values():
        if one.id not in own:
            backups += chains.read_project_of(cloud, one)
    return BackupForest.of(backups)


def _top_of(plan: DeletePlan, backup: Backup) -> Backup:
    tops = {one.id: one for one in plan.tops}
    return next(tops[one.id] for one in plan.forest.path(backup.id) if one.id in tops)


def _rows(
    plan: DeletePlan,
    refused: Mapping[str, TroveExtError],
    going: Sequence[Backup],
    waited: Sequence[Outcome],
) -> list[Deleted]:
    results = {one.id: "accepted" for one in going}
    for one, outcome in zip(going, waited, strict=False):
        results[one.id] = outcome.state
    for one in plan.going:
        error = refused.get(_top_of(plan, one).id)
        if error is not None:
            lost = isinstance(error, LostAnswerError)
            results[one.id] = "unknown" if lost else "refused"
    return [Deleted(one, results[one.id]) for one in plan.going]


def _error(
    cloud: Cloud,
    waited: Sequence[Outcome],
    refused: Sequence[TroveExtError],
    sent: int,
) -> TroveExtError | None:
    error = wait_report.error_of(cloud, waited)
    if not refused:
        return error
    if len(refused) == sent == 1:
        return refused[0]
    texts = [*map(str, refused), *([str(error)] if error else [])]
    texts.append(f"{len(refused)} of {sent} were not deleted.")
    return PartialFailureError("\n".join(texts))
