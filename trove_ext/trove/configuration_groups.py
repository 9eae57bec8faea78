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

"""Configuration groups, and whether they are for a datastore version.

Trove does not check a group's version when it creates an instance
(``trove/instance/service.py``, ``_configuration_parse``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trove_ext.follow_up import Action, Verb, to
from trove_ext.trove import pages
from trove_ext.trove.resources import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from trove_ext.model.instance import Instance
    from trove_ext.trove.client import Cloud


@dataclass(frozen=True, slots=True)
class Group:
    """A configuration group (``trove/configuration/views.py``).

    :ivar values: empty in a list, which does not show them
    """

    id: str
    name: str
    datastore_name: str | None
    datastore_version_id: str | None
    datastore_version_name: str | None
    created: datetime | None = None
    updated: datetime | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Any) -> Group:
        """Make it from troveclient's resource.

        :raises MalformedAnswerError: ID or name are missing
        """
        fields = fields_of(row, "configuration group")
        return cls(
            fields.need_text("id"),
            fields.need_text("name"),
            fields.text("datastore_name"),
            fields.text("datastore_version_id"),
            fields.text("datastore_version_name"),
            fields.time("created"),
            fields.time("updated"),
            fields.get("values") or {},
        )


def get_group(cloud: Cloud, group_id: str) -> Group:
    """Read a group.

    :raises NotFoundError: there is none with this ID
    """
    manager = cloud.client.configurations
    what = f"Configuration group {group_id}"
    return cloud.read(what, lambda: Group.of(manager.get(group_id)))


def list_groups(cloud: Cloud) -> list[Group]:
    """List the groups of the project, page by page."""
    read = cloud.client.configurations.list
    rows = pages.read_pages(cloud, "List of configuration groups", read)
    return [Group.of(row) for row in rows]


def problems(
    group: Group, *, datastore: str | None, version: str | None, version_id: str | None
) -> Iterator[str]:
    """Describe a group's mismatch with a datastore version, maybe only a name."""
    if version_id:
        fits = group.datastore_version_id == version_id
    else:
        fits = version is None or group.datastore_version_name == version
    if not fits:
        yield (
            f"configuration group {group.name} ({group.id}) is for "
            f"{group.datastore_name} {group.datastore_version_name}, not for "
            f"{datastore} {version}"
        )


def warn_if_lost(cloud: Cloud, before: Instance, now: Instance) -> None:
    """Warn if an instance has lost its group to a request that named none.

    Trove 19.0.1, 21.1, 22.0, 23.0.0 and 24.0.0 read a missing ``configuration`` of a
    PUT or PATCH as None: they detach the group (``trove/instance/service.py``,
    ``update``).

    :param before: as read right before the request
    :param now: as read afterwards
    """
    group_id = before.configuration_id
    if group_id is None or now.configuration_id is not None:
        return
    attach = Action(Verb.ATTACH_CONFIGURATION, (now.id, group_id))
    cloud.progress.warn(
        f"{now} has lost its configuration group {group_id}: this release of Trove "
        "detaches the group with every such request.",
        to("attach it again", attach),
    )
