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


"""A probe proves that a replica replicates, and cleans up."""

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestProbe(ReplicaTestCase):
    def test_the_database_is_dropped_whatever_happens(self):
        self.fake.stop_replication(self.db3)
        result = self.run_line("replica show db3 --probe")
        self.assertEqual(1, result.exit_code)
        self.assertIn("not replicating", result.stdout)
        self.assertIn("proved in", result.stdout)
        self.assertEqual({"shop"}, self.db1.content.databases)

    def test_an_interrupt_drops_it_too(self):
        self.fake.stop_replication(self.db3)

        def interrupt():
            raise KeyboardInterrupt

        self.clock.after(10.0, interrupt)
        self.run_line("replica show db3 --probe")
        self.assertEqual({"shop"}, self.db1.content.databases)

    def test_after_a_lost_response_the_database_is_found_and_dropped(
        self,
    ):
        fault = Fault(
            Kind.RESET_AFTER,
            1,
            True,
            only=lambda request: (
                request.method == "POST" and "databases" in request.path
            ),
        )
        self.succeed("replica show db1 --probe", faults=[fault])
        self.assertEqual({"shop"}, self.db1.content.databases)

    def test_what_may_have_been_created_is_dropped_if_nothing_can_be_read(self):
        def of_databases(method):
            return lambda sent: sent.method == method and "databases" in sent.path

        faults = [
            Fault(Kind.RESET_AFTER, 1, True, only=of_databases("POST")),
            Fault(Kind.HTTP_503, 1, True, only=of_databases("GET")),
        ]
        result = self.run_line("replica show db1 --probe", faults=faults)
        self.assertEqual(1, result.exit_code)
        self.assertIn(f"database db list {self.db1.id}", result.stderr)
        self.assertEqual({"shop"}, self.db1.content.databases)

    def test_a_drop_that_fails_names_the_command(self):
        fault = Fault(
            Kind.HTTP_503, 1, True, only=lambda request: request.method == "DELETE"
        )
        result = self.succeed("replica show db1 --probe", faults=[fault])
        self.assertIn(
            f"database db delete {self.db1.id} trove_ext_probe_", result.stderr
        )
