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

"""One backup of an instance: full, or incremental on a parent that can be restored.

Trove checks only that a parent exists, and by itself builds on the backup that was
updated last, whatever its ancestors are (``trove/backup/models.py``,
``Backup.create``). So the parent is always named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError, RefusedError
from trove_ext.model.backup import CINDER, Backup
from trove_ext.model.rotation import choose_parent, driver_to_name
from trove_ext.trove import find, read, resources, send
from trove_ext.workflows.backup import (
    chains,
    engine_rules,
    failed,
    parent_check,
    rotate_start,
    storage_driver,
)

if TYPE_CHECKING:
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """What to back up, and how.

    :ivar instance: name or ID
    :ivar name: of the backup
    :ivar incremental: build on the newest backup of the instance that can be restored
    :ivar parent: build on this backup (name or ID)
    :ivar storage_driver: None for the driver of the parent, and for a full backup the
        cloud's default
    """

    instance: str
    name: str
    incremental: bool = False
    parent: str | None = None
    description: str | None = None
    storage_driver: str | None = None


def create(cloud: Cloud, request: CreateRequest) -> Backup:
    """Check, and send the create request once.

    :returns: the backup as it was read right after
    :raises NotFoundError, AmbiguousNameError: there is no such instance or parent, or
        several
    :raises BusyError: another operation is in progress on the instance
    :raises ResourceFailedError: the instance is not in a state for a backup
    :raises CheckError: there is nothing to build on, the parent is unsuitable, or the
        engine of the instance can't back it up
    :raises RefusedError: Trove refuses it; nothing was changed
    :raises LostAnswerError: the response was lost and no such backup exists
    """
    instance = find.instance(cloud, request.instance)
    engine = cloud.engines.of(instance.datastore)
    if problem := engine_rules.replica_problem(engine, instance):
        raise CheckError(f"No backup of {instance} is taken", [problem])
    rotate_start.check_ready(cloud, instance)
    parent, driver = _parent(cloud, request, instance)
    arguments = storage_driver.argument(cloud, driver)
    parent_id = parent.id if parent else None

    def post() -> str:
        made = cloud.client.backups.create(
            request.name,
            instance.id,
            description=request.description,
            parent_id=parent_id,
            incremental=parent_id is not None,
            **arguments,
        )
        return resources.id_of(made, "backup")

    try:
        backup_id = send.create_backup(
            cloud, request.name, instance.id, post, parent_id=parent_id
        )
    except RefusedError as exc:
        if failed.is_quota_refusal(exc):
            raise failed.with_advice(cloud, exc) from exc
        raise
    return read.get_backup(cloud, backup_id)


def _parent(
    cloud: Cloud, request: CreateRequest, instance: Instance
) -> tuple[Backup | None, str | None]:
    """Return the parent, and the storage driver that the request has to name."""
    wanted, chosen = request.storage_driver, request.parent
    any_parent = cloud.engines.of(instance.datastore).any_parent
    if chosen is None and request.incremental and not any_parent:
        newest = parent_check.choose_parent(cloud, instance)
        chosen = newest.id if newest else None
    if chosen is not None:
        parent = parent_check.check_parent(cloud, instance, chosen, wanted)
        is_snapshot = parent.is_volume_snapshot and wanted is None
        return parent, CINDER if is_snapshot else wanted
    if not request.incremental:
        return None, wanted
    forest = chains.forest_above(cloud, instance.id)
    found = choose_parent(
        forest,
        instance.id,
        now=cloud.clock.now(),
        datastore_version=instance.datastore_version,
        storage_driver=wanted,
    )
    if found is None:
        raise CheckError(
            f"No incremental backup of {instance} can be taken",
            ["it has no backup to build on; take a full one"],
        )
    return found, driver_to_name(forest, found, wanted)
