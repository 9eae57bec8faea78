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

"""The backup to restore or to verify: named, or the newest before a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, NotFoundError
from trove_ext.follow_up import Action, Problem, Verb, to
from trove_ext.model.ages import age_of, describe_ahead, is_ahead
from trove_ext.model.durations import format_duration
from trove_ext.model.restore_point import Wanted, choose, data_time
from trove_ext.trove import find
from trove_ext.workflows.backup import chains

if TYPE_CHECKING:
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.restore_point import Chosen
    from trove_ext.trove.client import Cloud

#: Words for a backup of an instance, instead of a name or an ID.
LATEST = "latest"
LATEST_FULL = "latest-full"
LIST = to("list the chains of backups", Action(Verb.LIST_CHAINS))


@dataclass(frozen=True, slots=True)
class Source:
    """Which backup is meant.

    :ivar backup: name or ID; with an instance also `LATEST` or `LATEST_FULL`, which
        None is the same as
    :ivar instance: name or ID, the ID if it is deleted: only backups of it
    :ivar before: aware; with an instance and no name: the newest whose data is no newer
    """

    backup: str | None = None
    instance: str | None = None
    before: datetime | None = None

    def __str__(self) -> str:
        if self.instance is None:
            return self.backup or ""
        return f"{self.backup or LATEST} of {self.instance}"


def find_source(cloud: Cloud, source: Source | str) -> tuple[BackupForest, Backup]:
    """Find the backup, and report which it is if it was not named.

    :param source: or the name or ID of the backup
    :returns: a forest that shows whether it can be restored, and the backup
    :raises NotFoundError: there is no such backup, or no such instance
    :raises AmbiguousNameError: several have the name
    :raises CheckError: the instance has no restorable backup from that time
    """
    if isinstance(source, str):
        source = Source(source)
    if source.instance is None:
        return chains.find_with_ancestors(cloud, source.backup or "")
    instance_id, forest = chains.of_instance(cloud, source.instance)
    taken = forest.of_instance(instance_id)
    if source.backup not in {None, LATEST, LATEST_FULL}:
        return forest, _named(cloud, source, taken)
    now = cloud.clock.now()
    wanted = Wanted(source.before, full=source.backup == LATEST_FULL)
    chosen = choose(forest, taken, wanted, now)
    if chosen.backup is None:
        raise _none(forest, source, chosen, now)
    for text in _report(forest, chosen.backup, chosen, wanted, now):
        cloud.progress.note(text)
    return forest, chosen.backup


def id_of(cloud: Cloud, source: Source) -> str:
    """Return the ID of what is meant; a name or ID without an instance as it is.

    :raises TroveExtError: see :func:`find_source`
    """
    if source.instance is None:
        return source.backup or ""
    return find_source(cloud, source)[1].id


def _named(cloud: Cloud, source: Source, taken: tuple[Backup, ...]) -> Backup:
    """Find a backup by name or ID among those of the instance."""
    found = next((each for each in taken if each.id == source.backup), None)
    try:
        return found or find.backups(cloud, taken).by_name(source.backup or "")
    except NotFoundError as exc:
        raise NotFoundError(
            f"No backup with a name or ID of {source.backup!r} exists among those of "
            f"{source.instance}."
        ) from exc


def _report(
    forest: BackupForest, backup: Backup, chosen: Chosen, wanted: Wanted, now: datetime
) -> list[str]:
    """Describe what was chosen, how far from what was asked, and what was not."""
    moment, before = data_time(backup), wanted.before
    distance = f"{format_duration(age_of(moment, now))} ago"
    if before is not None:
        # Between two times of one zone Python counts hours of the clock on the wall.
        earlier = format_duration(before.astimezone(UTC) - moment)
        distance = f"{earlier} before {before.isoformat(timespec='seconds')}"
        moment = moment.astimezone(before.tzinfo)
    skipped = [_skipped(forest, each, now) for each in chosen.nearer[:1]]
    found = (
        f"Chosen: {backup} with the data as of {moment.isoformat(timespec='seconds')}, "
        f"{distance}. This is no point-in-time recovery: later changes are not in it."
    )
    return [found, *skipped]


def _skipped(forest: BackupForest, nearer: Backup, now: datetime) -> str:
    return f"The newer {nearer} can't be used: {_why(forest, nearer, now)}."


def _why(forest: BackupForest, backup: Backup, now: datetime) -> str:
    for moment in (backup.created, data_time(backup)):
        if is_ahead(moment, now):
            return describe_ahead(moment, now)
    why = forest.why_not(backup.id) or forest.doubt(backup.id)
    return why or f"it is {backup.status}"


def _none(
    forest: BackupForest, source: Source, chosen: Chosen, now: datetime
) -> CheckError:
    """Explain that there is no such restore point, and which are nearest."""
    kind = "full backup" if source.backup == LATEST_FULL else "backup"
    problem = f"it has no restorable {kind}"
    if chosen.oldest is not None and source.before is not None:
        oldest = data_time(chosen.oldest).astimezone(source.before.tzinfo)
        problem += (
            f" with the data of {source.before.isoformat(timespec='seconds')} or "
            f"earlier; the oldest is {chosen.oldest}, with the data as of "
            f"{oldest.isoformat(timespec='seconds')}"
        )
    problems: list[str | Problem] = [Problem(problem, (LIST,))]
    problems += [
        f"{each} can't be used: {_why(forest, each, now)}" for each in chosen.nearer[:3]
    ]
    return CheckError(f"No backup of {source.instance} can be chosen", problems)
