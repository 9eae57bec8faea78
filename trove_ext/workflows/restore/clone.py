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

"""Clone an instance: a backup of it, restored with its settings.

Trove has no such request. The backup is dropped afterwards, unless it was there before
or is to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, TroveExtError
from trove_ext.follow_up import Action, Problem, Verb, to
from trove_ext.model.backup import Backup
from trove_ext.model.backup_forest import BackupForest
from trove_ext.model.status import COMPLETED
from trove_ext.trove import conditions, find, read, send, wait_report
from trove_ext.workflows.backup import last_backup
from trove_ext.workflows.restore import restore
from trove_ext.workflows.restore.source import Source

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.last_backup import LastBackup
    from trove_ext.workflows.restore.restore import RestorePlan
    from trove_ext.workflows.restore.settings import RestoreOptions


@dataclass(frozen=True, slots=True)
class CloneRequest:
    """What the user requests.

    :ivar source: name or ID
    :ivar name: of the clone
    :ivar options: None in them: as the source
    :ivar pattern: for the name of the backup that is taken
    :ivar backup: the backup of the source to use, name, ID or one of the words of
        `Source`; None to take one
    :ivar keep: do not delete the backup that is taken
    """

    source: str
    name: str
    options: RestoreOptions
    pattern: NamePattern
    backup: str | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ClonePlan:
    """A request that passed its checks.

    :ivar restore: of the backup, or of one as it will probably be
    :ivar new: the backup to take first; None to use one that exists
    """

    request: CloneRequest
    source: Instance
    restore: RestorePlan
    new: LastBackup | None


@dataclass(frozen=True, slots=True)
class Cloned:
    """The result, as it was read last.

    :ivar restore: what was sent
    :ivar kept: the backup that was taken and still exists
    """

    restore: RestorePlan
    instance: Instance
    kept: Backup | None
    error: TroveExtError | None = None


def check(cloud: Cloud, request: CloneRequest) -> ClonePlan:
    """Check the source, the settings of the clone, and the backup.

    :raises CheckError: nothing was changed; lists all that is wrong
    """
    source = find.instance(cloud, request.source)
    if request.backup is not None:
        wanted = Source(request.backup, source.id)
        return ClonePlan(request, source, _plan(cloud, request, wanted), None)
    problems: list[str | Problem] = []
    new: list[LastBackup] = []
    try:
        new = last_backup.check(cloud, [source], request.pattern)
    except CheckError as exc:
        problems += exc.details
    expected = _expected(cloud, source)
    forest = BackupForest.of([expected])
    try:
        planned = _plan(cloud, request, Source(), (forest, expected))
    except CheckError as exc:
        raise CheckError(_what(source), [*problems, *exc.details]) from exc
    if problems:
        raise CheckError(_what(source), problems)
    return ClonePlan(request, source, planned, new[0])


def _what(source: Instance) -> str:
    return f"{source} can't be cloned"


def _expected(cloud: Cloud, source: Instance) -> Backup:
    """Return a backup as it will probably be."""
    now = cloud.clock.now()
    return Backup(
        id="",
        name="a new backup",
        instance_id=source.id,
        status=COMPLETED,
        parent_id=None,
        size=source.used,
        created=now,
        updated=now,
        datastore=source.datastore,
        datastore_version=source.datastore_version,
    )


def _plan(
    cloud: Cloud,
    request: CloneRequest,
    source: Source,
    found: tuple[BackupForest, Backup] | None = None,
) -> RestorePlan:
    wanted = restore.RestoreRequest(source, request.name, request.options)
    return restore.plan(cloud, wanted, found)


def execute(cloud: Cloud, plan: ClonePlan, deadline: Deadline) -> Cloned:
    """Take the backup, restore it, wait for the clone, and delete the backup.

    The backup is kept if anything goes wrong, or is interrupted; a warning names it.

    :raises TroveExtError: there is no clone
    """
    if plan.new is None:
        return _restored(cloud, plan.restore, deadline)
    (taken,) = last_backup.take(cloud, [plan.new], deadline)
    wanted = [str(plan.source.id), plan.request.name]
    again = Action(Verb.CLONE_INSTANCE, tuple(wanted), backup_id=taken.id)
    try:
        cloud.journal.continue_with(again)
        planned = _plan(cloud, plan.request, Source(taken.id))
        done = _restored(cloud, planned, deadline)
        cloud.journal.continue_with(None)
    except BaseException:
        _warn_of(cloud, taken)
        raise
    if done.error is not None or plan.request.keep:
        if done.error is not None:
            _warn_of(cloud, taken)
        return Cloned(done.restore, done.instance, taken, done.error)
    return _without_backup(cloud, done, taken, deadline)


def _restored(cloud: Cloud, planned: RestorePlan, deadline: Deadline) -> Cloned:
    """Create the clone, and wait until it has its data."""
    instance_id = restore.submit(cloud, planned)
    # From here on, its wait is what goes on.
    cloud.journal.continue_with(None)
    made = read.get_instance(cloud, instance_id)
    made, error = restore.wait_with_additions(cloud, planned, made, deadline)
    return Cloned(planned, made, None, error)


def _without_backup(
    cloud: Cloud, done: Cloned, taken: Backup, deadline: Deadline
) -> Cloned:
    """Delete the backup that was taken, unless another one builds on it by now.

    Trove deletes dependent backups with it (``trove/backup/models.py``,
    ``Backup.delete``).
    """
    instance_id = taken.instance_id
    others = read.list_backups(cloud, instance_id=instance_id)
    if any(each.parent_id == taken.id for each in others):
        cloud.progress.warn(f"Backup {taken} is kept: another backup builds on it.")
        return Cloned(done.restore, done.instance, taken)
    delete = partial(cloud.client.backups.delete, taken.id)
    try:
        send.delete(cloud, f"delete of backup {taken}", taken, delete)
        gone = conditions.backup_gone(cloud, taken)
        wait_report.raise_for(cloud.wait([gone], deadline))
    except TroveExtError as exc:
        error = exc.extended(f"{done.instance} is complete; backup {taken} is left.")
        return Cloned(done.restore, done.instance, taken, error)
    return done


def _warn_of(cloud: Cloud, taken: Backup) -> None:
    delete = Action(Verb.DELETE_BACKUP, (taken.id,))
    cloud.progress.warn(
        f"Backup {taken}, which was taken for the clone, is kept.",
        to("delete it once nothing restores it any more", delete),
    )
