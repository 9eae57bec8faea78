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

"""A small stand-in for Barbican: secrets, their payloads and their consumers.

What Trove's TLS needs (trove/common/ssl.py) and no more. Nothing is encrypted: the
secrets are in the inventory of the sandbox. As with Barbican, only the project of a
secret can use it, not even an administrator of another one, and a consumer that is
registered twice is one.
"""

import base64
import json
import uuid
from typing import Any

import webob
import webob.exc
from oslo_utils import timeutils

from trove_ext.sandbox.standins import world
from trove_ext.sandbox.standins.endpoints import Routes, project_of
from trove_ext.sandbox.standins.store import Row

_KIND = "secret"
_CREATED, _DONE = 201, 204
_SHOWN = ("name", "secret_type", "algorithm", "mode", "bit_length", "created", "status")
_CONSUMER = ("service", "resource_type", "resource_id")


def _response(body: Any, status: int = 200) -> webob.Response:
    return webob.Response(json_body=body, status=status)


def _find(request: webob.Request, secret_id: str) -> Row:
    """Return a secret of the request's project; raises webob's HTTPException."""
    row = world.current().store.get(_KIND, secret_id)
    if row is None:
        raise webob.exc.HTTPNotFound(json_body={"title": "Not Found"})
    if row["project"] != project_of(request):
        raise webob.exc.HTTPForbidden(json_body={"title": "Secret access not allowed"})
    return row


def _url(request: webob.Request, secret_id: str) -> str:
    return f"{request.host_url}/key-manager/v1/secrets/{secret_id}"


def _view(request: webob.Request, row: Row) -> Row:
    shown = {key: row.get(key) for key in _SHOWN}
    return {
        **shown,
        "updated": row["created"],
        "expiration": None,
        "content_types": {"default": row["payload_content_type"]},
        "secret_ref": _url(request, row["id"]),
        "consumers": row["consumers"],
    }


def _versions(request: webob.Request) -> webob.Response:
    version = {
        "id": "v1",
        "status": "CURRENT",
        "min_version": "1.0",
        "max_version": "1.1",
        "links": [{"rel": "self", "href": f"{request.host_url}/key-manager/v1/"}],
    }
    return _response({"versions": [version]})


def _create(request: webob.Request) -> webob.Response:
    asked = json.loads(request.body)
    row = {
        **asked,
        "id": str(uuid.uuid4()),
        "project": project_of(request),
        "created": timeutils.utcnow().isoformat(),
        "status": "ACTIVE",
        "consumers": [],
    }
    world.current().store.put(_KIND, row)
    return _response({"secret_ref": _url(request, row["id"])}, _CREATED)


def _show(request: webob.Request, secret_id: str) -> webob.Response:
    return _response(_view(request, _find(request, secret_id)))


def _payload(request: webob.Request, secret_id: str) -> webob.Response:
    row = _find(request, secret_id)
    payload = row["payload"].encode()
    if row.get("payload_content_encoding") == "base64":
        payload = base64.b64decode(payload)
    return webob.Response(body=payload, content_type=row["payload_content_type"])


def _delete(request: webob.Request, secret_id: str) -> webob.Response:
    world.current().store.delete(_KIND, _find(request, secret_id)["id"])
    return webob.Response(status=_DONE)


def _consumers(request: webob.Request, secret_id: str) -> webob.Response:
    found = _find(request, secret_id)["consumers"]
    return _response({"consumers": found, "total": len(found)})


def _change(request: webob.Request, secret_id: str) -> webob.Response:
    """Register or remove a consumer, by the method; the response is the secret."""
    row, asked = _find(request, secret_id), json.loads(request.body)
    consumer = {key: asked[key] for key in _CONSUMER}
    others = [known for known in row["consumers"] if known != consumer]
    if request.method == "DELETE" and len(others) == len(row["consumers"]):
        raise webob.exc.HTTPNotFound(json_body={"title": "Consumer not found."})
    added = [consumer] if request.method == "POST" else []
    row |= {"consumers": others + added}
    world.current().store.put(_KIND, row)
    return _response(_view(request, row))


_SECRETS = "/v1/secrets/?"
_SECRET = "/v1/secrets/([^/]+)"

application = Routes(
    {
        ("GET", "/?"): _versions,
        ("POST", _SECRETS): _create,
        ("GET", _SECRET): _show,
        ("DELETE", _SECRET): _delete,
        ("GET", f"{_SECRET}/payload"): _payload,
        ("GET", f"{_SECRET}/consumers/?"): _consumers,
        ("POST", f"{_SECRET}/consumers/?"): _change,
        ("DELETE", f"{_SECRET}/consumers/?"): _change,
    }
)
