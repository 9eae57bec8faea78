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
"""Check the parent of a new incremental backup.

Trove checks only that an explicit parent exists and belongs to the project
(``trove/backup/models.py``, ``Backup.create``). An incremental on a FAILED parent, or
in Swift on a volume snapshot, FAILS; on a parent of another instance or datastore
version it can't be restored; and with PostgreSQL it misses rows on any parent but the
newest backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError
from trove_ext.workflows.backup import chains, engine_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


def check_parent(
    cloud: Cloud, instance: Instance, parent: str, storage_driver: str | None = None
) -> Backup:
    """Refuse a parent on which no restorable backup can be taken.

    :param parent: name or ID
    :param storage_driver: the driver that the request names, if it names one
    :returns: the parent
    :raises CheckError: it can't be the parent; lists all that is wrong
    :raises NotFoundError, AmbiguousNameError: there is no such backup, or several
    """
    forest, backup = chains.find_with_ancestors(cloud, parent)
    problems = list(_problems(forest, backup, instance, storage_driver))
    problem = engine_problem(cloud, instance, backup)
    problems += [problem] if problem else []
    if problems:
        raise CheckError(
            f"No incremental backup of {instance} can build on {backup}", problems
        )
    return backup


def choose_parent(cloud: Cloud, instance: Instance) -> Backup | None:
    """Return the only backup that an incremental of an instance can build on.

    Trove would choose the one that was updated last. Ask this for an engine whose
    incrementals can't have any parent.

    :returns: None if there is no backup, so Trove takes a full one
    :raises CheckError: the newest can't be the parent
    """
    forest = chains.forest_above(cloud, instance.id)
    newest = next(iter(forest.of_instance(instance.id)), None)
    return check_parent(cloud, instance, newest.id) if newest else None


def engine_problem(
    cloud: Cloud, instance: Instance, parent: Backup, *, but: str | None = None
) -> str | None:
    """Say why an incremental would miss rows by the rules of its engine, or None.

    :param but: the ID of the incremental, if it was taken already
    """
    engine = cloud.engines.of(instance.datastore)
    if engine.any_parent:
        return None
    forest = chains.forest_above(cloud, instance.id)
    return engine_rules.parent_problem(engine, forest, instance, parent, but=but)


def _problems(
    forest: BackupForest,
    parent: Backup,
    instance: Instance,
    storage_driver: str | None,
) -> Iterator[str]:
    why_not = forest.why_not(parent.id)
    if why_not:
        yield f"it can't be restored itself: {why_not}"
    if parent.instance_id != instance.id:
        yield f"it is a backup of another instance, {parent.instance_id}"
    if None not in {parent.datastore, instance.datastore} and (
        parent.datastore != instance.datastore
    ):
        yield f"it is of datastore {parent.datastore}, not {instance.datastore}"
    if None not in {parent.datastore_version, instance.datastore_version} and (
        parent.datastore_version != instance.datastore_version
    ):
        yield (
            f"it is of datastore version {parent.datastore_version}, "
            f"not {instance.datastore_version}"
        )
    if None not in {parent.storage_driver, storage_driver} and (
        parent.storage_driver != storage_driver
    ):
        yield (
            f"it is stored in {parent.storage_driver}, not in {storage_driver}, and an "
            "incremental backup has to be stored where its parent is"
        )
    doubt = forest.doubt(parent.id)
    if doubt:
        yield doubt
