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

"""From a request to a response: the routes of trove/common/api.py."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trove_ext.tests.fake import errors
from trove_ext.tests.fake.backups import Backups
from trove_ext.tests.fake.births import Births
from trove_ext.tests.fake.catalog import Catalog
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.errors import ApiError
from trove_ext.tests.fake.guest import Guest
from trove_ext.tests.fake.instances import Instances
from trove_ext.tests.fake.keystone import Keystone
from trove_ext.tests.fake.replication import Replication

WEB_PAGE = b"<html><body><h1>It works!</h1></body></html>"

#: The host of Trove in another region.
OTHER_HOST = "other.fake"
#: What stands for one part of a path in the pattern of a route.
SEGMENT = "([^/]+)"

Handler = Callable[..., tuple[int, Any]]


@dataclass
class Reply:
    """A response."""

    code: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """Trove and Keystone behind their URLs.

    :ivar web: the response of a server that is not Trove to every request
    """

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.keystone = Keystone(cloud)
        self.web = Reply(200, WEB_PAGE, {"Content-Type": "text/html"})
        backups = Backups(cloud)
        replication = Replication(cloud)
        self.instances = Instances(cloud, backups, replication)
        self._routes = _compile(
            self.instances,
            backups,
            Births(cloud, backups),
            Guest(cloud),
            Catalog(cloud),
        )
        self._recent: dict[str, list[float]] = {}
        self._regions: dict[str, Server] = {}

    def add_region(self, name: str, cloud: FakeCloud) -> None:
        """Let another cloud be the Trove of another region, over the same Keystone.

        :param cloud: with the same clock
        """
        other = Server(cloud)
        other.keystone = self.keystone
        self._regions[OTHER_HOST] = other
        self.keystone.others[name] = f"http://{OTHER_HOST}/v1.0"

    @property
    def other_clouds(self) -> list[FakeCloud]:
        """The clouds of the other regions."""
        return [server.cloud for server in self._regions.values()]

    def answer(
        self,
        host: str,
        method: str,
        path: str,
        query: dict[str, str],
        *,
        body: Any,
        token: str | None,
    ) -> Reply:
        """Carry one request out."""
        try:
            if host == "web.fake":
                return self.web
            if host == "keystone.fake":
                answer = self.keystone.handle(method, path, query, body, token)
                return _reply(answer.code, answer.body, answer.headers)
            trove = self._regions.get(host, self)
            return trove._trove(method, path, query, body, token)
        except ApiError as error:
            return _reply(error.code, error.body(), error.headers)

    def path_pattern(self, path: str) -> str:
        """Return the pattern of a path, with ``*`` for what differs between requests.

        :raises LookupError: no route of Trove has it
        """
        prefix = f"/v1.0/{self.cloud.project_id}"
        inner = path.removeprefix(prefix)
        for _verb, pattern, _handler in self._routes:
            if pattern.fullmatch(inner):
                return "/v1.0/*" + pattern.pattern.replace(SEGMENT, "*")
        raise LookupError(path)

    def _trove(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any,
        token: str | None,
    ) -> Reply:
        if path in ("", "/"):
            return _reply(200, {"versions": [_version()]})
        self.keystone.spend(token)
        self._limit_rate(method)
        prefix = f"/v1.0/{self.cloud.project_id}"
        if not path.startswith(prefix):
            raise errors.forbidden(
                f"User with tenant id {self.cloud.project_id} cannot access this "
                "resource."
            )
        inner = path[len(prefix) :]
        for verb, pattern, handler in self._routes:
            match = pattern.fullmatch(inner)
            if match and verb == method:
                code, answer = handler(path, query, body, *match.groups())
                return _reply(code, self._prune(answer))
        raise errors.missing("The resource could not be found.")

    def _prune(self, answer: Any) -> Any:
        """Remove the fields that an older Trove does not have."""
        if isinstance(answer, list):
            return [self._prune(item) for item in answer]
        if isinstance(answer, dict):
            missing = self.cloud.missing_fields
            return {k: self._prune(v) for k, v in answer.items() if k not in missing}
        return answer

    def _limit_rate(self, method: str) -> None:
        """Limit the requests of one method a minute (trove/common/limits).

        :raises ApiError: 413 with Retry-After, and the same key as a quota's
        """
        if self.cloud.rate_limit is None:
            return
        now = self.cloud.clock.monotonic()
        recent = [t for t in self._recent.get(method, []) if t > now - 60]
        self._recent[method] = recent
        if len(recent) >= self.cloud.rate_limit:
            raise rate_limited(math.ceil(recent[0] + 60 - now))
        recent.append(now)


def rate_limited(seconds: int) -> ApiError:
    """413 of a rate limit (trove/common/wsgi.py, OverLimitFault)."""
    return ApiError(
        413,
        "overLimit",
        "This request was rate-limited.",
        {"Retry-After": str(seconds)},
        {
            "details": 'Only 200 request(s) can be made to "*" every minute.',
            "retryAfter": str(seconds),
        },
    )


def _reply(code: int, body: Any, headers: dict[str, str] | None = None) -> Reply:
    headers = dict(headers or {})
    if body is None:
        return Reply(code, b"", headers)
    headers["Content-Type"] = "application/json"
    return Reply(code, json.dumps(body).encode(), headers)


def _version() -> dict[str, Any]:
    href = "http://trove.fake/v1.0/"
    return {
        "id": "v1.0",
        "status": "CURRENT",
        "updated": "2012-08-01T00:00:00Z",
        "links": [{"rel": "self", "href": href}],
    }


def _compile(
    instances: Instances,
    backups: Backups,
    births: Births,
    guest: Guest,
    catalog: Catalog,
) -> list[tuple[str, re.Pattern[str], Handler]]:
    groups = instances.groups
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/instances", instances.index),
        ("GET", "/instances/detail", instances.detail),
        ("POST", "/instances", births.create),
        ("GET", "/instances/ID", instances.show),
        ("DELETE", "/instances/ID", instances.delete),
        ("PUT", "/instances/ID", instances.update),
        ("PATCH", "/instances/ID", instances.update),
        ("POST", "/instances/ID/action", instances.action),
        ("GET", "/mgmt/instances", instances.everywhere),
        ("POST", "/mgmt/instances/ID/action", instances.manage),
        ("GET", "/instances/ID/backups", backups.of_instance),
        ("GET", "/instances/ID/ssl", instances.ssl),
        ("GET", "/instances/ID/modules", instances.modules),
        ("GET", "/instances/ID/databases", guest.databases),
        ("POST", "/instances/ID/databases", guest.create_databases),
        ("DELETE", "/instances/ID/databases/ID", guest.delete_database),
        ("GET", "/instances/ID/users", guest.users),
        ("POST", "/instances/ID/users", guest.create_users),
        ("GET", "/instances/ID/users/ID", guest.user),
        ("DELETE", "/instances/ID/users/ID", guest.delete_user),
        ("GET", "/instances/ID/users/ID/databases", guest.access),
        ("PUT", "/instances/ID/users/ID/databases", guest.grant),
        ("DELETE", "/instances/ID/users/ID/databases/ID", guest.revoke),
        ("GET", "/instances/ID/root", guest.root),
        ("POST", "/instances/ID/root", guest.enable_root),
        ("DELETE", "/instances/ID/root", guest.disable_root),
        ("GET", "/backups", backups.index),
        ("POST", "/backups", backups.create),
        ("GET", "/backups/ID", backups.show),
        ("DELETE", "/backups/ID", backups.delete_request),
        ("GET", "/flavors", catalog.flavors),
        ("GET", "/flavors/ID", catalog.flavor),
        ("GET", "/datastores", catalog.datastores),
        ("GET", "/datastores/versions/ID", catalog.version_by_id),
        ("GET", "/datastores/ID", catalog.datastore),
        ("GET", "/datastores/ID/versions", catalog.versions),
        ("GET", "/datastores/ID/versions/ID", catalog.version),
        ("GET", "/datastores/ID/versions/ID/flavors", catalog.version_flavors),
        ("GET", "/datastores/ID/versions/ID/parameters", groups.parameters),
        ("GET", "/configurations", catalog.configurations),
        ("POST", "/configurations", groups.create),
        ("PATCH", "/configurations/ID", groups.edit),
        ("PUT", "/configurations/ID", groups.update),
        ("DELETE", "/configurations/ID", groups.delete),
        ("GET", "/configurations/ID/instances", groups.instances),
        ("GET", "/configurations/ID", catalog.configuration),
        ("GET", "/mgmt/quotas/ID", catalog.quotas),
        ("GET", "/limits", catalog.limits),
    ]
    return [
        (verb, re.compile(path.replace("ID", SEGMENT)), handler)
        for verb, path, handler in routes
    ]
