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

"""A fence: writes are stopped during a promote of PostgreSQL, and possible again."""

from unittest import mock

from trove_ext.exceptions import CheckError
from trove_ext.follow_up import Verb
from trove_ext.tests.unit import requires
from trove_ext.tests.unit.workflows.replica.test_promote_risks import (
    PostgresReplicaTestCase,
)
from trove_ext.workflows.replica import fence, sets


class FenceTestCase(PostgresReplicaTestCase):
    READ_ONLY = fence.READ_ONLY

    def is_up(self):
        return [bool(each.settings.get(self.READ_ONLY)) for each in self.members]

    def attach(self, group, *members):
        for member in members or self.members:
            member.configuration_id = group.id
            member.overrides = dict(group.values)
            member.settings = dict(group.values)

    def group(self, name="own", **values):
        group = self.fake.add_configuration(name, "postgresql", **values)
        self.attach(group)
        return group

    def check(self, target="db2"):
        found, target, source = sets.replica_set(
            sets.find(self.cloud, target), "promote"
        )
        return fence.check(self.cloud, found, source, target)

    def problems(self):
        plan, problems = self.check()
        del plan
        return "\n".join(map(str, problems))


class TestCheck(FenceTestCase):
    def test_a_set_without_a_group_gets_one(self):
        plan, problems = self.check()
        self.assertEqual((fence.FencePlan(), []), (plan, problems))

    def test_the_group_of_the_set_alone_can_be_used(self):
        group = self.group(work_mem=4096)
        plan, problems = self.check()
        self.assertEqual([], problems)
        self.assertEqual(group.id, plan.group.id)
        self.assertEqual({"work_mem": 4096}, plan.group.values)

    def test_a_group_that_others_have_is_refused_with_two_ways(self):
        group = self.group(work_mem=4096)
        self.alone.version_id = self.db1.version_id
        self.attach(group, self.alone)
        problem = self.check()[1][0]
        self.assertIn(self.alone.id, str(problem))
        verbs = [action.verb for f in problem.follow_ups for action in f.actions]
        self.assertIn(Verb.DETACH_CONFIGURATION, verbs)
        self.assertTrue(problem.follow_ups[1].actions[0].accept_loss)

    def test_a_group_that_needs_a_restart_is_refused(self):
        self.group(shared_buffers=1)
        self.assertIn("shared_buffers", self.problems())

    def test_a_set_that_is_read_only_already_is_refused(self):
        self.group(default_transaction_read_only=True)
        self.assertIn("on already", self.problems())

    def test_a_replica_with_another_group_is_refused(self):
        group = self.fake.add_configuration("other", "postgresql")
        self.attach(group, self.db3)
        self.assertIn(f"db3 ({self.db3.id}) has another", self.problems())

    def test_a_member_of_another_version_with_the_same_name_is_refused(self):
        self.fake.versions["v2"] = mock.Mock(
            id="v2", version="15.9", datastore="postgresql"
        )
        self.fake.versions["v2"].name = "15"
        self.db3.version_id = "v2"
        self.assertIn("number 15.9", self.problems())

    def test_a_member_that_needs_a_restart_is_refused(self):
        self.db3.task = type(self.db3.task).RESTART_REQUIRED
        self.assertIn("RESTART_REQUIRED", self.problems())

    @requires.tls
    def test_tls_is_known_before(self):
        self.db1.ssl_mode = "enforced"
        self.assertTrue(self.check()[0].has_tls)


class TestPutUp(FenceTestCase):
    def put_up(self):
        found, target, source = sets.replica_set(
            sets.find(self.cloud, "db2"), "promote"
        )
        plan, problems = fence.check(self.cloud, found, source, target)
        if problems:
            raise CheckError("no", problems)
        return fence.put_up(self.cloud, plan, found, source)

    def test_no_member_takes_writes(self):
        up = self.put_up()
        self.assertTrue(up.is_ours)
        self.assertEqual([True] * 3, self.is_up())

    def test_the_group_of_an_earlier_fence_is_used_again(self):
        first = self.put_up()
        for member in self.members:
            member.configuration_id = None
        self.assertEqual(first.group.id, self.put_up().group.id)
        self.assertEqual(1, len(self.fake.configurations))

    def test_the_values_of_the_own_group_are_kept(self):
        group = self.group(work_mem=4096)
        up = self.put_up()
        self.assertFalse(up.is_ours)
        self.assertEqual({"work_mem": 4096}, up.values)
        self.assertEqual([True] * 3, self.is_up())
        self.assertNotIn(fence.IDLE, group.values)
