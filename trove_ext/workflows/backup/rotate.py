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
"""The cron job: a backup of each instance, then retention.

Nothing is stored between two runs: the backups in Trove show how far an earlier run
got, so the next run completes what a killed one has started. A backup that has the
rotation's name is the run's own. Trove allows one backup in progress on an instance
(``trove/instance/models.py``, ``validate_can_perform_action``), so of two concurrent
runs the second is refused, and adopts the first one's backup; if Trove accepts both,
one run deletes its duplicate (:mod:`trove_ext.workflows.backup.rotate_race`).
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    BusyError,
    PartialFailureError,
    ResourceFailedError,
    ServiceError,
    TroveExtError,
    WaitTimeoutError,
)
from trove_ext.follow_up import Action, Verb, merged, to, wait_for_backup
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.rotation import is_sound
from trove_ext.trove import conditions, read, wait_report
from trove_ext.workflows.backup import chains, prune, rotate_preview, rotate_race
from trove_ext.workflows.backup.rotate_job import RotateRow, retention_plan
from trove_ext.workflows.backup.rotate_start import How, start
from trove_ext.workflows.backup.targets import find_instances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import RotateRequest
    from trove_ext.workflows.backup.targets import Found

LIST_CHAINS = Action(Verb.LIST_CHAINS)


def rotate(cloud: Cloud, request: RotateRequest, deadline: Deadline) -> list[RotateRow]:
    """Back up each instance, wait for all together, then prune those that succeeded.

    :returns: a row for each instance; one that failed does not stop the others
    :raises CheckError: the backups can't be verified as requested; nothing was changed
    """
    return rotate_found(
        cloud, request, find_instances(cloud, request.instances), deadline
    )


def rotate_found(
    cloud: Cloud, request: RotateRequest, found: Sequence[Found], deadline: Deadline
) -> list[RotateRow]:
    """Do the same with instances that were found already.

    What stands for a replica set is pruned with the other members: see
    :func:`trove_ext.workflows.backup.prune.plan_rotation`.
    """
    return rotate_batches(cloud, [(request, found)], deadline)


def rotate_batches(
    cloud: Cloud,
    batches: Sequence[tuple[RotateRequest, Sequence[Found]]],
    deadline: Deadline,
) -> list[RotateRow]:
    """Do the same for several requests: all backups are waited for together.

    :param batches: no instance is in two of them
    """
    for request, found in batches:
        if request.check is not None:
            instances = [each.instance for each in found if each.instance]
            request.check.prepare(cloud, [instance.datastore for instance in instances])
    if any(request.dry_run for request, _ in batches):
        return rotate_preview.preview(cloud, batches, deadline)
    started = [
        [_start(cloud, request, target, deadline) for target in found]
        for request, found in batches
    ]
    with cloud.patient(deadline):
        waited = iter(_wait(cloud, [row for rows in started for row in rows], deadline))
        ended = [list(itertools.islice(waited, len(rows))) for rows in started]
        return [
            row
            for (request, _), rows in zip(batches, ended, strict=True)
            if rows
            for row in _finish(cloud, request, rows, deadline)
        ]


def error_of(rows: Sequence[RotateRow]) -> TroveExtError | None:
    """Return the error to end with: a failure, else a time-out, else "in progress"."""
    bad = [row for row in rows if row.error is not None]
    if not bad:
        return None
    lines = [f"{row.found.name}: {row.error}" for row in bad]
    if len(rows) > 1:
        lines.append(f"{len(bad)} of {len(rows)} failed.")
    kinds = [type(row.error) for row in bad]
    kind: type[TroveExtError] = PartialFailureError
    if all(each is BusyError for each in kinds):
        kind = BusyError
    elif all(each in {BusyError, WaitTimeoutError} for each in kinds):
        kind = WaitTimeoutError
    follow_ups = merged(row.error.follow_ups for row in bad if row.error)
    first = rows[0]
    if not follow_ups and (len(rows) > 1 or first.found.group or first.backup):
        # Others were backed up, replicas probed, or its backup was made.
        follow_ups = (to("see the backups of all instances", LIST_CHAINS),)
    return kind("\n".join(lines), follow_ups=follow_ups)


def _start(
    cloud: Cloud, request: RotateRequest, found: Found, deadline: Deadline
) -> RotateRow:
    """Take, adopt or find the backup of one instance."""
    if found.instance is None:
        return RotateRow(found, error=found.error)
    try:
        row = start(cloud, request, RotateRow(found), found.instance, deadline)
    except TroveExtError as exc:
        cloud.progress.note(f"{found.name}: {exc}", *exc.follow_ups)
        return RotateRow(found, error=exc)
    how = row.how.value if row.how else ""
    why = f"{found.why}; " if found.why else ""
    cloud.progress.note(f"{found.name}: backup {row.backup} {how}: {why}{row.note}")
    return row


def _wait(
    cloud: Cloud, rows: Sequence[RotateRow], deadline: Deadline
) -> list[RotateRow]:
    """Poll all backups in progress together."""
    running = [row for row in rows if row.backup and row.how is not How.PRESENT]
    targets = [
        conditions.backup_completed(cloud, row.backup) for row in running if row.backup
    ]
    try:
        waited = cloud.wait(targets, deadline) if targets else []
        errors = [wait_report.error_of([outcome]) for outcome in waited]
    except TroveExtError as exc:
        # The state can't be read any more: the next run adopts backups in progress.
        errors = [_unseen(exc, row) for row in running]
    by_id = dict(zip((row.found.instance_id for row in running), errors, strict=True))
    return [
        replace(row, error=row.error or by_id.get(row.found.instance_id))
        for row in rows
    ]


def _finish(
    cloud: Cloud, request: RotateRequest, rows: Sequence[RotateRow], deadline: Deadline
) -> list[RotateRow]:
    """Read all again, verify what is due, and prune if the new backup is good."""
    try:
        backups = _read_again(cloud, request, rows)
    except TroveExtError as exc:
        unseen = [_unseen(exc, row) for row in rows]
        return [
            replace(row, error=row.error or error)
            for row, error in zip(rows, unseen, strict=True)
        ]
    forest = BackupForest.of(backups, cloud.engines.look)
    good = [
        _resolve_race(cloud, request, forest, _evaluate(forest, row), deadline)
        for row in rows
    ]
    if request.check is not None:
        good = [request.check.apply(cloud, forest, row, deadline) for row in good]
    if request.policy is None:
        return good
    moved = any(
        old.backup and new.backup and old.backup.id != new.backup.id
        for old, new in zip(rows, good, strict=True)
    )
    # A verification takes minutes: others may have deleted or taken some meanwhile.
    again = moved or request.check is not None
    try:
        known = read.list_backups(cloud) if again else backups
    except TroveExtError as exc:
        return [
            row if row.error else replace(row, error=_unpruned(exc)) for row in good
        ]
    return _prune_all(cloud, request, known, good, deadline)


def _unseen(error: TroveExtError, row: RotateRow) -> TroveExtError:
    """Return an error with the command that shows how the backup of a row ended."""
    if row.backup is None:
        return error
    kind = WaitTimeoutError if isinstance(error, WaitTimeoutError) else ServiceError
    return kind(
        f"{error}\nBackup {row.backup} continues on the server.",
        follow_ups=[to("keep waiting", wait_for_backup(row.backup.id))],
    )


def _unpruned(error: TroveExtError) -> TroveExtError:
    """Return an error with the command that shows what retention has left."""
    kind = WaitTimeoutError if isinstance(error, WaitTimeoutError) else ServiceError
    return kind(
        f"{error}\nNothing was pruned.", follow_ups=[to("see the backups", LIST_CHAINS)]
    )


def _read_again(
    cloud: Cloud, request: RotateRequest, rows: Sequence[RotateRow]
) -> list[Backup]:
    """Read what is needed to check the new backups, and all if a policy is to prune.

    Which one is verified depends on the backups of all members of a replica set.
    """
    found = rows[0].found
    only = found.instance_id if len(rows) == 1 else None
    if request.check is not None and found.group and len(found.group.members) > 1:
        only = None
    if request.policy is None and only is not None:
        return list(chains.forest_above(cloud, only))
    return read.list_backups(cloud)


def _resolve_race(
    cloud: Cloud,
    request: RotateRequest,
    forest: BackupForest,
    row: RotateRow,
    deadline: Deadline,
) -> RotateRow:
    """Delete this run's duplicate if another run has taken a backup meanwhile."""
    mine, instance = row.backup, row.found.instance
    if row.error is not None or mine is None or instance is None:
        return row
    if not cloud.engines.look(instance.datastore).any_parent:
        return row
    others = rotate_race.concurrent(
        forest, request.pattern, instance, mine, known=row.known
    )
    if not others:
        return row
    staying = rotate_race.first(mine, others)
    if row.how is not How.ADOPTED and staying is not mine:
        note = f"another run took {staying} at the same moment; {mine} is deleted again"
        cloud.progress.note(f"{row.found.name}: {note}")
        if rotate_race.delete_duplicate(cloud, mine, staying, deadline):
            return replace(row, backup=staying, how=How.ADOPTED, note=note)
    if row.how is How.PRESENT and not any(backup.is_running for backup in others):
        # The runs that took them have ended: no other run prunes.
        return row
    note = f"{row.note}; another run took one at the same moment, and prunes"
    return replace(row, note=note, shared=True)


def _evaluate(forest: BackupForest, row: RotateRow) -> RotateRow:
    if row.backup is None:
        return row
    now = forest.get(row.backup.id)
    if row.error is not None or (now is not None and is_sound(forest, now)):
        return replace(row, backup=now or row.backup)
    why = (
        "it is gone" if now is None else forest.why_not(now.id) or forest.doubt(now.id)
    )
    text = f"Backup {row.backup} can't be restored, nothing is pruned: {why}"
    return replace(row, backup=now or row.backup, error=ResourceFailedError(text))


def _prune_all(
    cloud: Cloud,
    request: RotateRequest,
    backups: Sequence[Backup],
    rows: Sequence[RotateRow],
    deadline: Deadline,
) -> list[RotateRow]:
    """Prune the instances with a good backup, and wait for all deletes together."""
    plans = {
        index: retention_plan(cloud, request, backups, row)
        for index, row in enumerate(rows)
        if not (row.error or row.shared)
    }
    done = prune.execute_all(cloud, list(plans.values()), deadline)
    pruned = dict(zip(plans, done, strict=True))
    return [
        replace(row, pruned=tuple(pruned[index][0]), error=pruned[index][1])
        if index in pruned
        else row
        for index, row in enumerate(rows)
    ]
