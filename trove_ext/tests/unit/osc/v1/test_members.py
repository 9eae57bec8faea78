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

"""Members of replica sets, as rows."""

import testtools

from trove_ext.model.instance import Address, Instance
from trove_ext.model.replication import ReplicationSet
from trove_ext.osc.base import columns
from trove_ext.osc.v1 import members


def _instance(name, **kwargs):
    return Instance(f"id-{name}", name, "ACTIVE", "HEALTHY", **kwargs)


class MembersTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.source = _instance("b", replicas=("id-c", "id-a"))
        self.replicas = [_instance(name, replica_of="id-b") for name in ("c", "a")]
        self.set = ReplicationSet(self.source, tuple(self.replicas))

    def rows(self, table):
        """The rows by column name, as machines are shown them."""
        names, rows = table
        return [dict(zip(names, map(columns.plain, row), strict=True)) for row in rows]


class TestTables(MembersTestCase):
    def test_the_source_comes_first_and_then_its_replicas_by_name(self):
        names = [member.name for member in members.ordered(self.set)]
        self.assertEqual(["b", "a", "c"], names)

    def test_a_set_is_drawn_as_a_tree_for_people_and_plain_for_machines(self):
        table = members.show_table(self.set, ("Name", "Role"), "utf-8")
        drawn = [row[0].human_readable() for row in table[1]]
        self.assertEqual(["b", "├\N{NO-BREAK SPACE}a", "└\N{NO-BREAK SPACE}c"], drawn)
        self.assertEqual(["b", "a", "c"], [row["Name"] for row in self.rows(table)])

    def test_a_list_has_the_source_of_each_replica(self):
        pairs = [(member, self.set.members) for member in self.set.members]
        sources = [row["Source ID"] for row in self.rows(members.list_table(pairs))]
        self.assertEqual([None, "id-b", "id-b"], sources)

    def test_a_switch_shows_both_roles_and_what_is_gone(self):
        after = [
            _instance("a", replicas=("id-c",)),
            _instance("c", replica_of="id-a"),
        ]
        rows = self.rows(members.switch_table(self.set, after))
        self.assertEqual(
            [("b", "deleted"), ("a", "replica source"), ("c", "replica of a")],
            [(row["Name"], row["Role After"]) for row in rows],
        )
        self.assertEqual("replica of b", rows[1]["Role Before"])

    def test_a_plan_shows_the_roles_that_are_planned(self):
        planned = {"id-a": "replica source", "id-b": "x", "id-c": "y"}
        table = members.switch_table(self.set, self.set.members, planned)
        found = {row["ID"]: row["Role After"] for row in self.rows(table)}
        self.assertEqual(planned, found)


class TestCells(MembersTestCase):
    def test_addresses_are_a_list_for_machines(self):
        both = (Address("10.0.0.5", None, None), Address("192.0.2.7", None, None))
        shown = members.addresses(_instance("a", addresses=both))
        self.assertEqual(["10.0.0.5", "192.0.2.7"], shown.machine_readable())
        self.assertEqual("10.0.0.5, 192.0.2.7", shown.human_readable())
        self.assertEqual("-", members.addresses(self.source).human_readable())

    def test_without_a_probe_nothing_is_said_to_replicate(self):
        shown = members.replication("id-a", ())
        self.assertEqual(members.NOT_PROBED, shown.machine_readable())
