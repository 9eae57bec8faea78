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

"""The fake cloud of the unit tests responds as the real Trove does."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import openstack
from troveclient.v1 import client as trove_client

from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_client
from trove_ext.tests.fake.state import Flavor
from trove_ext.tests.functional import base
from trove_ext.tests.promises import Promise, shows

MISSING = "00000000-0000-4000-8000-000000000000"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
SETTLED = ("ACTIVE", "HEALTHY")
FLAVOR = Flavor("db.small", "db.small", ram=1024, vcpus=1)


def shape(value: Any) -> Any:
    """Reduce a response to its keys and types; states are kept."""
    if isinstance(value, dict):
        return {key: shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if not isinstance(value, str):
        return type(value).__name__
    if UUID.fullmatch(value) or TIME.fullmatch(value):
        return "ID" if UUID.fullmatch(value) else "time"
    return value if value.isupper() else "text"


class Side:
    """One of the two clouds, and its responses."""

    def __init__(self, client: Any, clock: Any) -> None:
        self.client, self.clock = client, clock
        self.names: dict[str, str] = {client.client.get_project_id(): "<project>"}
        self.answers: dict[str, Any] = {}

    def send(self, label: str, method: str, url: str, body: Any = None) -> Any:
        """Send a request; record code and shape, and the whole text of a refusal."""
        kwargs = {} if body is None else {"body": body}
        response, data = self.client.client.request(
            url, method, raise_exc=False, **kwargs
        )
        code = response.status_code
        self.answers[label] = code, self._text(data) if code >= 400 else shape(data)
        return data

    def _text(self, data: Any) -> str:
        text = json.dumps(data)
        for key, name in self.names.items():
            text = text.replace(key, name)
        return UUID.sub("<id>", text)

    def get(self, url: str, key: str) -> Any:
        return self.client.client.get(url)[1][key]

    def settle(self, label: str, instance_id: str) -> None:
        """Wait for an instance; note which states it went through."""
        seen: list[Any] = []
        end = self.clock.monotonic() + 300
        while SETTLED not in seen and self.clock.monotonic() < end:
            row = self.get(f"/instances/{instance_id}", "instance")
            state = row["status"], row["operating_status"]
            seen += [] if state in seen else [state]
            self.clock.sleep(0.2)
        self.answers[label] = seen

    def finish(self, backup_id: str) -> None:
        end = self.clock.monotonic() + 300
        while self.get(f"/backups/{backup_id}", "backup")["status"] != "COMPLETED":
            if self.clock.monotonic() > end:
                break
            self.clock.sleep(0.2)


def new(name: str, **more: Any) -> dict[str, Any]:
    asked = {"name": name, "flavorRef": FLAVOR.id, "volume": {"size": 1}}
    return {"instance": {**asked, "datastore": {"type": "mysql"}, **more}}


def refusals(db: str) -> dict[str, tuple[Any, ...]]:
    """Send requests that Trove refuses while there is one settled instance."""
    creates, backups = refused_creates(db), refused_backups(db)
    return {
        **{f"create: {k}": ("POST", "/instances", v) for k, v in creates.items()},
        **{
            f"back up: {k}": ("POST", "/backups", {"backup": v})
            for k, v in backups.items()
        },
        **refused_others(db),
    }


def refused_creates(db: str) -> dict[str, dict[str, Any]]:
    """Bodies of POST /instances."""
    return {
        "unknown flavor": new("n", flavorRef="99"),
        "no volume": {"instance": {"name": "n", "flavorRef": FLAVOR.id}},
        "unknown datastore": new("n", datastore={"type": "oracle"}),
        "unknown version": new("n", datastore={"type": "mysql", "version": "1"}),
        "count": new("n", replica_count=2),
        "long name": new("x" * 256),
        "newline": new("a\nb"),
        "no letter": new("резерв"),
        "size 0": new("n", volume={"size": 0}),
        "missing backup": new("n", restorePoint={"backupRef": MISSING}),
        "missing configuration": new("n", configuration=MISSING),
        "missing source": {"instance": {"name": "n", "replica_of": MISSING}},
        "replica's flavor": new("n", replica_of=db),
        "replica's database": {
            "instance": {"name": "n", "replica_of": db, "databases": [{"name": "q"}]}
        },
        "4 replicas": {"instance": {"name": "n", "replica_of": db, "replica_count": 4}},
        "no password": new("n", users=[{"name": "bob"}]),
    }


def refused_backups(db: str) -> dict[str, dict[str, Any]]:
    """Bodies of POST /backups, without their envelope."""
    return {
        "no instance": {"name": "n"},
        "instance's name": {"name": "n", "instance": "db1"},
        "missing instance": {"name": "n", "instance": MISSING},
        "missing parent": {"name": "n", "instance": db, "parent_id": MISSING},
        "no name": {"instance": db},
    }


def refused_others(db: str) -> dict[str, tuple[Any, ...]]:
    """Method, path and body of every other request."""
    one, action = f"/instances/{db}", f"/instances/{db}/action"
    return {
        "missing": ("GET", f"/instances/{MISSING}"),
        "delete of missing": ("DELETE", f"/instances/{MISSING}"),
        "missing backup": ("GET", f"/backups/{MISSING}"),
        "delete of a missing backup": ("DELETE", f"/backups/{MISSING}"),
        "ID as marker": ("GET", f"/backups?marker={MISSING}"),
        "all projects": ("GET", "/backups?all_projects=True"),
        "unknown action": ("POST", action, {"fly": {}}),
        "reboot": ("POST", f"/mgmt{action}", {"reboot": {}}),
        "reset": ("POST", action, {"reset_status": {}}),
        "promote": ("POST", action, {"promote_to_replica_source": {}}),
        "eject": ("POST", action, {"eject_replica_source": {}}),
        "detach": ("PUT", one, {"instance": {"replica_of": None}}),
        "two changes": (
            "PUT",
            one,
            {"instance": {"replica_of": None, "configuration": None}},
        ),
        "upgrade": ("PATCH", one, {"instance": {"datastore_version": "1"}}),
        "same flavor": ("POST", action, {"resize": {"flavorRef": FLAVOR.id}}),
        "same size": ("POST", action, {"resize": {"volume": {"size": 1}}}),
        "other's quota": ("GET", "/mgmt/quotas/other"),
        "flavor": ("GET", "/flavors/99"),
        "database": ("DELETE", f"{one}/databases/nope"),
        "user": ("GET", f"{one}/users/eve"),
        "nowhere": ("GET", "/nonsense"),
    }


def scenario(side: Side) -> None:
    """Run all requests of the workflows once."""
    body = new("db1", databases=[{"name": "shop"}])
    db = side.send("create", "POST", "/instances", body)["instance"]["id"]
    side.names[db] = "<db1>"
    side.send("delete while building", "DELETE", f"/instances/{db}")
    side.settle("create, states", db)
    for label, request in refusals(db).items():
        side.send(label, *request)
    side.send("show with a fault", "GET", f"/instances/{db}")
    for path in ("", "/detail", f"/{db}/databases", f"/{db}/users", f"/{db}/root"):
        side.send(f"list {path.replace(db, 'ID')}", "GET", f"/instances{path}")
    full = {"name": "full", "instance": db}
    backup = side.send("back up", "POST", "/backups", {"backup": full})["backup"]["id"]
    side.names[backup] = "<full>"
    side.send("busy", "POST", f"/instances/{db}/action", {"restart": {}})
    side.send("delete of a backup in progress", "DELETE", f"/backups/{backup}")
    side.finish(backup)
    side.send("backup", "GET", f"/backups/{backup}")
    side.send("full page", "GET", "/backups?limit=1")
    body = {"instance": {"name": "rep", "replica_of": db}}
    replica = side.send("replica", "POST", "/instances", body)["instance"]["id"]
    side.names[replica] = "<rep>"
    side.send("delete of a source", "DELETE", f"/instances/{db}")
    body = {"instance": {"name": "rr", "replica_of": replica}}
    side.send("replica of a replica", "POST", "/instances", body)
    side.settle("replica, states", replica)
    side.send("source", "GET", f"/instances/{db}")
    side.send("show replica", "GET", f"/instances/{replica}")
    action = f"/instances/{replica}/action"
    side.send("promote replica", "POST", action, {"promote_to_replica_source": {}})
    side.settle("promote, states", replica)
    side.send("new source", "GET", f"/instances/{replica}")
    body = {"instance": {"replica_of": None}}
    side.settle("old source, states", db)
    side.send("detach replica", "PUT", f"/instances/{db}", body)
    side.settle("detach, states", db)


@shows(Promise.FAKE)
class FakeTest(base.FunctionalTestCase):
    maxDiff = None

    def real(self) -> Side:
        config = self.environment["OS_CLIENT_CONFIG_FILE"]
        loader = openstack.config.OpenStackConfig(config_files=[config])
        session = loader.get_one(cloud=self.cloud).get_session()
        client = trove_client.Client(
            session=session,
            auth=session.auth,
            region_name="RegionOne",
            endpoint_type="public",
        )
        return Side(client, time)

    def fake(self) -> Side:
        clock = FakeClock()
        cloud = FakeCloud(clock)
        cloud.flavors[FLAVOR.id] = FLAVOR
        return Side(make_client(cloud), clock)

    def test_the_fake_responds_as_the_real_trove(self) -> None:
        real, fake = self.real(), self.fake()
        scenario(fake)
        scenario(real)
        self.assertEqual(set(real.answers), set(fake.answers))
        for label, answer in real.answers.items():
            if label.endswith(", states"):
                # A real one may be too fast for its states to be seen.
                self.assertLessEqual(set(answer), set(fake.answers[label]), label)
            else:
                self.assertEqual(answer, fake.answers[label], label)
