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

"""The part of Swift's API that clients use: the backups as objects of their projects.

Accounts, containers and objects can be listed, read and deleted, and not written: the
guest writes the objects (guest/backup_store.py), and a container exists if there is an
object in it.
"""

import webob

from trove_ext.sandbox.guest.backup_store import BackupObject, BackupStore
from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.endpoints import Routes, project_of

RESELLER_ROLE = "ResellerAdmin"
"""Swift's default reseller_admin_role: it may delete whole accounts."""

_DONE, _FORBIDDEN, _NOT_FOUND = 204, 403, 404


def _store() -> BackupStore:
    return BackupStore(world.current().state.root)


def _objects(account: str, container: str | None = None) -> dict[str, BackupObject]:
    """Return the objects of an account or container by ``container/name``."""
    prefix = f"/v1/AUTH_{account}/"
    found = {}
    for stored in _store().all():
        name = stored.location.partition(prefix)[2]
        if name and container in {None, name.partition("/")[0]}:
            found[name] = stored
    return found


def _refusal(request: webob.Request, account: str, role: str = "") -> int:
    """Return why a request is refused, 0 if it is not."""
    roles = request.headers.get("X-Roles", "").split(",")
    allowed = RESELLER_ROLE in roles or (not role and account == project_of(request))
    return 0 if allowed else _FORBIDDEN


def _delete_all(names: dict[str, BackupObject]) -> webob.Response:
    for stored in names.values():
        _store().delete(stored.location)
    return webob.Response(status=_DONE if names else _NOT_FOUND)


def _show_account(request: webob.Request, account: str) -> webob.Response:
    if refused := _refusal(request, account):
        return webob.Response(status=refused)
    names = sorted({name.partition("/")[0] for name in _objects(account)})
    return webob.Response(json_body=[{"name": name} for name in names])


def _delete_account(request: webob.Request, account: str) -> webob.Response:
    """Delete an account with its objects; only the reseller may."""
    if refused := _refusal(request, account, RESELLER_ROLE):
        return webob.Response(status=refused)
    _delete_all(_objects(account))
    return webob.Response(status=_DONE)


def _show_container(
    request: webob.Request, account: str, container: str
) -> webob.Response:
    if refused := _refusal(request, account):
        return webob.Response(status=refused)
    found = _objects(account, container)
    shown = [
        {"name": name.partition("/")[2], "bytes": stored.size, "hash": stored.checksum}
        for name, stored in sorted(found.items())
    ]
    return webob.Response(json_body=shown) if found else _delete_all({})


def _delete_container(
    request: webob.Request, account: str, container: str
) -> webob.Response:
    """Refuse to delete a container that has objects, as Swift does."""
    if refused := _refusal(request, account):
        return webob.Response(status=refused)
    return webob.Response(status=409 if _objects(account, container) else _NOT_FOUND)


def _show_object(
    request: webob.Request, account: str, container: str, name: str
) -> webob.Response:
    if refused := _refusal(request, account):
        return webob.Response(status=refused)
    stored = _objects(account, container).get(f"{container}/{name}")
    if stored is None:
        return webob.Response(status=_NOT_FOUND)
    content = _store().archive(stored.location).open("rb")
    return webob.Response(app_iter=content, content_length=stored.size)


def _delete_object(
    request: webob.Request, account: str, container: str, name: str
) -> webob.Response:
    if refused := _refusal(request, account):
        return webob.Response(status=refused)
    stored = _objects(account, container).get(f"{container}/{name}")
    return _delete_all({name: stored} if stored else {})


_ACCOUNT = "/AUTH_([^/]+)/?"
_CONTAINER = "/AUTH_([^/]+)/([^/]+)"
_OBJECT = f"{_CONTAINER}/(.+)"

application = Routes(
    {
        ("GET", _ACCOUNT): _show_account,
        ("DELETE", _ACCOUNT): _delete_account,
        ("GET", _CONTAINER): _show_container,
        ("DELETE", _CONTAINER): _delete_container,
        ("GET", _OBJECT): _show_object,
        ("DELETE", _OBJECT): _delete_object,
    }
)
