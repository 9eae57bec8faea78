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
"""Backup chains, read with as few requests and rows as possible.

Trove shows a flat list, and queries its database four times for each row of it
(``trove/backup/views.py``): ten thousand backups take it most of a minute. A
parent may be of another instance, so dependent backups are found by reading the whole
project, in one request; whether a backup can be restored depends on its ancestors,
which are read by instance.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oslo_utils import uuidutils

from trove_ext.exceptions import CheckError, NotFoundError
from trove_ext.model.ages import describe_ahead, is_ahead
from trove_ext.model.backup_forest import BackupForest
from trove_ext.trove import find, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from trove_ext.model.backup import Backup
    from trove_ext.model.backup_forest import BackupChain
    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class ListedChain:
    """A chain, as of one moment, and the instance that its root was taken of.

    :ivar newest_restorable: the member to restore for the latest data; None if no
        member can be restored, or each that can is dated ahead of now
    :ivar volume_used_gb: GB that it needs in a volume; see `BackupChain`
    :ivar instance_name: None if it was not requested, or the instance is gone
    """

    chain: BackupChain
    newest_restorable: Backup | None
    volume_used_gb: float | None
    instance_name: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A backup in its chain.

    :ivar depth: how many backups are above it
    :ivar why_not: why it can't be restored; None if it can
    :ivar doubt: what makes a restore doubtful although each state is right
    :ivar ahead: how far it is dated ahead of now; None if it is not
    """

    backup: Backup
    depth: int
    why_not: str | None
    doubt: str | None
    ahead: str | None


def list_chains(
    cloud: Cloud,
    *,
    instance: str | None = None,
    all_projects: bool = False,
    project_id: str | None = None,
    with_names: bool = False,
) -> list[ListedChain]:
    """List all chains, oldest root first.

    Costs one request; with names, or a filter by name, one more for each 20
    instances. With a filter in the own project only the backups of that instance are
    read; a dependent backup of another instance is then not counted.

    :param instance: name or ID: only chains with a backup of it
    :param all_projects: admin only
    :param with_names: read the names of the instances too
    :raises NotFoundError: neither such an instance nor a backup of it exists
    """
    instances = read.list_instances(cloud) if with_names else None
    wanted: str | None = None
    if instance is not None and not all_projects and project_id is None:
        wanted, forest = of_instance(cloud, instance, instances)
    else:
        backups = read.list_backups(
            cloud, all_projects=all_projects, project_id=project_id
        )
        forest = BackupForest.of(backups, cloud.engines.look)
        if instance is not None:
            wanted = instance_id_of(cloud, instance, backups)
    names = {entry.id: entry.name for entry in instances or ()}
    now = cloud.clock.now()
    return [
        ListedChain(
            chain,
            chain.newest_restorable(now),
            chain.volume_used_gb(now),
            names.get(chain.root.instance_id or ""),
        )
        for chain in forest.chains()
        if wanted is None
        or any(member.instance_id == wanted for member in chain.members)
    ]


def show_chain(cloud: Cloud, name_or_id: str) -> list[Member]:
    """Return the members of the chain that a backup belongs to, as a drawn tree.

    :raises NotFoundError: there is no such backup
    :raises AmbiguousNameError: several have the name
    """
    forest, backup = find_in_forest(cloud, name_or_id)
    return members(forest, forest.chain(backup.id).members, cloud.clock.now())


def members(
    forest: BackupForest, backups: Iterable[Backup], now: datetime
) -> list[Member]:
    """Describe each backup: its place in the tree, and whether it can be restored.

    :param now: aware, by Trove's clock
    """
    return [
        Member(
            backup=backup,
            depth=forest.depth(backup.id),
            why_not=forest.why_not(backup.id),
            doubt=forest.doubt(backup.id),
            ahead=describe_ahead(backup.created, now)
            if is_ahead(backup.created, now)
            else None,
        )
        for backup in backups
    ]


def find_in_forest(cloud: Cloud, name_or_id: str) -> tuple[BackupForest, Backup]:
    """Find a backup among all of its project, in one request for the user's project.

    An admin may name a backup of another project by its ID: then that project's
    backups are read.

    :raises NotFoundError: there is no such backup
    :raises AmbiguousNameError: several have the name
    """
    forest, backups = find_all_in_forest(cloud, [name_or_id])
    return forest, backups[0]


