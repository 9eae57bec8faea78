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

"""The rules of an instance's engine for its backups.

The facts are in :mod:`trove_ext.model.engine`. On PostgreSQL each of these backups is
COMPLETED, and only a restore shows what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupForest
    from trove_ext.model.engine import Engine
    from trove_ext.model.instance import Instance


def replica_problem(engine: Engine, instance: Instance) -> str | None:
    """Return why a backup of this instance is useless, or None.

    A source that was demoted by a promote is a replica too; a full backup of it FAILS.
    """
    if engine.backs_up_replicas or instance.replica_of is None:
        return None
    return (
        f"it is a replica of {instance.replica_of}, and what is restored from the "
        f"backup of a {engine.title} replica takes no writes, for ever. Back up the "
        "source instead"
    )


def why_full(engine: Engine, instance: Instance, *, incremental: bool) -> str | None:
    """Return why the next backup has to be full, whatever backups exist, or None.

    :param incremental: whether the user asked for incrementals on such an engine
    """
    if engine.any_parent:
        return None
    if not incremental:
        return (
            f"incrementals of {engine.title} can miss rows, which only a restore shows"
        )
    return _set_problem(engine, instance)


def parent_problem(
    engine: Engine,
    forest: BackupForest,
    instance: Instance,
    parent: Backup,
    *,
    but: str | None = None,
) -> str | None:
    """Return why an incremental on this parent would miss rows, or None.

    A backup that was taken since and is deleted by now can't be seen, nor can a replica
    that was deleted.

    :param forest: all backups of the instance, at least
    :param but: the ID of the incremental itself, if it is one of them
    """
    if engine.any_parent or parent.is_volume_snapshot:
        return None
    others = (each for each in forest.of_instance(instance.id) if each.id != but)
    newest = next(others, None)
    if newest is not None and newest.id != parent.id:
        return (
            f"{newest} was taken since, and an incremental of {engine.title} holds "
            "only what was written since the last backup of any kind: a restore would "
            "end at the parent, without an error"
        )
    return _set_problem(engine, instance)


def _set_problem(engine: Engine, instance: Instance) -> str | None:
    if not instance.replicas:
        return None
    return (
        f"{instance} has replicas: Trove took a backup for each, and since a promote "
        f"an incremental of {engine.title} misses rows; neither can be seen afterwards"
    )


def next_is_full(
    forest: BackupForest,
    deleted: Collection[str],
    engine_of: Callable[[str | None], Engine],
) -> list[str]:
    """Describe the instances whose next backup has to be full after a delete.

    The next incremental holds what was written since the last backup, the deleted one
    too, and can have only an older parent.

    :param deleted: IDs
    """
    going = [backup for backup in forest if backup.id in deleted]
    found = []
    for instance_id in dict.fromkeys(backup.instance_id for backup in going):
        newest = next(iter(forest.of_instance(instance_id)), None)
        if newest is None or newest.id not in deleted or newest.is_volume_snapshot:
            continue
        engine = engine_of(newest.datastore)
        if not engine.any_parent:
            found.append(
                f"{newest} is the newest backup of instance {instance_id}: after its "
                f"delete the next one has to be a full one, because an incremental of "
                f"{engine.title} would miss what the deleted backup contains."
            )
    return found
