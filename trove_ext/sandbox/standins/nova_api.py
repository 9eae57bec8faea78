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

"""The part of Nova's API that Trove's own tests use: the servers.

Only for reading, in the form of the first microversion (2.1).
"""

from typing import Any

import webob

from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.endpoints import Routes, is_admin, project_of
from trove_ext.sandbox.standins.store import Row

_NOT_FOUND = 404


def _view(row: Row) -> dict[str, Any]:
    address = {"addr": row["address"], "version": 4}
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "tenant_id": _project(row),
        "user_id": "trove",
        "metadata": {},
        "hostId": "sandbox",
        "image": {"id": row["image_id"], "links": []},
        "flavor": {"id": row["flavor_id"], "links": []},
        "created": row["created"],
        "updated": row["created"],
        "addresses": {"sandbox": [address]},
        "links": [],
    }


def _project(row: Row) -> str:
    return str(row["metadata"].get("trove_project_id", ""))


def _visible(request: webob.Request) -> list[Row]:
    """Return the servers of the request's project, for an admin those of all."""
    rows = [row for row in world.current().store.all("server") if row["hosted"]]
    admin = is_admin(request)
    return [row for row in rows if admin or _project(row) == project_of(request)]


def _list(request: webob.Request) -> webob.Response:
    name = request.params.get("name", "")
    found = [_view(row) for row in _visible(request) if name in row["name"]]
    return webob.Response(json_body={"servers": found})


def _show(request: webob.Request, server_id: str) -> webob.Response:
    for row in _visible(request):
        if row["id"] == server_id:
            return webob.Response(json_body={"server": _view(row)})
    return webob.Response(status=_NOT_FOUND)


application = Routes(
    {("GET", "/servers/detail"): _list, ("GET", "/servers/([^/]+)"): _show}
)
