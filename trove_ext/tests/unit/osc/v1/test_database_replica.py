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


"""``replica list``, ``show`` and ``detach`` as commands."""

import json

from trove_ext.tests.fake.faults import Fault, Kind
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.plugin_output import parse
from trove_ext.tests.unit.workflows.replicas import ReplicaTestCase


class TestRows(ReplicaTestCase):
    def test_names_are_plain_for_machines(self):
        rows = self.rows("replica show db2 --long")
        self.assertEqual(["db1", "db2", "db3"], [row["Name"] for row in rows])
        self.assertEqual([self.db1.ip], rows[0]["Addresses"])
        self.assertEqual(5, rows[0]["Size"])

    def test_a_page_is_of_whole_sets_and_goes_on_behind_a_member(self):
        other = self.fake.add_instance("other")
        self.fake.add_instance("other2", replica_of=other)
        names = [row["Name"] for row in self.rows("replica list --limit 1")]
        self.assertEqual(["db1", "db2", "db3"], names)
        for marker in (self.db1, self.db3):
            rows = self.rows(f"replica list --limit 1 --marker {marker.id}")
            self.assertEqual(["other", "other2"], [row["Name"] for row in rows])
        self.assertEqual([], self.rows(f"replica list --marker {other.id}"))
        self.refuse(f"replica list --marker {self.alone.id}", "No replica set with")

    def test_a_long_list_shows_version_flavor_and_size(self):
        row = self.rows("replica list --long")[0]
        shown = (row["Datastore Version"], row["Flavor ID"], row["Size"])
        self.assertEqual(("5.7.29", "10", 5), shown)

    def test_all_projects_cost_one_request_and_show_whose_they_are(self):
        self.fake.admin = True
        for number in range(30):
            self.fake.add_instance(f"other{number}")
        result = self.succeed("replica list --all-projects -f json")
        rows = json.loads(result.stdout)
        self.assertEqual({self.fake.project_id}, {row["Project ID"] for row in rows})
        self.assertEqual(3, len(rows))
        self.assertEqual(1, len(result.requests.to_trove()))

    def test_another_project_is_read_by_its_id(self):
        self.fake.admin = True
        other = "0" * 31 + "7"
        server_of(self.fake).keystone.other_projects[other] = "crm"
        self.assertEqual([], self.rows("replica list --project crm"))
        result = self.run_line("replica list --project crm --source db1")
        self.assertEqual(2, result.exit_code)
        self.assertIn("leave out --project", result.stderr)

    def test_for_a_plain_user_all_projects_are_refused(self):
        result = self.run_line("replica list --all-projects")
        self.assertEqual(1, result.exit_code)
        self.assertIn("admin", result.stderr)

    def test_inconsistencies_are_reported_on_standard_error(self):
        self.db1.deleted = True
        result = self.succeed("replica list -f value -c Name")
        self.assertEqual(["db2", "db3"], sorted(result.stdout.split()))
        self.assertIn(f"WARNING: db2 ({self.db2.id})", result.stderr)
        self.assertIn("which is not there", result.stderr)
        self.refuse("replica promote db2", "can't be found")


class TestNagios(ReplicaTestCase):
    """The output is read by a parser that was written from the plugin API."""

    def plugin(self, line, code, **kwargs):
        result = self.run_line(f"replica show {line} --nagios", **kwargs)
        self.assertEqual(code, result.exit_code, result.stdout + result.stderr)
        return parse(result.stdout)

    def test_a_set_that_replicates_is_ok_with_the_delay_of_each_replica(self):
        found = self.plugin("db2 --probe", 0)
        self.assertEqual(("REPLICATION", "OK"), (found.service, found.state))
        self.assertEqual("db1: 2 of 2 replicate", found.summary)
        self.assertEqual({"db2_delay", "db3_delay", "bad"}, set(found.items))
        delay = found.items["db2_delay"]
        self.assertEqual(("s", "30"), (delay["unit"], delay["critical"]))
        self.assertEqual(2, len(found.details))
        self.assertEqual({"shop"}, set(self.db1.content.databases))

    def test_a_replica_that_does_not_replicate_is_critical(self):
        self.db3.replicating = False
        found = self.plugin("db1 --probe", 2)
        self.assertIn("1 of 2 replicate; db3 (not replicating)", found.summary)
        self.assertEqual({"db2_delay", "bad"}, set(found.items))
        self.assertIn("db3 CRITICAL - db3 (", found.details[1])

    def test_a_replica_that_can_not_be_read_is_unknown(self):
        down = Fault(Kind.BUSY, only=lambda r: self.db3.id in r.path, lasting=True)
        found = self.plugin("db1 --probe", 3, faults=[down])
        self.assertIn("db3 (can't be probed)", found.summary)

    def test_an_instance_that_is_in_no_set_any_more_is_critical(self):
        for name in ("alone", "nobody"):
            self.assertEqual("CRITICAL", self.plugin(f"{name} --probe", 2).state)

    def test_a_set_without_its_source_is_critical(self):
        self.db1.deleted = True
        self.assertIn("source is gone", self.plugin("db2 --probe", 2).summary)

    def test_what_hinders_the_check_is_unknown(self):
        for service in ("keystone", "trove"):
            down = Fault(
                Kind.REFUSED, only=lambda r, s=service: r.service == s, lasting=True
            )
            self.plugin("db1 --probe", 3, faults=[down])
        wrong = {"OS_PASSWORD": "wrong"}
        self.assertIn("Log-in", self.plugin("db1 --probe", 3, env=wrong).summary)

    def test_without_a_probe_nothing_is_proved(self):
        self.assertIn("needs --probe", self.plugin("db1", 3).summary)


class TestDetach(ReplicaTestCase):
    def test_several_are_checked_then_sent_and_waited_for_together(self):
        result = self.succeed("replica detach db2 db3 --wait -f json")
        rows = json.loads(result.stdout)
        self.assertEqual([("db2", None), ("db3", None)], sources(rows))
        self.assertEqual(2, len(result.requests.changing))

    def test_one_that_can_not_be_detached_does_not_stop_the_others(self):
        result = self.run_line("replica detach db2 alone --wait -f json")
        self.assertEqual(1, result.exit_code)
        self.assertEqual([("db2", None)], sources(json.loads(result.stdout)))
        self.assertIn("it is not a replica", result.stderr)
        self.assertIn("1 of 2 were not detached", result.stderr)

    def test_without_wait_one_command_waits_for_all(self):
        result = self.succeed("replica detach db2 db3")
        wait = f"instance wait {self.db2.id} {self.db3.id} --for detached"
        self.assertIn(wait, result.stderr)

    def test_a_dry_run_shows_the_new_roles_and_changes_nothing(self):
        result = self.succeed("replica detach db2 --dry-run -f json")
        self.assertEqual([("db2", None)], sources(json.loads(result.stdout)))
        self.assertEqual([], result.requests.changing)
        self.assertIn("nothing was changed", result.stderr)
        self.refuse("replica detach alone --dry-run", "it is not a replica")


def sources(rows):
    return [(row["Name"], row["Source ID"]) for row in rows]
