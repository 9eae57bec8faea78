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
"""The backup of one instance for one run of a rotation: taken, adopted or found."""

from __future__ import annotations

import enum
import http
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.exceptions import (
    BusyError,
    CheckError,
    RefusedError,
    ResourceFailedError,
)
from trove_ext.follow_up import Problem, Setting, add
from trove_ext.model import archiver
from trove_ext.model.ages import age_of, describe_ahead, is_ahead
from trove_ext.model.backup import Backup
from trove_ext.model.durations import format_duration
from trove_ext.model.rotation import (
    choose_parent,
    driver_to_name,
    full_is_due,
)
from trove_ext.model.set_member import counts_for_run
from trove_ext.model.status import COMPLETED, READY_STATUSES, Phase
from trove_ext.trove import read, resources, send
from trove_ext.trove.client import is_refusal
from trove_ext.workflows.backup import (
    chains,
    delete,
    engine_rules,
    failed,
    storage_driver,
)
from trove_ext.workflows.replica import fence_lift, sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.rotate_job import RotateRequest, RotateRow

OTHER_PATTERN = add("use another pattern", Setting.NAME_PATTERN)
#: A backup in progress for longer has probably no process any more.
STUCK = timedelta(days=1)


class How(enum.Enum):
    """The origin of the backup of a run."""

    MADE = "made"
    ADOPTED = "adopted"
    PRESENT = "present"
    NOT_DUE = "not due"
    PLANNED = "planned"


def start(
    cloud: Cloud,
    request: RotateRequest,
    row: RotateRow,
    instance: Instance,
    deadline: Deadline,
) -> RotateRow:
    """Find this run's backup if an earlier run has started it; else create it.

    A fence that a killed promote has left on the instance is lifted first.

    The backups are read right before: another run may have taken one while this one
    handled other instances.

    :param row: of the instance, without a backup yet
    :param instance: that of the row
    :returns: the row with the backup of this run
    :raises BusyError: another backup or another operation is in progress
    :raises CheckError: the instance is a replica, of an engine whose replicas can't be
        backed up
    :raises ResourceFailedError: the instance is not in a state for a backup, or one has
        been running for a day
    :raises ServiceError: Trove refused it, or did not respond
    """
    engine = cloud.engines.of(instance.datastore)
    if not engine.backs_up_replicas:
        # A promote may have changed its role since the list was read.
        instance = read.get_instance(cloud, instance.id)
    may_be_fenced = instance.configuration_id is not None and not engine.fences
    if may_be_fenced and not request.dry_run:
        instance = fence_lift.lifted(cloud, sets.of(cloud, instance)).instance
    problem = engine_rules.replica_problem(engine, instance)
    if problem:
        raise CheckError(f"No backup of {instance} is taken", [problem])
    forest = chains.forest_above(cloud, instance.id)
    _report_ahead(cloud, forest, instance)
    there = _there(cloud, request, row, forest, instance)
    if there is not None:
        return there
    try:
        check_ready(cloud, instance)
        return _taken(cloud, request, row, instance, deadline, forest=forest)
    except (BusyError, RefusedError) as exc:
        if not isinstance(exc, BusyError) and not is_refusal(
            exc, http.HTTPStatus.UNPROCESSABLE_ENTITY
        ):
            raise
        # Another run was faster after the list was read.
        again = chains.forest_above(cloud, instance.id)
        there = _there(cloud, request, row, again, instance)
        if there is None:
            raise
        return there


def _taken(
    cloud: Cloud,
    request: RotateRequest,
    row: RotateRow,
    instance: Instance,
    deadline: Deadline,
    *,
    forest: BackupForest,
) -> RotateRow:
    """Return the row of a new backup; it is not taken if this is a dry run."""
    parent, why = _parent(cloud, request, forest, instance)
    note = why if parent else f"full: {why}"
    if request.dry_run:
        planned = _after(cloud, request, instance, parent)
        return replace(row, backup=planned, how=How.PLANNED, note=note)
    driver = driver_to_name(forest, parent, request.storage_driver)
    named = replace(request, storage_driver=driver)
    made = _create(cloud, named, instance, parent, deadline, forest=forest)
    return replace(row, backup=made, how=How.MADE, note=note, known=_ids(forest))


