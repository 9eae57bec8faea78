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

"""What a project may use, and how much of it is in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trove_ext.exceptions import LoginError, NotFoundError, RefusedError
from trove_ext.trove import resources

if TYPE_CHECKING:
    from trove_ext.trove.client import Cloud

BACKUPS = "backups"


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota.

    :ivar used: in use or reserved
    :ivar limit: -1 for no limit
    """

    resource: str
    used: int
    limit: int


def read_quotas(cloud: Cloud) -> dict[str, Quota]:
    """Read the quotas of the project, by resource; none if policy forbids it.

    ``GET /mgmt/quotas/<project>`` (``trove/extensions/mgmt/quota/service.py``): a plain
    user may read the own project's.

    :raises UnreachableError: no usable answer
    """
    client = cloud.client
    try:
        rows = cloud.read(
            "Quota", lambda: client.quota.show(client.client.get_project_id())
        )
    except (RefusedError, LoginError, NotFoundError):
        return {}
    found: dict[str, Quota] = {}
    for row in rows:
        fields = resources.fields_of(row, "quota")
        resource = fields.need_text("resource")
        used = fields.need_integer("in_use") + fields.need_integer("reserved")
        found[resource] = Quota(resource, used, fields.need_integer("limit"))
    return found
