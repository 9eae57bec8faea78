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

"""Keystone: tokens with a catalog, discovery, and the own project."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.errors import ApiError

IDENTITY = "http://keystone.fake/v3"
TROVE = "http://trove.fake/v1.0"
REGION = "RegionOne"
USER_ID = "0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f6"


@dataclass
class Answer:
    """A response of Keystone: code, body, headers."""

    code: int
    body: Any
    headers: dict[str, str]


class Keystone:
    """The identity service.

    :ivar token_life: lifetime of a token in seconds
    :ivar token_age: how many seconds ago the next token was issued; 0 after it
    :ivar single_use: whether Trove accepts each token only once
    :ivar database_url: of Trove in the catalog; None if there is none
    :ivar others: the URL of Trove in each other region, by the region's name
    :ivar stores: the URL of the object store by region; empty for none in the catalog
    """

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.username = "demo"
        self.password = "secret"
        self.project = "demo"
        #: Names of projects in another domain, by ID.
        self.other_projects: dict[str, str] = {}
        self.token_life = 3600.0
        self.token_age = 0.0
        self.single_use = False
        self.region = REGION
        self.database_url: str | None = TROVE
        self.others: dict[str, str] = {}
        self.stores: dict[str, str] = {}
        self._serial = itertools.count(1)
        self.tokens: dict[str, datetime] = {}

    def expire_tokens(self) -> None:
        """Make every issued token expire now."""
        self.tokens.clear()

    def check(self, token: str | None) -> None:
        """What keystonemiddleware does in front of Trove.

        :raises ApiError: its 401, whose body has the key "error"
        """
        expires = self.tokens.get(token or "")
        if expires is None or expires <= self.cloud.clock.now():
            raise token_refused()

    def spend(self, token: str | None) -> None:
        """Check a token that is used for Trove.

        :raises ApiError: as `check`
        """
        self.check(token)
        if self.single_use:
            del self.tokens[token or ""]

    def handle(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any,
        token: str | None,
    ) -> Answer:
        """Respond to one request."""
        if method == "POST" and path == "/v3/auth/tokens":
            return self._log_in(body)
        if method == "GET" and path in ("/v3", "/v3/"):
            return Answer(200, {"version": _version()}, {})
        if method == "GET" and path in ("", "/"):
            return Answer(300, {"versions": {"values": [_version()]}}, {})
        self.check(token)
        if path.startswith("/v3/projects/"):
            for project in self._projects():
                if path.rsplit("/", 1)[1] == project["id"]:
                    return Answer(200, {"project": project}, {})
            raise _error(404, "Not Found", "Could not find project.")
        if path == "/v3/projects":
            found = [
                project
                for project in self._projects()
                if query.get("name") in (None, project["name"])
            ]
            return Answer(200, {"projects": found, "links": {}}, {})
        raise _error(404, "Not Found", "Could not find the resource.")

    def _projects(self) -> list[dict[str, Any]]:
        more = {"enabled": True, "description": "", "tags": []}
        return [
            {"id": self.cloud.project_id, "name": self.project, "domain_id": "default"}
            | more,
            *(
                {"id": key, "name": name, "domain_id": "other"} | more
                for key, name in self.other_projects.items()
            ),
        ]

    def _log_in(self, body: Any) -> Answer:
        identity = body["auth"]["identity"]
        expires = self.cloud.clock.now() + timedelta(seconds=self.token_life)
        if identity["methods"] == ["token"]:
            # A token issued for another token expires with it.
            expires = self._still_valid(identity["token"]["id"])
        else:
            self._check_password(identity["password"]["user"])
        token = f"gAAAAAB{next(self._serial):08}-not-a-real-token"
        self.tokens[token] = expires
        rest = (expires - self.cloud.clock.now()).total_seconds()
        return Answer(201, {"token": self._token(rest)}, {"X-Subject-Token": token})

    def _check_password(self, user: dict[str, Any]) -> None:
        if (user.get("name"), user.get("password")) != (self.username, self.password):
            raise token_refused()

    def _still_valid(self, token: str) -> datetime:
        """Return when a token expires; a token that has expired is not found."""
        expires = self.tokens.get(token)
        if expires is None or expires <= self.cloud.clock.now():
            raise _error(404, "Not Found", "Failed to validate token")
        return expires

    def _token(self, rest: float) -> dict[str, Any]:
        """Make the record of a token.

        :param rest: how many seconds it lives, from the time of issue
        """
        # keystoneauth compares with the machine's clock, and would otherwise ask
        # for a new token before each request. The server uses virtual time.
        now = datetime.now(UTC) - timedelta(seconds=self.token_age)
        self.token_age = 0.0
        domain = {"id": "default", "name": "Default"}
        roles = ["member", "reader"] + (["admin"] if self.cloud.admin else [])
        expires = now + timedelta(seconds=rest)
        return {
            "methods": ["password"],
            "user": {"id": USER_ID, "name": self.username, "domain": domain},
            "project": {
                "id": self.cloud.project_id,
                "name": self.project,
                "domain": domain,
            },
            "roles": [{"id": name, "name": name} for name in roles],
            "audit_ids": ["none"],
            "issued_at": _time(now),
            "expires_at": _time(expires),
            "catalog": self._catalog(),
        }

    def _catalog(self) -> list[dict[str, Any]]:
        services = [_service("identity", "keystone", IDENTITY, self.region)]
        if self.database_url is not None:
            url = f"{self.database_url}/{self.cloud.project_id}"
            services.append(_service("database", "trove", url, self.region))
            for region, other in self.others.items():
                url = f"{other}/{self.cloud.project_id}"
                services[-1]["endpoints"] += _endpoints("trove", url, region)
        if self.stores:
            services.append(_service("object-store", "swift", "", self.region))
            services[-1]["endpoints"] = [
                endpoint
                for region, url in self.stores.items()
                for endpoint in _endpoints("swift", url, region)
            ]
        return services


def token_refused() -> ApiError:
    """401 of keystonemiddleware and of Keystone."""
    return _error(
        401, "Unauthorized", "The request you have made requires authentication."
    )


def _error(code: int, title: str, message: str) -> ApiError:
    headers = {"WWW-Authenticate": 'Keystone uri="http://keystone.fake"'}
    headers = headers if code == 401 else {}
    return ApiError(code, "error", message, headers, {"title": title})


def _version() -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": IDENTITY + "/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json",
            }
        ],
    }


def _service(kind: str, name: str, url: str, region: str) -> dict[str, Any]:
    endpoints = _endpoints(name, url, region)
    return {"id": name, "type": kind, "name": name, "endpoints": endpoints}


def _endpoints(name: str, url: str, region: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}-{region}-{interface}",
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        }
        for interface in ("public", "internal", "admin")
    ]


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
