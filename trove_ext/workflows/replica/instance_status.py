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

"""All that matters about one instance: role, states, volume, TLS and backups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.model.ages import age_of, is_ahead
from trove_ext.model.backup import newest
from trove_ext.model.status import RESTART_REQUIRED
from trove_ext.trove import quotas, tls
from trove_ext.workflows.backup import chains
from trove_ext.workflows.replica import sets

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.quotas import Quota
    from trove_ext.trove.tls import Tls


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """An instance as it was read at one time.

    :ivar now: that time, by Trove's clock
    :ivar members: its replica set, itself included; empty if it is in none
    :ivar tls: None if the cloud has none, or the instance is not settled
    :ivar backup: its newest restorable backup
    :ivar chain_length: how many backups a restore of that one reads
    :ivar running: its backup in progress
    :ivar quota: of the project's backups; None if it can't be read
    """

    now: datetime
    instance: Instance
    members: tuple[Instance, ...] = ()
    tls: Tls | None = None
    backup: Backup | None = None
    chain_length: int = 0
    running: Backup | None = None
    quota: Quota | None = None

    @property
    def restart_pending(self) -> bool:
        """Whether a change of its configuration waits for a restart."""
        return self.instance.status == RESTART_REQUIRED

    @property
    def used_percent(self) -> float | None:
        """How full its volume is; None if Trove does not report it."""
        used, size = self.instance.used, self.instance.size
        return 100 * used / size if used is not None and size else None

    @property
    def tls_days_left(self) -> int | None:
        """Whole days until its certificate ends, negative if it has ended."""
        expires = self.tls.expires if self.tls else None
        return (expires - self.now).days if expires else None

    def age(self, moment: datetime | None) -> timedelta | None:
        """Return how long ago a time was; None if it is not known, or ahead of now."""
        if moment is None or is_ahead(moment, self.now):
            return None
        return age_of(moment, self.now)


def read_status(cloud: Cloud, name_or_id: str) -> InstanceStatus:
    """Read an instance, its set, its backups and the quota.

    :raises NotFoundError, AmbiguousNameError: there is no such instance, or several
    """
    membership = sets.find(cloud, name_or_id)
    # Of a list it lacks the fields that the guest agent reports.
    instance = next(
        iter(sets.read_members(cloud, [membership.instance.id])), membership.instance
    )
    forest = chains.forest_above(cloud, instance.id)
    own = forest.of_instance(instance.id)
    now = cloud.clock.now()
    backup = newest((each for each in own if forest.is_restorable(each.id)), now)
    return InstanceStatus(
        now=now,
        instance=instance,
        members=membership.set.members if membership.set else (),
        tls=tls.read_tls(cloud, instance) if instance.is_settled else None,
        backup=backup,
        chain_length=len(forest.restore_path(backup.id)) if backup else 0,
        running=next((each for each in own if each.is_running), None),
        quota=quotas.read_quotas(cloud).get(quotas.BACKUPS),
    )
