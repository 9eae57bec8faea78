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

"""An instance is read from what Trove sends."""

from datetime import UTC, datetime

import testtools

from trove_ext.exceptions import MalformedAnswerError
from trove_ext.model.instance import Address, Instance

INFO = {
    "id": "44b277eb",
    "name": "db1",
    "status": "ACTIVE",
    "operating_status": "HEALTHY",
    "created": "2026-11-01T10:00:00",
    "updated": "2026-11-01T10:10:00",
    "datastore": {"type": "mysql", "version": "8.4"},
    "flavor": {"id": "10"},
    "volume": {"size": 5, "used": 0.3},
    "addresses": [
        {"address": "10.0.0.5", "type": "private", "network": "n1"},
        {"address": "192.0.2.7", "type": "public", "network": "n2"},
    ],
    "replicas": [{"id": "r1"}, {"id": "r2"}],
    "access": {"is_public": True, "allowed_cidrs": ["10.0.0.0/24"]},
}


class TestInstance(testtools.TestCase):
    def test_reads_the_fields_that_trove_sends(self):
        instance = Instance.from_info(INFO)
        self.assertEqual("db1 (44b277eb)", str(instance))
        self.assertEqual(("mysql", "8.4"), (instance.datastore, "8.4"))
        self.assertEqual((5, 0.3), (instance.size, instance.used))
        self.assertEqual(("r1", "r2"), instance.replicas)
        self.assertEqual(datetime(2026, 11, 1, 10, tzinfo=UTC), instance.created)
        self.assertEqual(("10.0.0.0/24",), instance.allowed_cidrs)

    def test_a_public_address_is_no_network_of_its_own(self):
        self.assertEqual(("n1",), Instance.from_info(INFO).networks)

    def test_an_older_server_sends_addresses_without_their_kind(self):
        older = {key: INFO[key] for key in ("id", "name", "status")}
        instance = Instance.from_info(older | {"ip": ["10.0.0.5"]})
        self.assertEqual((Address("10.0.0.5", None, None),), instance.addresses)
        self.assertIsNone(instance.operating_status)

    def test_a_record_without_a_status_is_malformed(self):
        broken = {key: INFO[key] for key in ("id", "name")}
        self.assertRaises(MalformedAnswerError, Instance.from_info, broken)

    def test_settled_is_active_and_healthy(self):
        self.assertTrue(Instance.from_info(INFO).is_settled)
        for changed in ({"status": "BUILD"}, {"operating_status": "SHUTDOWN"}):
            self.assertFalse(Instance.from_info(INFO | changed).is_settled)

    def test_only_a_fault_of_the_last_change_explains_a_failure(self):
        for stored, explains in (("2026-11-01T10:10:00", True), ("2026-10-01", False)):
            fault = {"message": "No space left.", "created": stored}
            instance = Instance.from_info(INFO | {"fault": fault})
            self.assertEqual(explains, instance.failure is not None)
            self.assertEqual("No space left.", instance.fault.message)
