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
"""What a rotation is asked to do, and what it has done with one instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from trove_ext.model.retention import Rotation
from trove_ext.model.retention_policy import Policy
from trove_ext.trove import conditions
from trove_ext.workflows.backup import prune

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.exceptions import TroveExtError
    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.rotation_naming import NamePattern
    from trove_ext.polling import Deadline
    from trove_ext.trove.client import Cloud
    from trove_ext.workflows.backup.prune import PrunePlan, PruneRow
    from trove_ext.workflows.backup.rotate_start import How
    from trove_ext.workflows.backup.targets import Found

MIN_AGE = timedelta(hours=1)


class Check(Protocol):
    """What verifies a backup before anything is pruned."""

    def prepare(self, cloud: Cloud, datastores: Sequence[str | None]) -> None:
        """Raise if it can't be done, before a backup is taken."""

    def apply(
        self, cloud: Cloud, forest: BackupForest, row: RotateRow, deadline: Deadline
    ) -> RotateRow:
        """Return the row, with an error if its backup was due and did not verify."""


@dataclass(frozen=True, slots=True)
class RotateRequest:
    """The parameters of a rotation.

    :ivar instances: names or IDs
    :ivar full_every: how old the full backup of new incrementals may be
    :ivar chain_length: how many backups a restore may read, the full one included
    :ivar min_age: a completed backup of this rotation that is younger counts as this
        run's
    :ivar policy: what to keep afterwards; None to delete nothing
    :ivar storage_driver: what to store the backups by, and build on; None for the
        driver of the parent, and for a full backup the cloud's default
    :ivar incremental: whether to take incrementals too of an engine whose incrementals
        may miss rows
    :ivar check: verifies backups before anything is pruned
    :ivar dry_run: only plan: see :mod:`trove_ext.workflows.backup.rotate_preview`
    """

    instances: tuple[str, ...]
    pattern: NamePattern
    full_every: timedelta | None = None
    chain_length: int | None = None
    min_age: timedelta = MIN_AGE
    policy: Policy | None = None
    storage_driver: str | None = None
    incremental: bool = False
    check: Check | None = None
    dry_run: bool = False

    @property
    def keep_names(self) -> tuple[str, ...]:
        """Shell patterns of the names that are never deleted."""
        return self.policy.keep_names if self.policy else ()


@dataclass(frozen=True, slots=True)
class RotateRow:
    """The result for one instance.

    :ivar backup: the run's backup, as read last; None if there is none; in a plan it
        may have no ID yet
    :ivar how: whether it was taken by this run, adopted, or existed already
    :ivar note: the reason of the choice
    :ivar error: why there is no good backup, or why pruning was incomplete
    :ivar pruned: every backup of the instance, and its result; in a plan what the
        result will be
    :ivar known: IDs of the backups that existed before this run took its own
    :ivar shared: another run took a backup at the same moment, and prunes
    """

    found: Found
    backup: Backup | None = None
    how: How | None = None
    note: str = ""
    error: TroveExtError | None = None
    pruned: tuple[PruneRow, ...] = ()
    shared: bool = False
    known: frozenset[str] = frozenset()

    @property
    def deleted(self) -> int:
        """How many backups were deleted."""
        return sum(row.result == conditions.GONE for row in self.pruned)


def retention_plan(
    cloud: Cloud, request: RotateRequest, backups: Sequence[Backup], row: RotateRow
) -> PrunePlan:
    """Return what retention does for one row, after its backup.

    :param backups: all of the project, with the new one
    """
    policy = request.policy or Policy()
    made = [row.backup.id] if row.backup else []
    group = row.found.group
    if group is None:
        return prune.plan(cloud, [row.found], policy, backups, made=made)
    members = {member.id: member.name for member in group.members}
    rotation = Rotation(members, request.pattern)
    return prune.plan_rotation(cloud, rotation, policy, backups, made=made)
