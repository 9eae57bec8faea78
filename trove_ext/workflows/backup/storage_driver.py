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
"""The name of the storage driver in the request of a backup."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from trove_ext.exceptions import CheckError

if TYPE_CHECKING:
    from trove_ext.trove.client import Cloud


def argument(cloud: Cloud, driver: str | None) -> dict[str, str]:
    """Return what to add to a call of ``backups.create`` to name the driver.

    :param driver: None to name none
    :raises CheckError: the installed client can't name it (before 8.8, 2025.1)
    """
    if driver is None:
        return {}
    create = cloud.client.backups.create
    if "storage_driver" not in inspect.signature(create).parameters:
        raise CheckError(
            f"A backup can't be stored in {driver}",
            ["the installed python-troveclient is too old to name a storage driver"],
        )
    return {"storage_driver": driver}
