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

"""The restore point that somebody means who names an instance and a time.

Trove has no point-in-time recovery: a restore ends at a backup. A backup holds the data
as of its end, because the changes made while it is taken are in it; a volume snapshot
holds them as of its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trove_ext.model.ages import is_ahead
from trove_ext.model.backup import newest
from trove_ext.model.rotation import is_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which restore point of an instance is wanted.

    :ivar before: aware; its data may not be newer than this; None for the newest
    :ivar full: a full backup, or a volume snapshot, which a restore reads alone
    """

    before: datetime | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was found.

    :ivar backup: None if there is none
    :ivar nearer: backups that were begun after it and before the wanted time, and can't
        be used, newest first
    :ivar oldest: the restore point with the oldest data, whatever time is wanted; None
        if there is no restore point at all
    """

    backup: Backup | None
    nearer: tuple[Backup, ...]
    oldest: Backup | None


def data_time(backup: Backup) -> datetime:
    """Return the moment as of which it holds the data; aware, UTC.

    ``updated`` is the time of the last change of the record: that of its end, unless
    something else changes it later. Then the data is older than this says, never newer.
    """
    if backup.is_volume_snapshot:
        return backup.created
    return max(backup.created, backup.updated)


def parse_moment(text: str) -> datetime:
    """Parse a moment: ISO 8601 with a time zone.

    Without a zone the hour is ambiguous: the machine that runs a command, its user and
    the cloud may be in three zones, and the hour after a daylight-saving change is
    there twice.

    :returns: aware, in the zone that was given
    :raises ValueError: with a text for the user

    >>> parse_moment("2026-11-24T10:00+02:00").astimezone(UTC).hour
    8
    """
    example = "write it like 2026-11-24T10:00+02:00 or 2026-11-24T08:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"'{text}' is not a valid time; {example}") from exc
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' has no time zone; {example}")
    try:
        moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"'{text}' is not a valid time; {example}") from exc
    return moment


def choose(
    forest: BackupForest, taken: Sequence[Backup], wanted: Wanted, now: datetime
) -> Chosen:
    """Choose the newest restore point whose data is no newer than what is wanted.

    One that is dated ahead of now may be of any age, and is never chosen.

    :param forest: has the ancestors too
    :param taken: the backups of the instance
    :param now: aware, by Trove's clock
    """
    suitable = [backup for backup in taken if _suits(backup, wanted)]
    points = [backup for backup in suitable if _is_point(forest, backup, now)]
    early = [backup for backup in points if _is_early(data_time(backup), wanted)]
    backup = newest(early, now)
    nearer = [
        other
        for other in suitable
        if other not in points
        and _is_early(other.created, wanted)
        and (backup is None or other.age_key > backup.age_key)
    ]
    return Chosen(
        backup=backup,
        nearer=tuple(sorted(nearer, key=lambda other: other.age_key, reverse=True)),
        oldest=min(points, key=data_time, default=None),
    )


def _suits(backup: Backup, wanted: Wanted) -> bool:
    alone = not backup.is_incremental or backup.is_volume_snapshot
    return alone or not wanted.full


def _is_point(forest: BackupForest, backup: Backup, now: datetime) -> bool:
    if is_ahead(backup.created, now) or is_ahead(data_time(backup), now):
        return False
    return is_sound(forest, backup)


def _is_early(moment: datetime, wanted: Wanted) -> bool:
    return wanted.before is None or moment <= wanted.before
