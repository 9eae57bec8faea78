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


import testtools

from trove_ext.model.instance import Instance
from trove_ext.model.recovery import (
    Case,
    Writes,
    after_eject,
    after_promote,
    new_source,
    role_of,
)
from trove_ext.osc.base import follow_up


def member(name, status="ACTIVE", operating="HEALTHY", replica_of=None):
    return Instance(name, name, status, operating, replica_of=replica_of)


DB1 = member("db1")
DB2 = member("db2", replica_of="db1")
DB3 = member("db3", replica_of="db1")


class RecoveryTestCase(testtools.TestCase):
    def case(self, *members, target=DB2, silent=(), source=DB1):
        return Case(source, target, members, frozenset(silent))

    def writes(self, diagnosis):
        return {finding.instance.name: finding.writes for finding in diagnosis.findings}

    def commands(self, diagnosis, *, admin=None):
        return [
            follow_up.command("", action).removeprefix(" database ")
            for step in diagnosis.steps
            for action in step.actions
            if admin is None or step.admin is admin
        ]


class TestPromote(RecoveryTestCase):
    def test_before_the_switch_the_source_stays_read_only(self):
        found = after_promote(
            self.case(
                member("db1", "ERROR", None),
                member("db2", "ERROR", None, "db1"),
                member("db3", "ERROR", None, "db1"),
            )
        )
        self.assertEqual({Writes.READ_ONLY}, set(self.writes(found).values()))
        self.assertEqual(
            [f"instance reset status {name}" for name in ("db1", "db2", "db3")],
            self.commands(found, admin=True),
        )
        commands = self.commands(found)
        self.assertLess(
            commands.index("instance reset status db1"),
            commands.index("instance restart db1 --wait"),
        )

    def test_a_silent_source_is_failed_over_without_an_admin(self):
        found = after_promote(
            self.case(member("db1", "ERROR", None), DB2, DB3, silent={"db1"})
        )
        self.assertEqual(["replica failover db1 --wait"], self.commands(found))
        self.assertIs(Writes.UNKNOWN, self.writes(found)["db1"])

    def test_there_is_no_wait_for_a_source_without_its_database(self):
        down = member("db1", "ACTIVE", "SHUTDOWN")
        found = after_promote(self.case(member("db1", "ERROR", None), DB2, source=down))
        self.assertIs(Writes.DOWN, self.writes(found)["db1"])
        self.assertIn("instance wait db2", self.commands(found))

    def test_after_the_switch_lost_replicas_are_created_again(self):
        found = after_promote(
            self.case(
                member("db1", replica_of="db2"),
                member("db2"),
                member("db3", "ERROR", None),
            )
        )
        self.assertEqual(
            {
                "db1": Writes.READ_ONLY,
                "db2": Writes.WRITABLE,
                "db3": Writes.UNKNOWN,
            },
            self.writes(found),
        )
        self.assertEqual(
            ["replica replace db3 --source db2"],
            self.commands(found),
        )
        self.assertEqual([], self.commands(found, admin=True))

    def test_the_old_source_is_deleted_after_its_remaining_replicas(self):
        found = after_promote(
            self.case(
                member("db1", "PROMOTE", None),
                member("db2", "PROMOTE", None),
                member("db3", "PROMOTE", None, "db1"),
            )
        )
        commands = self.commands(found)
        self.assertEqual(["instance reset status db2"], commands[:1])
        self.assertLess(
            commands.index("replica replace db3 --source db2"),
            commands.index("replica replace db1 --source db2"),
        )


class TestEject(RecoveryTestCase):
    def test_the_source_is_the_one_that_others_follow(self):
        db3 = member("db3", replica_of="db2")
        self.assertEqual("db2", new_source([member("db2"), db3]).name)
        self.assertIsNone(new_source([DB2, DB3]))

    def test_of_two_without_a_role_the_one_in_error_is_not_the_new_source(self):
        orphan = member("db3", "ERROR", None)
        self.assertEqual("db2", new_source([member("db2"), orphan]).name)

    def test_a_dead_replica_is_deleted_before_another_try(self):
        found = after_eject(
            self.case(
                member("db1", "ERROR", None),
                member("db2", "ERROR", None, "db1"),
                member("db3", "ERROR", None, "db1"),
                target=None,
                silent={"db1", "db3"},
            )
        )
        self.assertEqual(
            ["instance delete db3 --wait", "replica failover db1 --wait"],
            self.commands(found, admin=False),
        )
        self.assertIs(Writes.UNKNOWN, self.writes(found)["db3"])

    def test_the_ejected_one_is_never_called_read_only(self):
        found = after_eject(
            self.case(DB1, member("db2"), member("db3", "ERROR", None), target=None)
        )
        self.assertIs(Writes.UNKNOWN, self.writes(found)["db1"])
        self.assertNotIn("instance delete db1 --wait", self.commands(found))


class TestRole(RecoveryTestCase):
    def test_roles_are_described_by_name(self):
        self.assertEqual("replica source", role_of(DB1, [DB1, DB2]))
        self.assertEqual("replica of db1", role_of(DB2, [DB1, DB2]))
        self.assertEqual("replica of db1", role_of(DB2, []))
        self.assertEqual("no role", role_of(DB1, [DB1]))
