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

"""The next backup of an instance: an incremental on which parent, or a full one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from trove_ext.model.ages import age_of, describe_ahead, is_ahead
from trove_ext.model.backup import newest
from trove_ext.model.durations import format_duration
from trove_ext.model.engine import MYSQL
from trove_ext.model.retention_policy import PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance
    from trove_ext.model.rotation_naming import NamePattern

SLACK_SHARE = 20
SLACK_MAX = timedelta(hours=1)
DAYS_OF_WEEK = 7
#: From the first day of any month this leads into the next one.
LONGEST_MONTH = 31


def choose_parent(
    forest: BackupForest,
    instance_id: str,
    *,
    now: datetime,
    datastore_version_id: str | None = None,
    datastore_version: str | None = None,
    storage_driver: str | None = None,
    engine: Engine = MYSQL,
) -> Backup | None:
    """Return the backup that the next incremental of an instance should build on.

    It is the newest COMPLETED one of that instance that can be restored without a
    doubt: its whole path exists, is of this instance and of one datastore version, and
    has no replication snapshot in it. See `newest` for one that is dated ahead of now.

    Trove's own choice (``get_last_completed`` in ``trove/backup/models.py``) is the
    COMPLETED one that was *updated* last among the first page, whatever its
    ancestors are.

    :param datastore_version_id: only a backup of this version will do
    :param datastore_version: the same by name, which is all that an instance's view
        has; each of the two is ignored if it or the backup's is None
    :param storage_driver: only a backup stored by this driver: an incremental in Swift
        can't be taken on a volume snapshot (the guest reads the parent from Swift,
        ``create_backup`` in ``trove/guestagent/datastore/service.py``)
    :param engine: on one whose incrementals can't have any parent, only the newest
        backup in any state can be it
    """
    candidates = forest.of_instance(instance_id)
    if not engine.any_parent:
        candidates = candidates[:1]
    usable = (
        backup
        for backup in candidates
        if is_sound(forest, backup)
        and _agree(backup.datastore_version_id, datastore_version_id)
        and _agree(backup.datastore_version, datastore_version)
        and _agree(backup.storage_driver, storage_driver)
    )
    return newest(usable, now)


def own_backups(
    forest: BackupForest, members: Iterable[Instance], pattern: NamePattern
) -> Iterator[Backup]:
    """Yield the backups of a rotation, in any state.

    :param members: the instance, or all members of its replica set
    :param pattern: of the names
    """
    for member in members:
        name = pattern.recogniser(member.name)
        for backup in forest.of_instance(member.id):
            if name.fullmatch(backup.name):
                yield backup


def first_of_period(
    forest: BackupForest, backup: Backup, own: Iterable[Backup], period: str
) -> Backup:
    """Return the first backup of its rotation that is of the same period.

    Nothing is stored between two runs, so each run counts what is there: only sound
    backups, of UTC periods as :class:`Policy` counts them.

    :param own: the backups of the rotation: see :func:`own_backups`
    :param period: ``hour``, ``day``, ``week``, ``month`` or ``year``
    :returns: the backup itself if no earlier one is
    """
    bucket = PERIODS[period]
    mine = backup.created.strftime(bucket)
    earlier = (
        other
        for other in own
        if other.age_key < backup.age_key
        and other.created.strftime(bucket) == mine
        and is_sound(forest, other)
    )
    return min(earlier, key=lambda other: other.age_key, default=backup)


def next_period(moment: datetime, period: str) -> datetime:
    """Return when the period after that of a moment begins.

    :param moment: in UTC
    :param period: ``hour``, ``day``, ``week`` (from Monday), ``month`` or ``year``
    """
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return hour + timedelta(hours=1)
    day = hour.replace(hour=0)
    if period == "day":
        return day + timedelta(days=1)
    if period == "week":
        return day + timedelta(days=DAYS_OF_WEEK - day.weekday())
    first = day.replace(day=1)
    if period == "month":
        return (first + timedelta(days=LONGEST_MONTH)).replace(day=1)
    return first.replace(year=day.year + 1, month=1)


def is_sound(forest: BackupForest, backup: Backup) -> bool:
    """Return whether it is a restore point without a doubt, of an instance here."""
    return (
        backup.status == "COMPLETED"
        and forest.is_restorable(backup.id)
        and forest.doubt(backup.id) is None
    )


def driver_to_name(
    forest: BackupForest, parent: Backup | None, wanted: str | None
) -> str | None:
    """Return the storage driver that a request has to name, or None to name none.

    An incremental has to be stored by the driver of its parent, whatever the cloud's
    default is (``storage_strategy``). Clouds before Trove 23 have only Swift and do not
    know this key; a backup that is a volume snapshot shows that this cloud is newer.

    :param wanted: the driver that was asked for, which is named in any case
    """
    if wanted is not None or parent is None:
        return wanted
    if any(backup.is_volume_snapshot for backup in forest):
        return parent.storage_driver
    return None


def full_is_due(
    forest: BackupForest,
    instance_id: str,
    *,
    now: datetime,
    full_every: timedelta | None = None,
    chain_length: int | None = None,
    datastore_version_id: str | None = None,
    datastore_version: str | None = None,
    storage_driver: str | None = None,
    engine: Engine = MYSQL,
) -> str | None:
    """Return why the next backup has to be a full one, or None.

    :param full_every: how old the full backup of new incrementals may be
    :param chain_length: how many backups a restore may have to read, the full one
        included: with 1 each backup is full; a restore of a volume snapshot reads
        nothing else
    :param storage_driver: only a backup stored by this driver can be built on
    :param engine: as for :func:`choose_parent`
    """
    parent = choose_parent(
        forest,
        instance_id,
        now=now,
        datastore_version_id=datastore_version_id,
        datastore_version=datastore_version,
        storage_driver=storage_driver,
        engine=engine,
    )
    if parent is None:
        return _no_parent(forest, instance_id, engine)
    length = len(forest.restore_path(parent.id))
    if chain_length is not None and length >= chain_length:
        return f"the chain is {length} long, {chain_length} is the limit"
    root = forest.root(parent.id)
    return _too_old(root, now, full_every)


def slack(every: timedelta) -> timedelta:
    """Return how much early a backup is due that is wanted this often.

    A daily cron job starts a second earlier one day and a second later the next, so
    "every 7d" would sometimes mean eight days: a twentieth of it, an hour at most.
    """
    return min(every / SLACK_SHARE, SLACK_MAX)


def _no_parent(forest: BackupForest, instance_id: str, engine: Engine) -> str:
    last = next(iter(forest.of_instance(instance_id)), None)
    if engine.any_parent or last is None:
        return "there is no backup to build on"
    return (
        f"the newest backup, {last}, can't be built on, and on {engine.title} no "
        "other one may be the parent"
    )


def _too_old(root: Backup, now: datetime, full_every: timedelta | None) -> str | None:
    if full_every is None:
        return None
    if is_ahead(root.created, now):
        return f"the full backup {root.id} is {describe_ahead(root.created, now)}"
    age = age_of(root.created, now)
    if age < full_every - slack(full_every):
        return None
    return (
        f"the full backup {root.id} is {format_duration(age)} old, "
        f"one is due every {format_duration(full_every)}"
    )


def _agree(mine: str | None, other: str | None) -> bool:
    return mine is None or other is None or mine == other
