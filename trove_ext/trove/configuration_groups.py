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

"""Configuration groups: found by name or ID, and held against a datastore version.

Trove does not look at a group's version when it creates an instance
(``trove/instance/service.py``, ``_configuration_parse``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from oslo_utils import uuidutils

from trove_ext.exceptions import AmbiguousNameError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trove_ext.trove.client import Cloud


def find(cloud: Cloud, name_or_id: str) -> Any:
    """Find a group by ID, or by name on any page.

    :returns: troveclient's resource
    :raises NotFoundError, AmbiguousNameError: there is none, or several
    """
    manager = cloud.client.configurations
    what = f"Configuration group {name_or_id}"
    if uuidutils.is_uuid_like(name_or_id):
        return cloud.read(what, lambda: manager.get(name_or_id))
    found: list[Any] = []
    marker: str | None = None
    while True:
        rows = cloud.read(what, partial(manager.list, marker=marker))
        found += [row for row in rows if row.name == name_or_id]
        marker = rows.next
        if not marker:
            break
    if not found:
        raise NotFoundError("there is none of that name")
    if len(found) > 1:
        raise AmbiguousNameError(
            "configuration group", name_or_id, (str(row.id) for row in found)
        )
    return found[0]


def problems(
    group: Any, *, datastore: str | None, version: str | None, version_id: str | None
) -> Iterator[str]:
    """Say where a group is not for a datastore version, which may have a name alone."""
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