def _there(
    cloud: Cloud,
    request: RotateRequest,
    row: RotateRow,
    forest: BackupForest,
    instance: Instance,
) -> RotateRow | None:
    """Return the row of what an earlier run has started, completed or not."""
    own = request.pattern.recogniser(instance.name)
    now = cloud.clock.now()
    for backup in forest.of_instance(instance.id):
        if own.fullmatch(backup.name) and counts_for_run(
            forest,
            backup,
            now=now,
            min_age=request.min_age,
            storage_driver=request.storage_driver,
        ):
            moment = f"{backup.updated:%Y-%m-%d %H:%M:%S} UTC"
            note = f"there already, completed at {moment}"
            return replace(row, backup=backup, how=How.PRESENT, note=note)
    return _running(cloud, request, row, forest, instance)


def _running(
    cloud: Cloud,
    request: RotateRequest,
    row: RotateRow,
    forest: BackupForest,
    instance: Instance,
) -> RotateRow | None:
    """Adopt a backup of this rotation in progress.

    :raises BusyError: another backup is in progress
    :raises ResourceFailedError: one has been in progress for longer than STUCK
    """
    running = [
        backup for backup in forest.of_instance(instance.id) if backup.is_running
    ]
    if not running:
        return None
    _check_not_stuck(cloud, running)
    for backup in running:
        if request.pattern.is_own(instance.name, backup.name):
            return replace(
                row,
                backup=backup,
                how=How.ADOPTED,
                note="started by an earlier run",
            )
    raise BusyError(
        f"Backup {running[0]} of {instance} is {running[0].status} and not of this "
        "rotation: Trove takes one backup at a time. Try again later."
    )


def _check_not_stuck(cloud: Cloud, running: Sequence[Backup]) -> None:
    """Refuse to wait for a backup that has been in progress for a day.

    Otherwise each run would wait for it, or end with "try again later".

    :raises ResourceFailedError: there is one, or one of unknown age
    """
    now = cloud.clock.now()
    for backup in running:
        ahead = is_ahead(backup.created, now)
        if not ahead and age_of(backup.created, now) <= STUCK:
            continue
        since = (
            f"is {describe_ahead(backup.created, now)}"
            if ahead
            else f"has been running for {format_duration(now - backup.created)}"
        )
        stuck = delete.how_to_end(backup)
        engine = cloud.engines.look(backup.datastore)
        why = archiver.describe_hanging(backup, engine)
        raise ResourceFailedError(
            f"Backup {backup} {since}, and Trove takes no other one meanwhile."
            + (f" {why}." if why else ""),
            follow_ups=stuck.follow_ups,
        )


def _report_ahead(cloud: Cloud, forest: BackupForest, instance: Instance) -> None:
    """Report the restore points whose time proves nothing."""
    now = cloud.clock.now()
    for backup in forest.of_instance(instance.id):
        if backup.is_completed and is_ahead(backup.created, now):
            cloud.progress.warn(
                f"Backup {backup} of {instance.name} is "
                f"{describe_ahead(backup.created, now)}: it counts neither as a recent "
                "backup nor in retention, and is not deleted."
            )


def check_ready(cloud: Cloud, instance: Instance) -> None:
    """Refuse what Trove would refuse: its refusal overwrites the instance's fault.

    :raises BusyError: an operation is in progress
    :raises ResourceFailedError: the instance has failed, or is not healthy
    """
    now = instance
    if now.status not in READY_STATUSES:
        # The list of backups was read after it: its backup may have ended.
        now = read.get_instance(cloud, instance.id)
    if now.phase is Phase.FAILED:
        raise ResourceFailedError(
            f"Instance {now} is {now.state}, no backup is tried: {now.failure_text}"
        )
    if now.status not in READY_STATUSES or now.operating_status == "":
        raise BusyError(f"Instance {now} is {now.state}. Try again later.")
    if not now.is_settled:
        raise ResourceFailedError(
            f"Instance {now} is {now.state}, not HEALTHY: a backup would fail"
        )


