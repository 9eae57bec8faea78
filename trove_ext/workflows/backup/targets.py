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
"""Several instances at once: one that can't be found does not stop the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oslo_utils import uuidutils

from trove_ext.exceptions import AmbiguousNameError, NotFoundError, TroveExtError
from trove_ext.model.backup_forest import BackupForest
from trove_ext.trove import find, read
from trove_ext.workflows.backup import chains

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trove_ext.model.backup import Backup
    from trove_ext.model.instance import Instance
    from trove_ext.model.selection import Group
    from trove_ext.trove.client import Cloud
    from trove_ext.trove.find import Finder


@dataclass(frozen=True, slots=True)
class Found:
    """The instance of one name or ID.

    :ivar asked: as the user gave it
    :ivar instance: None if it is gone, or nothing was found
    :ivar instance_id: also of a deleted instance if backups of it remain
    :ivar error: why there is no ID
    :ivar group: the replica set that it stands for, or itself if it is in none; None
        for an instance that was named
    :ivar why: why it stands for its set, if it is in one
    """

    asked: str
    instance: Instance | None = None
    instance_id: str | None = None
    error: TroveExtError | None = None
    group: Group | None = None
    why: str = ""

    @property
    def name(self) -> str:
        """The name, or what the user gave."""
        return self.instance.name if self.instance else self.asked


def find_instances(
    cloud: Cloud, names_or_ids: Iterable[str], backups: Iterable[Backup] = ()
) -> list[Found]:
    """Find each instance once; names are looked up in one list for all.

    Costs a request for each ID, and one for each 20 instances if names are given.

    :param backups: a deleted instance is found by these
    """
    owners = {backup.instance_id for backup in backups}
    finder = find.instances(cloud)
    return _once(
        _by_id(cloud, finder, asked, owners) or _by_name(finder, asked)
        for asked in dict.fromkeys(names_or_ids)
    )


def find_with_backups(
    cloud: Cloud, names_or_ids: Sequence[str]
) -> tuple[list[Found], BackupForest]:
    """Find instances, gone ones too, and the backups that show what can be restored.

    Of a single instance its own backups are read, for several the whole project in
    one request: see :mod:`trove_ext.workflows.backup.chains` for what that costs Trove.
    """
    asked = list(dict.fromkeys(names_or_ids))
    if len(asked) > 1:
        backups = read.list_backups(cloud)
        forest = BackupForest.of(backups, cloud.engines.look)
        return find_instances(cloud, asked, backups), forest
    (name_or_id,) = asked
    finder = find.instances(cloud)
    found = _by_id(cloud, finder, name_or_id, set())
    if (found is None or found.error) and uuidutils.is_uuid_like(name_or_id):
        forest = chains.forest_above(cloud, name_or_id)
        if forest.of_instance(name_or_id):
            return [Found(name_or_id, instance_id=name_or_id)], forest
    found = found or _by_name(finder, name_or_id)
    if found.instance_id is None:
        return [found], BackupForest.of(())
    return [found], chains.forest_above(cloud, found.instance_id)


def _by_id(
    cloud: Cloud, finder: Finder[Instance], instance_id: str, owners: set[str | None]
) -> Found | None:
    try:
        instance = finder.by_id(instance_id)
    except TroveExtError as exc:
        return Found(instance_id, error=exc)
    if instance is None:
        gone = instance_id in owners
        return Found(instance_id, instance_id=instance_id) if gone else None
    own = cloud.client.client.get_project_id()
    if instance.project_id not in {None, own}:
        foreign = NotFoundError(
            f"Instance {instance} is of project {instance.project_id}, not of this one "
            f"({own}), whose backups alone are seen here: use that project's cloud."
        )
        return Found(instance_id, error=foreign)
    return Found(instance_id, instance, instance.id)


def _by_name(finder: Finder[Instance], name: str) -> Found:
    try:
        instance = finder.by_name(name)
    except (NotFoundError, AmbiguousNameError) as exc:
        return Found(name, error=exc)
    return Found(name, instance, instance.id)


def _once(found: Iterable[Found]) -> list[Found]:
    """Drop duplicates, named by name and by ID."""
    return list(
        {target.instance_id or target.asked: target for target in found}.values()
    )
