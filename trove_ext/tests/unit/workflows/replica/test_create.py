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


from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.rows import NETWORK_ID
from trove_ext.tests.fake.state import BackupState
from trove_ext.tests.promises import Promise, shows
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase

OTHER_NETWORK = "11111111-2222-4333-8444-555555555555"


@shows(Promise.REPLICA, Promise.CHECKS)
class TestCreate(ReplicaTestCase):
    def body(self, result):
        (request,) = result.requests.changing[:1]
        return request.body["instance"]

    def test_what_trove_does_not_inherit_comes_from_the_source(self):
        group = self.fake.add_configuration("tuned", max_connections=10)
        self.db1.configuration_id = group.id
        self.db1.access = {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
        body = self.body(self.succeed("replica create db1 new"))
        self.assertEqual([{"network_id": NETWORK_ID}], body["nics"])
        self.assertEqual(group.id, body["configuration"])
        self.assertEqual(
            {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}, body["access"]
        )
        self.assertNotIn("availability_zone", body)

    def test_options_take_precedence(self):
        group = self.fake.add_configuration("other")
        body = self.body(
            self.succeed(
                f"replica create db1 new --nic net-id={OTHER_NETWORK} --configuration "
                "other --availability-zone az2 --is-public --allowed-cidr 1.2.3.0/24"
            )
        )
        self.assertEqual([{"network_id": OTHER_NETWORK}], body["nics"])
        self.assertEqual(group.id, body["configuration"])
        self.assertEqual("az2", body["availability_zone"])
        self.assertEqual(
            {"is_public": True, "allowed_cidrs": ["1.2.3.0/24"]}, body["access"]
        )

    def test_all_problems_are_reported_together(self):
        self.fake.quotas["backups"] = 0
        self.refuse(
            "replica create db2 new --count 4 --configuration none",
            "is itself a replica",
            self.db1.id,
            "4 replicas",
            "the quota of backups does not suffice: 0 of 0 taken",
            "No configuration group with a name or ID of 'none'",
        )

    def test_a_full_quota_names_the_failed_backups_and_deletes_none(self):
        good = self.fake.add_backup("good", self.db1)
        bad = self.fake.add_backup("bad", self.db1, state=BackupState.FAILED)
        self.fake.quotas["backups"] = 2
        result = self.run_line("replica create db1 new")
        self.assertEqual((1, []), (result.exit_code, result.requests.changing))
        self.assertIn(f"backup delete {bad.id}", result.stderr)
        self.assertNotIn(good.id, result.stderr)

    def test_a_source_that_is_not_ready_is_refused(self):
        self.fake.kill_database(self.db1)
        self.refuse("replica create db1 new", "ACTIVE/SHUTDOWN")

    def test_a_datastore_that_trove_does_not_replicate_is_refused(self):
        store = self.fake.datastores.pop("mysql")
        store.name = "mongodb"
        self.fake.datastores["mongodb"] = store
        self.fake.versions[self.db1.version_id].datastore = "mongodb"
        self.refuse("replica create db1 new", "Trove can't replicate that")

    def test_a_network_that_can_not_be_read_has_to_be_given(self):
        self.db1.hostname = "db1.example.org"
        self.refuse("replica create db1 new", "--nic net-id=<network>")
        self.succeed(f"replica create db1 new --nic net-id={OTHER_NETWORK}")

    def test_a_quota_that_can_not_be_read_is_left_to_trove(self):
        fault = Fault(
            Kind.HTTP_503, 1, True, only=lambda request: "/mgmt/quotas/" in request.path
        )
        result = self.succeed("replica create db1 new", faults=[fault])
        self.assertIn("quota could not be read", result.stderr)

    def test_an_address_can_not_be_chosen(self):
        nic = f"subnet-id={OTHER_NETWORK},ip-address=10.0.0.9"
        self.refuse(
            f"replica create db1 new --nic {nic}", "can't choose its ip-address"
        )

    def test_after_a_lost_response_the_request_is_not_sent_again(self):
        fault = Fault(Kind.RESET_AFTER, 1, True, only=lambda request: request.changing)
        line = "replica create db1 new --count 2 --wait -f value -c Name"
        result = self.succeed(line, faults=[fault])
        self.assertEqual("new-1\nnew-2\n", result.stdout)
        self.assertEqual(1, len(result.requests.changing))
