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

"""All instances of a project, each replica set once."""

import testtools

from trove_ext.model.instance import Instance
from trove_ext.model.selection import Selection, select


def instance(name, **fields):
    fields.setdefault("datastore", "mysql")
    status = fields.pop("status", "ACTIVE")
    return Instance(f"id-{name}", name, status, "HEALTHY", **fields)


def replica_set(source, *replicas, **fields):
    ids = tuple(f"id-{name}" for name in replicas)
    members = [instance(name, replica_of=f"id-{source}") for name in replicas]
    return [instance(source, replicas=ids, **fields), *members]


class TestSelect(testtools.TestCase):
    def groups(self, instances, *args, **kwargs):
        """The names of the members of each group."""
        groups, _ = select(instances, Selection(*args, **kwargs))
        for group in groups:
            self.assertEqual(group.head, group.members[0])
        return [[member.name for member in group.members] for group in groups]

    def left_out(self, instances, *args, **kwargs):
        _, left_out = select(instances, Selection(*args, **kwargs))
        return {left.instance.name: left.reason for left in left_out}

    def test_a_replica_set_is_one_and_its_source_leads_it(self):
        instances = [*replica_set("shop", "a", "b"), instance("blog")]
        self.assertEqual([["blog"], ["shop", "a", "b"]], self.groups(instances))

    def test_each_member_can_be_taken_by_itself(self):
        instances = replica_set("shop", "a")
        self.assertEqual([["a"], ["shop"]], self.groups(instances, each_member=True))

    def test_an_excluded_instance_is_neither_taken_nor_left_out(self):
        instances = [instance("test-1"), instance("shop"), instance("test-2")]
        self.assertEqual([["shop"]], self.groups(instances, ("test-*",)))
        self.assertEqual({}, self.left_out(instances, ("test-*",)))

    def test_a_set_goes_by_its_source(self):
        instances = replica_set("shop", "a", "b", datastore="mariadb")
        self.assertEqual([], self.groups(instances, ("shop",)))
        self.assertEqual([["shop", "b"]], self.groups(instances, ("a",)))
        self.assertEqual(1, len(self.groups(instances, datastore="mariadb")))
        self.assertEqual([], self.groups(instances, datastore="mysql"))

    def test_what_can_have_no_backup_at_present_is_left_out_with_the_reason(self):
        instances = [
            instance("new", status="BUILD"),
            instance("going", status="SHUTDOWN"),
            instance("node", cluster_id="c1"),
            instance("trove-ext-verify-0a1b2c3d-20260101T000000Z-4e5f"),
            instance("failed", status="ERROR"),
        ]
        self.assertEqual([["failed"]], self.groups(instances))
        self.assertEqual(
            {
                "new": "it is being built",
                "going": "it is being deleted",
                "node": "it is a member of cluster c1",
                "trove-ext-verify-0a1b2c3d-20260101T000000Z-4e5f": (
                    "it is the temporary instance of a verification"
                ),
            },
            self.left_out(instances),
        )

    def test_a_member_that_is_being_built_does_not_hide_its_set(self):
        source, replica = replica_set("shop", "a")
        built = instance("a", replica_of=source.id, status="BUILD")
        self.assertEqual([["shop"]], self.groups([source, built]))
        self.assertEqual({"a"}, set(self.left_out([source, built])))
        self.assertEqual([["shop", "a"]], self.groups([source, replica]))

    def test_names_are_compared_with_regard_to_case(self):
        self.assertEqual([["Shop"]], self.groups([instance("Shop")], ("shop",)))