def _parent(
    cloud: Cloud, request: RotateRequest, forest: BackupForest, instance: Instance
) -> tuple[Backup | None, str]:
    """Choose a parent, or return why it has to be a full backup."""
    engine = cloud.engines.of(instance.datastore)
    why = engine_rules.why_full(engine, instance, incremental=request.incremental)
    why = why or full_is_due(
        forest,
        instance.id,
        now=cloud.clock.now(),
        full_every=request.full_every,
        chain_length=request.chain_length,
        datastore_version=instance.datastore_version,
        storage_driver=request.storage_driver,
        engine=engine,
    )
    if why is not None:
        return None, why
    parent = choose_parent(
        forest,
        instance.id,
        now=cloud.clock.now(),
        datastore_version=instance.datastore_version,
        storage_driver=request.storage_driver,
        engine=engine,
    )
    return parent, f"on {parent.name if parent else None}"


def _create(
    cloud: Cloud,
    request: RotateRequest,
    instance: Instance,
    parent: Backup | None,
    deadline: Deadline,
    *,
    forest: BackupForest,
) -> Backup:
    """Create it: the parent is named, because Trove's own choice may be wrong.

    :param forest: the backups of the instance, as read right before
    """
    name = _name(cloud, request, instance, full=parent is None)
    parent_id = parent.id if parent else None
    driver = storage_driver.argument(cloud, request.storage_driver)
    shown: list[Backup] = []

    def post() -> str:
        made = cloud.client.backups.create(
            name,
            instance.id,
            parent_id=parent_id,
            incremental=parent is not None,
            **driver,
        )
        shown.append(Backup.from_info(resources.info_of(made, "backup")))
        return shown[0].id

    def create() -> str:
        return send.create_backup(
            cloud,
            name,
            instance.id,
            post,
            parent_id=parent_id,
            known=_ids(forest),
            expected=forest.longest_run(instance.id),
        )

    try:
        backup_id = create()
    except RefusedError as exc:
        if not failed.is_quota_refusal(exc):
            raise
        if not failed.delete_own(
            cloud, instance, request.pattern, request.keep_names, deadline
        ):
            raise failed.with_advice(cloud, exc) from exc
        try:
            backup_id = create()
        except RefusedError as again:
            if failed.is_quota_refusal(again):
                raise failed.with_advice(cloud, again) from again
            raise
    return shown[0] if shown else read.get_backup(cloud, backup_id)


def _after(
    cloud: Cloud, request: RotateRequest, instance: Instance, parent: Backup | None
) -> Backup:
    """Return the record of a backup that would be taken, as if it were completed.

    Its ID is no ID of Trove's.
    """
    now = cloud.clock.now()
    return Backup(
        id=f"planned-{instance.id}",
        name=_name(cloud, request, instance, full=parent is None),
        instance_id=instance.id,
        status=COMPLETED,
        parent_id=parent.id if parent else None,
        size=None,
        created=now,
        updated=now,
        datastore=instance.datastore,
        datastore_version=instance.datastore_version,
    )


def _ids(forest: BackupForest) -> frozenset[str]:
    return frozenset(backup.id for backup in forest)


def _name(
    cloud: Cloud, request: RotateRequest, instance: Instance, *, full: bool
) -> str:
    try:
        return request.pattern.format(instance.name, full=full, now=cloud.clock.now())
    except ValueError as exc:
        raise CheckError(
            f"No backup of {instance} can be taken",
            [Problem(str(exc), (OTHER_PATTERN,))],
        ) from exc
