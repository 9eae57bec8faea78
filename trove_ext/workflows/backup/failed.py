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
"""FAILED backups that fill the quota.

A FAILED backup is no restore point, but counts in the quota of backups
(``trove/backup/models.py``, ``Backup.create``: all records are counted, in any state).
Failures every night would fill it.
"""

from __future__ import annotations

import fnmatch
import http
from typing import TYPE_CHECKING

from trove_ext.exceptions import RefusedError, TroveExtError
from trove_ext.follow_up import Action, Problem, Verb, to
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.status import explain, fault_between
from trove_ext.trove import read, wait_report
from trove_ext.trove.client import is_refusal
from trove_ext.workflows.backup import delete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud

#: How many are named in a message.
SHOWN = 20


def is_quota_refusal(error: BaseException) -> bool:
    """Whether Trove refused because a quota is full: 413 without a Retry-After.

    After a 413 with one, a rate limit, the client waits and sends again.
    """
    return is_refusal(error, http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def list_failed(cloud: Cloud) -> list[Backup]:
    """Return the project's FAILED backups on which no other depends, oldest first."""
    return _without_children(BackupForest.of(read.list_backups(cloud)))


def delete_own(
    cloud: Cloud,
    instance: Instance,
    pattern: NamePattern,
    keep_names: Sequence[str],
    deadline: Deadline,
) -> bool:
    """Delete the FAILED backups that a rotation has taken of an instance.

    Each is named with the reason of its failure, as far as that is stored: the
    instance keeps the last one only.

    :param instance: as read before the request that was refused: Trove has stored the
        refusal as its fault since (``trove/common/notification.py``)
    :param keep_names: shell patterns of names that are not deleted
    :returns: whether any was deleted, so there is room for another backup
    """
    going = [
        backup
        for backup in list_failed(cloud)
        if backup.instance_id == instance.id
        and pattern.is_own(instance.name, backup.name)
        and not any(fnmatch.fnmatchcase(backup.name, keep) for keep in keep_names)
    ]
    for backup in going:
        cloud.progress.warn(
            f"The quota of backups is full: deleting {backup}, which FAILED at "
            f"{backup.updated:%Y-%m-%d %H:%M:%S} UTC "
            f"({_reason(instance, backup)})."
        )
    gone = [_delete(cloud, backup, deadline) for backup in going]
    return any(gone)


def with_advice(cloud: Cloud, refused: RefusedError) -> RefusedError:
    """Add to a full quota's refusal what can be deleted without a loss."""
    found = advice(cloud)
    return RefusedError(
        f"{refused}\n{found}",
        status=refused.status,
        reason=refused.reason,
        follow_ups=[*refused.follow_ups, *found.follow_ups],
    )


def advice(cloud: Cloud) -> Problem:
    """Describe what makes room in a full quota without losing a restore point."""
    try:
        return _describe(list_failed(cloud))
    except TroveExtError as exc:
        return Problem(f"The backups could not be listed: {exc}", exc.follow_ups)


def _describe(failed: Sequence[Backup]) -> Problem:
    """Name FAILED backups and the action that deletes them."""
    if not failed:
        return Problem(
            "No FAILED backup fills it: keep fewer backups, or ask for a larger quota."
        )
    shown = failed[:SHOWN]
    delete_shown = Action(Verb.DELETE_BACKUP, tuple(backup.id for backup in shown))
    names = ", ".join(map(str, shown))
    which = f"the first {SHOWN}" if len(failed) > SHOWN else "what has FAILED"
    return Problem(
        f"{len(failed)} FAILED, which count in the quota and can't be restored: "
        f"{names}.",
        (to(f"delete {which}", delete_shown),),
    )


def _reason(instance: Instance, backup: Backup) -> str:
    cause = fault_between(instance.fault, backup.created, backup.updated)
    return explain(cause, instance.fault)


def _without_children(forest: BackupForest) -> list[Backup]:
    failed = [backup for backup in forest if backup.is_failed]
    leaves = [backup for backup in failed if not forest.children(backup.id)]
    return sorted(leaves, key=lambda backup: backup.age_key)


def _delete(cloud: Cloud, backup: Backup, deadline: Deadline) -> bool:
    try:
        delete.submit(cloud, backup)
        waited = cloud.wait(delete.gone(cloud, [backup]), deadline)
        wait_report.raise_for(waited)
    except TroveExtError as exc:
        cloud.progress.warn(
            f"Backup {backup} could not be deleted: {exc}", *exc.follow_ups
        )
        return False
    return True
