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

"""Trove's own guest client, except for instances that ``trove-sandbox seed`` made up.

Those have no host: each call would wait for its time-out, five seconds for every
``instance show``.
"""

from typing import Any

from trove.common import exception
from trove.common.clients import guest_client
from trove.guestagent.api import API

from trove_ext.sandbox.standins import world


class SeededGuest(API):  # type: ignore[misc]
    """The guest of an instance that is only rows; it responds at once."""

    def _call(
        self, method_name: str, _timeout: float, _version: str = "", **_kwargs: Any
    ) -> Any:
        if method_name == "get_filesystem_stats":
            return {"used": 0.5, "free": 0.5, "total": 1.0}
        raise exception.GuestError(original_message="The instance was created by seed.")

    def _cast(self, method_name: str, _version: str = "", **_kwargs: Any) -> None:
        self._call(method_name, 0)


def is_seeded(instance_id: str) -> bool:
    """Whether an instance is only rows."""
    servers = world.current().store.by_owner("server", instance_id)
    return any(server.get("seeded") for server in servers)


def client(context: Any, instance_id: str, manager: str | None = None) -> API:
    """Stand in for trove.common.clients.guest_client."""
    if is_seeded(instance_id):
        return SeededGuest(context, instance_id)
    return guest_client(context, instance_id, manager)
