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

"""When the next backup of an instance is due, by the backups that exist.

Nothing is remembered between runs: the newest good backup of the rotation shows when
the next one is due, whoever took it.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from trove_ext.model.ages import is_ahead
from trove_ext.model.rotation import (
    first_of_period,
    is_sound,
    next_period,
    own_backups,
    slack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.policy_file import Rule, Settings
    from trove_ext.model.selection import Group


class State(enum.Enum):
    """What a policy file wants for an instance now."""

    DUE = "due"
    RUNNING = "in progress"
    WAITING = "not due"
    SKIPPED = "skipped"
    NO_RULE = "no rule"


@dataclass(frozen=True, slots=True)
class Due:
    """When an instance, or a replica set, is backed up next.

    :ivar rule: the one that applies; None if no rule does
    :ivar last: its newest good backup of the rotation, of any member
    :ivar at: when the next one is due; None if it is skipped, or has none yet
    :ivar first: the first good backup of the rotation that is of the same period as
        the last one, which is the one that is verified; None without verifications
    :ivar verify_at: the start of the next backup that is verified: that of the last
        one if it is the first of its period; None as for the others
    """

    group: Group
    rule: Rule | None
    state: State
    last: Backup | None = None
    at: datetime | None = None
    first: Backup | None = None
    verify_at: datetime | None = None

    @property
    def verifies_last(self) -> bool:
        """Whether the newest good backup is the one of its period to be verified."""
        return self.first is not None and self.first is self.last


def due(forest: BackupForest, group: Group, rule: Rule | None, now: datetime) -> Due:
    """Find out when the next backup is due.

    It is due a little early: see :func:`trove_ext.model.rotation.slack`.
    """
    if rule is None:
        return Due(group, None, State.NO_RULE)
    settings = rule.settings
    if settings is None:
        return Due(group, rule, State.SKIPPED)
    own = sorted(
        _own(forest, group, settings), key=lambda backup: backup.age_key, reverse=True
    )
    good = (
        backup
        for backup in own
        if is_sound(forest, backup) and not is_ahead(backup.created, now)
    )
    last = next(good, None)
    at = _later(last.created, settings.every) if last else None
    if any(backup.is_running for backup in own):
        state = State.RUNNING
    elif at is None or now >= at - slack(settings.every):
        state = State.DUE
    else:
        state = State.WAITING
    found = Due(group, rule, state, last, at)
    return _with_verification(forest, found, settings) if last else found


def _with_verification(forest: BackupForest, found: Due, settings: Settings) -> Due:
    """Add which backup is verified, and when the next one will be."""
    last = found.last
    if last is None or settings.verification is None:
        return found
    period = settings.verification.period
    own = own_backups(forest, found.group.members, settings.pattern)
    first = first_of_period(forest, last, own, period)
    if first is last:
        return replace(found, first=first, verify_at=last.created)
    rest = next_period(last.created, period) - last.created
    number = max(1, math.ceil(rest / settings.every))
    at = _later(last.created, number * settings.every)
    return replace(found, first=first, verify_at=at)


def _later(moment: datetime, span: timedelta) -> datetime:
    """Add a duration that may lead beyond the last year of the calendar."""
    try:
        return moment + span
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _own(forest: BackupForest, group: Group, settings: Settings) -> Iterator[Backup]:
    """Yield the backups of the rotation, of all members."""
    for backup in own_backups(forest, group.members, settings.pattern):
        if settings.storage_driver in {None, backup.storage_driver}:
            yield backup
