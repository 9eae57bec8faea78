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

"""What several targets of a wait read together, for less than one request each.

Trove lists backups by ``updated``, the newest first, and honours ``limit``
(``trove/backup/models.py``, ``_paginate``): so a short page shows all that are in
progress or have just ended. It lists instances by ID, 20 a page, those behind
``marker``, which need not be the ID of an instance (``trove/db/sqlalchemy/api.py``,
``_limits``): so a page that begins with a target costs what a read of this
target costs, and shows 19 more. What is missing there is read by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import LoginError, RefusedError
from trove_ext.model.status import Phase
from trove_ext.trove import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.polling import Target
    from trove_ext.trove.client import Cloud

#: A page of backups has room for two of each target, and for some of others.
ROOM = 10
#: If several targets are missing, the next page is this many times longer: they have
#: not changed for some time, as none does that is being deleted.
LONGER = 4
BACKUPS, INSTANCES = "backups", "instances"


class SharedReads:
    """The backups and instances of one round; see :class:`trove_ext.polling.Shared`.

    Outside of a round each one is read by itself.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        #: What is not read by pages: they are refused, or save nothing.
        self._singly: set[str] = set()
        self._backups: dict[str, Backup] = {}
        #: How many backups the next page has at least, and how many of the targets were
        #: missing on the last one.
        self._limit = self._missing = 0
        self._instances: dict[str, Instance] = {}
        #: IDs of the instances that may be read in this round, until they were.
        self._wanted: tuple[str, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests the run has sent so far."""
        return self._cloud.journal.requests

    def begin(self, targets: Sequence[Target]) -> None:
        """Begin a round of readings of these targets."""
        self._clear()
        backups = {target.backup_id for target in targets if target.backup_id}
        if len(backups) > 1 and BACKUPS not in self._singly:
            self._read_backups(len(backups))
        wanted = {target.instance_id for target in targets if target.instance_id}
        self._wanted = tuple(sorted(wanted)) if len(wanted) > 1 else ()
        if any(target.instance_id and not target.backup_id for target in targets):
            self._read_instances()

    def end(self) -> None:
        """End the last round of a wait."""
        self._clear()
        self._singly.clear()
        self._limit = 0

    def backup(self, backup_id: str) -> Backup:
        """Return a backup as of this round.

        :raises NotFoundError: there is none with this ID
        """
        found = self._backups.get(backup_id)
        if found is None:
            found = read.get_backup(self._cloud, backup_id)
            self._missing += bool(self._backups)
        return found

    def instance(self, instance_id: str) -> Instance:
        """Return an instance as of this round.

        One that a page shows as failed is read by itself: the list has the status of
        a server that Nova does not list at once (``Instances._load_servers_status`` in
        ``trove/instance/models.py``).

        :raises NotFoundError: there is none with this ID
        """
        self._read_instances()
        found = self._instances.get(instance_id)
        if found is not None and found.phase is not Phase.FAILED:
            return found
        return read.get_instance(self._cloud, instance_id)

    def _clear(self) -> None:
        self._backups, self._instances, self._wanted = {}, {}, ()

    def _read_backups(self, count: int) -> None:
        if self._missing > 1:
            self._limit *= LONGER
        self._missing = 0
        self._limit = max(self._limit, 2 * count + ROOM)
        try:
            page = read.recent_backups(self._cloud, self._limit)
        except (RefusedError, LoginError):
            self._singly.add(BACKUPS)
        else:
            self._backups = {backup.id: backup for backup in page}

    def _read_instances(self) -> None:
        """Read the fewest pages with all wanted instances, once in a round."""
        wanted, self._wanted = self._wanted, ()
        if not wanted or INSTANCES in self._singly:
            return
        pages, behind = 0, ""
        for instance_id in wanted:
            if instance_id <= behind:
                continue
            try:
                page = read.instances_from(self._cloud, instance_id)
            except (RefusedError, LoginError):
                self._singly.add(INSTANCES)
                return
            pages += 1
            self._instances |= {instance.id: instance for instance in page}
            # A page is sorted by the time of creation within itself.
            behind = max((instance.id for instance in page), default=instance_id)
        if pages == len(wanted):
            self._singly.add(INSTANCES)
