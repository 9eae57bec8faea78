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

"""The TLS of an instance, where the cloud has it."""

from datetime import timedelta
from unittest import mock

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.trove import read, tls


class TestTls(BackupTestCase):
    def read(self):
        return tls.read_tls(self.cloud, read.get_instance(self.cloud, self.db1.id))

    @requires.tls
    def test_without_a_certificate_the_mode_is_built_in(self):
        self.assertEqual(tls.Tls("builtin", None), self.read())

    @requires.tls
    def test_a_certificate_has_an_end(self):
        self.db1.ssl_mode = "enforced"
        now = self.clock.now().replace(microsecond=0)
        self.db1.ssl_expires = now + timedelta(days=30)
        found = self.read()
        self.assertEqual(
            ("enforced", self.db1.ssl_expires), (found.mode, found.expires)
        )

    def test_a_cloud_or_a_client_without_it_has_none(self):
        refused = Fault(
            Kind.FORBIDDEN, 1, lasting=True, only=lambda r: r.path.endswith("/ssl")
        )
        self.cloud = self.make_cloud([refused])
        self.assertIsNone(self.read())
        manager = self.cloud.client.instances
        with mock.patch.object(self.cloud.client, "instances", Old(manager)):
            self.assertIsNone(self.read())


class Old:
    """The manager of a client before 8.10."""

    def __init__(self, manager):
        self.get = manager.get
