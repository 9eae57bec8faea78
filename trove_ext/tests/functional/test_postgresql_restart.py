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

"""Restart a set of PostgreSQL, and clone its source, on real servers."""

import unittest

from trove_ext.tests.functional import postgresql, replicas
from trove_ext.tests.promises import Ground, Promise, shows

STARTED = "SELECT pg_postmaster_start_time()"


@unittest.skipUnless(replicas.LONG, "takes minutes")
@shows(Promise.REPLICA, Promise.PROMOTE, Promise.RESTORE, on=Ground.POSTGRESQL)
class RestartTest(postgresql.PostgresTestCase):
    """A source and one replica."""

    def command(self, *words):
        """Run a command that succeeds; return its JSON."""
        argv = ("database", *words, "--timeout", "0")
        return self.openstack_json(*argv, stderr=".*", timeout=1800)

    def restart(self, members, *options):
        """Restart the set; every server has to run since a later time than before."""
        before = {member: self.value(member, STARTED) for member in members}
        rows = self.command("replica", "restart", members[0], *options)
        self.assertEqual({"restarted"}, {row["Restart"] for row in rows})
        for member in members:
            self.assertGreater(self.value(member, STARTED), before[member], rows)
        return [row["Name"] for row in rows]

    def test_both_are_restarted_and_a_switchover_loses_no_row(self):
        source = self.make_source()
        (replica,) = self.make_replicas(source, "replica")
        members = [source, replica]
        self.add(source, 1)
        self.assertEqual(["replica", "source"], self.restart(members))
        self.assertEqual([False, True], self.in_recovery(members))
        self.add(source, 2)
        self.restart(members, "--switchover")
        self.assertEqual([True, False], self.in_recovery(members))
        self.add(replica, 3)
        for member in members:
            self.eventually([1, 2, 3], lambda m=member: self.rows(m))

    def in_recovery(self, members):
        return [self.value(each, "SELECT pg_is_in_recovery()") for each in members]

    def test_a_clone_has_the_rows_and_no_backup_is_left(self):
        source = self.make_source()
        self.add(source, 1, 2)
        clone = self.command("instance", "clone", source, "copy")["id"]
        self.made.append(clone)
        self.client.root.create_instance_root(clone, postgresql.PASSWORD)
        self.assertEqual([1, 2], self.rows(clone))
        self.add(clone, 3)
        self.assertEqual([1, 2], self.rows(source))
        self.assertEqual([], self.client.backups.list())
