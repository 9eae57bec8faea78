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

"""A connection of the library to a fake cloud."""

import contextlib
import os
import pathlib
import tempfile
from unittest import mock

import requests
import testtools
import yaml

import trove_ext
from trove_ext.tests.fake import keystone
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import make_session
from trove_ext.tests.fake.transport import FakeTransport, server_of


class LibraryTestCase(testtools.TestCase):
    """db1 with a full backup and an incremental on it; its replica db2."""

    def setUp(self):
        super().setUp()
        self.clock = FakeClock(limit=400 * 86400.0)
        self.fake = FakeCloud(self.clock)
        self.db1 = self.fake.add_instance("db1", databases=("shop",))
        self.full = self.fake.add_backup("full", self.db1)
        self.incremental = self.fake.add_backup("inc", self.db1, parent=self.full)
        self.events = []

    def connect(self, faults=None, **kwargs):
        return trove_ext.connect(
            session=make_session(self.fake, faults), clock=self.clock, **kwargs
        )

    def add_replicas(self):
        self.db2 = self.fake.add_instance("db2", replica_of=self.db1)
        self.db2.read_only = True

    def changes(self):
        return self.fake.log.changing


@contextlib.contextmanager
def network(cloud, **settings):
    """Lead every request of this process to the fake cloud.

    :param settings: changes to the entry "fake" of clouds.yaml
    """
    identity = server_of(cloud).keystone
    entry = {
        "auth": {
            "auth_url": keystone.IDENTITY,
            "username": identity.username,
            "password": identity.password,
            "project_name": identity.project,
            "user_domain_id": "default",
            "project_domain_id": "default",
        },
        "region_name": identity.region,
        "interface": "public",
        "identity_api_version": "3",
    }
    with tempfile.TemporaryDirectory() as home:
        path = pathlib.Path(home, "clouds.yaml")
        path.write_text(yaml.safe_dump({"clouds": {"fake": entry | settings}}))
        variables = {
            "HOME": home,
            "OS_CLIENT_CONFIG_FILE": str(path),
            "TROVECLIENT_UUID_CACHE_DIR": os.devnull,
        }
        transport = FakeTransport(cloud)
        with (
            mock.patch.dict(os.environ, variables, clear=True),
            mock.patch.object(requests.Session, "get_adapter", return_value=transport),
        ):
            yield


@contextlib.contextmanager
def only_public():
    """Leave only the public endpoints in the service catalog."""
    service = keystone._service

    def public(*args):
        made = service(*args)
        ends = made["endpoints"]
        return made | {"endpoints": [e for e in ends if e["interface"] == "public"]}

    with mock.patch.object(keystone, "_service", public):
        yield
