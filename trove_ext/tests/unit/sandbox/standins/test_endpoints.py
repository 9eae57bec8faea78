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

"""Which service a request reaches, and who may use a secret."""

import base64
import json
from pathlib import Path

import fixtures
import testtools
import webob

from trove_ext.sandbox import state
from trove_ext.sandbox.faults import Faults
from trove_ext.sandbox.standins import barbican_api, endpoints, nova_api, world
from trove_ext.sandbox.standins.store import Store

CONSUMER = {"service": "database", "resource_type": "instance", "resource_id": "db1"}


def named(name):
    """An application that answers with its name and the path that it sees."""

    def application(environ, start_response):
        response = webob.Response(text=f"{name} {environ['PATH_INFO']}")
        return response(environ, start_response)

    return application


class DispatchTest(testtools.TestCase):
    def test_the_beginning_of_the_path_names_the_service(self):
        others = {"compute/v2.1": named("nova"), "key-manager": named("barbican")}
        application = endpoints.Endpoints(named("trove"), others)
        for path, answer in {
            "/v1.0/p1/instances": "trove /v1.0/p1/instances",
            "/compute/v2.1/servers/detail": "nova /servers/detail",
            "/key-manager": "barbican ",
            "/key-managers": "trove /key-managers",
        }.items():
            response = webob.Request.blank(path).get_response(application)
            self.assertEqual(answer, response.text, path)


class WorldTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        self.store = Store(self.root / "inventory")
        self.addCleanup(self.store.close)
        faults = Faults(self.root)
        world.enter(world.World(state.StateDir(self.root), 80, self.store, faults))

    def ask(
        self, application, method, path, *, body=None, project="p1", roles="member"
    ):
        request = webob.Request.blank(path, method=method)
        request.headers.update({"X-Project-Id": project, "X-Roles": roles})
        if body is not None:
            request.body = json.dumps(body).encode()
        return request.get_response(application)


class BarbicanTest(WorldTestCase):
    def setUp(self):
        super().setUp()
        body = {
            "name": "p12",
            "payload": base64.b64encode(b"\0key").decode(),
            "payload_content_type": "application/octet-stream",
            "payload_content_encoding": "base64",
        }
        made = self.barbican("POST", "", body)
        self.assertEqual(201, made.status_code)
        self.path = "/" + made.json["secret_ref"].rpartition("/")[2]

    def barbican(self, method, path, body=None, **more):
        path = f"/v1/secrets{path}"
        return self.ask(barbican_api.application, method, path, body=body, **more)

    def test_a_payload_comes_back_decoded(self):
        found = self.barbican("GET", f"{self.path}/payload")
        self.assertEqual(b"\0key", found.body)
        shown = self.barbican("GET", self.path).json
        self.assertEqual(
            {"default": "application/octet-stream"}, shown["content_types"]
        )
        self.assertNotIn("payload", shown)

    def test_another_project_is_refused_even_if_an_admin_asks(self):
        for method, path in (("GET", "/payload"), ("GET", ""), ("DELETE", "")):
            whole = f"{self.path}{path}"
            found = self.barbican(method, whole, project="p2", roles="admin")
            self.assertEqual(403, found.status_code)

    def test_a_consumer_is_registered_once_and_removed_once(self):
        path = f"{self.path}/consumers"
        for _ in range(2):
            self.assertEqual(200, self.barbican("POST", path, CONSUMER).status_code)
        self.assertEqual([CONSUMER], self.barbican("GET", path).json["consumers"])
        codes = [self.barbican("DELETE", path, CONSUMER).status_code for _ in "12"]
        self.assertEqual([200, 404], codes)

    def test_a_deleted_secret_is_gone(self):
        self.assertEqual(204, self.barbican("DELETE", self.path).status_code)
        self.assertEqual(404, self.barbican("GET", self.path).status_code)


class NovaTest(WorldTestCase):
    def setUp(self):
        super().setUp()
        for number in (1, 2):
            row = {
                "id": f"s{number}",
                "name": f"db{number}",
                "status": "ACTIVE",
                "hosted": True,
                "metadata": {"trove_project_id": f"p{number}"},
                "image_id": "an-image",
                "flavor_id": "db.small",
                "created": "2026-01-01T00:00:00",
                "address": "127.77.80.10",
            }
            self.store.put("server", row)

    def names(self, path, **more):
        found = self.ask(nova_api.application, "GET", path, **more).json["servers"]
        return [row["name"] for row in found]

    def test_only_an_admin_sees_the_servers_of_all_projects(self):
        self.assertEqual(["db1"], self.names("/servers/detail"))
        path = "/servers/detail?all_tenants=True"
        self.assertEqual(["db1", "db2"], self.names(path, roles="admin"))
        self.assertEqual(["db2"], self.names(f"{path}&name=db2", roles="admin"))

    def test_a_server_of_another_project_is_not_found(self):
        codes = [
            self.ask(nova_api.application, "GET", f"/servers/s{n}").status_code
            for n in (1, 2)
        ]
        self.assertEqual([200, 404], codes)