def find_all_in_forest(
    cloud: Cloud, names_or_ids: Sequence[str]
) -> tuple[BackupForest, list[Backup]]:
    """Find several backups, and all backups of their projects.

    :returns: the forest, and those found, once each
    :raises NotFoundError, AmbiguousNameError: the only one can't be found
    :raises CheckError: not all of several can be found
    """
    known = read.list_backups(cloud)
    found, problems = find.backups(cloud, listed=known).each(names_or_ids)
    if problems and len(names_or_ids) == 1:
        raise problems[0]
    if problems:
        raise CheckError("Not all backups can be found", problems)
    ids = {backup.id for backup in known}
    for backup in found:
        if backup.id not in ids:
            known = [*known, *read_project_of(cloud, backup), backup]
            ids |= {each.id for each in known}
    return BackupForest.of(known, cloud.engines.look), found


def forest_above(cloud: Cloud, instance_id: str) -> BackupForest:
    """Read the backups of one instance, and all their ancestors.

    That shows what can be restored, but not everything that a delete removes: a child
    of another instance is not in it. Costs one request, and one more for each ancestor
    that is of another instance or gone.
    """
    return BackupForest.of(
        _with_ancestors(cloud, read.list_backups(cloud, instance_id=instance_id)),
        cloud.engines.look,
    )


def find_with_ancestors(cloud: Cloud, name_or_id: str) -> tuple[BackupForest, Backup]:
    """Find a backup and everything that a restore of it reads.

    With an ID that costs two requests, and by name one for the whole project.

    :returns: a forest that shows whether it can be restored, and the backup
    :raises NotFoundError: there is no such backup
    :raises AmbiguousNameError: several have the name
    """
    finder = find.backups(cloud)
    backup = finder.find(name_or_id)
    if finder.listed is not None:
        return BackupForest.of(finder.listed, cloud.engines.look), backup
    siblings = (
        read.list_backups(cloud, instance_id=backup.instance_id)
        if backup.parent_id and backup.instance_id
        else []
    )
    known = _with_ancestors(cloud, [*siblings, backup])
    return BackupForest.of(known, cloud.engines.look), backup


def _with_ancestors(cloud: Cloud, backups: Iterable[Backup]) -> list[Backup]:
    """Add the ancestors that are not in a list, except deleted ones."""
    known = {backup.id: backup for backup in backups}
    missing = [backup.parent_id for backup in known.values() if backup.parent_id]
    asked: set[str] = set()
    while missing:
        parent_id = missing.pop()
        if parent_id in known or parent_id in asked:
            continue
        asked.add(parent_id)
        with contextlib.suppress(NotFoundError):
            known[parent_id] = parent = read.get_backup(cloud, parent_id)
            missing += [parent.parent_id] if parent.parent_id else []
    return list(known.values())


def read_project_of(cloud: Cloud, backup: Backup) -> list[Backup]:
    """Read all backups of a backup's project, which is not the user's own."""
    return read.list_backups(
        cloud, project_id=backup.project_id, all_projects=backup.project_id is None
    )


def instance_id_of(cloud: Cloud, name_or_id: str, backups: Iterable[Backup]) -> str:
    """Return the ID of an instance, which may be gone if backups of it remain.

    :raises NotFoundError: neither it nor a backup of it is there
    """
    if any(backup.instance_id == name_or_id for backup in backups):
        return name_or_id
    return find.instance(cloud, name_or_id).id


def of_instance(
    cloud: Cloud, name_or_id: str, instances: Iterable[Instance] | None = None
) -> tuple[str, BackupForest]:
    """Find an instance, which may be gone, and read its backups.

    :param instances: those of the project, if they were read already
    :raises NotFoundError: neither it nor a backup of it is there
    """
    if uuidutils.is_uuid_like(name_or_id):
        forest = forest_above(cloud, name_or_id)
        if len(forest):
            return name_or_id, forest
    found = find.instances(cloud, listed=instances).find(name_or_id)
    return found.id, forest_above(cloud, found.id)
