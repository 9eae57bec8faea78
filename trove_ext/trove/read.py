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

"""Instances and backups: read one, or list all pages.

Sources: ``trove/instance/models.py`` (``Instances.load``: at most 20 a page whatever
``limit`` says, the marker is the last ID) and ``trove/backup/models.py`` (``list``:
any ``limit`` is honoured, the marker is an offset into ``updated DESC``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from keystoneauth1.exceptions import ConnectTimeout
from troveclient.exceptions import GatewayTimeout

from trove_ext.exceptions import UnreachableError
from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trove_ext.trove.client import Cloud

#: One page for all backups of any project: one consistent query.
BACKUP_PAGE = 100_000
#: One page for all instances of other projects.
INSTANCE_PAGE = 10_000
#: A page for a server that is too slow for that.
SMALL_PAGE = 200
T = TypeVar("T", Instance, Backup)


def get_instance(cloud: Cloud, instance_id: str) -> Instance:
    """Read an instance with its fault and configuration.

    :raises NotFoundError: there is none with this ID
    """
    return cloud.read(
        f"Instance {instance_id}",
        lambda: Instance.from_info(cloud.client.instances.get(instance_id).to_dict()),
    )


def get_backup(cloud: Cloud, backup_id: str) -> Backup:
    """Read a backup.

    :raises NotFoundError: there is none with this ID
    """
    return cloud.read(
        f"Backup {backup_id}",
        lambda: Backup.from_info(cloud.client.backups.get(backup_id).to_dict()),
    )


def recent_backups(cloud: Cloud, limit: int) -> list[Backup]:
    """Read the backups of the project that have changed last, in one request.

    :param limit: how many at most
    """
    page = partial(cloud.client.backups.list, limit=limit)
    call = partial(_parsed, page, None, Backup.from_info)
    return cloud.read("List of backups", call)[0]


def instances_from(cloud: Cloud, instance_id: str) -> list[Instance]:
    """Read the instance with this ID and those behind it, one page in order of IDs.

    The marker is the beginning of the ID, which sorts before it.
    """
    manager = cloud.client.instances
    page = partial(manager.list, detailed=True, include_clustered=True)
    call = partial(_parsed, page, instance_id[:-1], Instance.from_info)
    return cloud.read("List of instances", call)[0]


def list_instances(
    cloud: Cloud,
    *,
    clustered: bool = False,
    all_projects: bool = False,
    project_id: str | None = None,
) -> list[Instance]:
    """Read all instances of the project with fault and configuration.

    Costs one request for each 20 instances; those of other projects come in one page
    (``trove/extensions/mgmt/instances/models.py``: any ``limit`` is honoured, and the
    marker is an offset into ``updated DESC``).

    :param clustered: the members of clusters too
    :param all_projects: admin only
    :param project_id: of another project; admin only
    """
    manager: Any = cloud.client.instances
    options: dict[str, Any] = {"detailed": True}
    if all_projects or project_id is not None:
        manager = cloud.client.mgmt_instances
        options = {"limit": INSTANCE_PAGE}
        if project_id is not None:
            options["project_id"] = project_id
    return list(
        _pages(
            cloud,
            "List of instances",
            partial(manager.list, include_clustered=clustered, **options),
            Instance.from_info,
        )
    )


def list_backups(
    cloud: Cloud,
    *,
    instance_id: str | None = None,
    all_projects: bool = False,
    project_id: str | None = None,
) -> list[Backup]:
    """Read all backups, also those of deleted instances, in one request.

    Trove queries its database several times for each row (``trove/backup/views.py``).
    If it can't build one page of all rows before the read time-out, or that of a load
    balancer in between, small pages are read from then on: then a backup that is
    deleted meanwhile may hide another.

    :param instance_id: only those taken of this instance
    :param all_projects: admin only
    """

    def pages(size: int) -> list[Backup]:
        return list(
            _pages(
                cloud,
                "List of backups",
                lambda marker: cloud.client.backups.list(
                    limit=size,
                    marker=marker,
                    instance_id=instance_id,
                    all_projects=all_projects,
                    project_id=project_id,
                ),
                Backup.from_info,
            )
        )

    if not cloud.slow:
        try:
            return pages(BACKUP_PAGE)
        except UnreachableError as exc:
            if not isinstance(exc.__cause__, (ConnectTimeout, GatewayTimeout)):
                raise
        cloud.slow = True
        cloud.progress.note(
            f"The list of all backups did not come in time; reading {SMALL_PAGE} at "
            "a time."
        )
    return pages(SMALL_PAGE)


def _pages(
    cloud: Cloud,
    what: str,
    page: Callable[..., Any],
    parse: Callable[[Any], T],
) -> Iterator[T]:
    """Yield each row once: rows may repeat if the list changes between pages."""
    seen: set[str] = set()
    marker: str | None = None
    while True:
        rows, marker = cloud.read(what, partial(_parsed, page, marker, parse))
        for row in rows:
            if row.id not in seen:
                seen.add(row.id)
                yield row
        if not marker:
            return


def _parsed(
    page: Callable[..., Any], marker: str | None, parse: Callable[[Any], T]
) -> tuple[list[T], str | None]:
    rows = page(marker=marker)
    return [parse(row.to_dict()) for row in rows], rows.next
