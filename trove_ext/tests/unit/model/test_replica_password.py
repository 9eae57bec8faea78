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

"""Which replica lacks the password of replicas, as far as the API shows."""

from datetime import UTC, datetime, timedelta

import testtools

from trove_ext.model.backup import Backup
from trove_ext.model.instance import Instance
from trove_ext.model.replica_password import old_base

START = datetime(2026, 1, 1, tzinfo=UTC)


def member(name, hours, source="db1"):
    created = START + timedelta(hours=hours)
    replica_of = None if name == source else source
    return Instance(
        name, name, "ACTIVE", "HEALTHY", replica_of=replica_of, created=created
    )


def backup(name, hours, *, instance="db1", parent=None, status="COMPLETED"):
    moment = (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S")
    fields = {"id": name, "name": name, "status": status, "instance_id": instance}
    fields |= {"created": moment, "updated": moment, "parent_id": parent}
    return Backup.from_info(fields)


class OldBaseTest(testtools.TestCase):
    def found(self, target, others, *backups):
        members = (member("db1", 0), *others, target)
        base = old_base(target, members, backups)
        return base.id if base else None

    def test_a_first_replica_on_an_older_full_backup(self):
        self.assertEqual("old", self.found(member("r", 5), (), backup("old", 1)))

    def test_the_root_of_a_chain_counts(self):
        chain = (backup("old", 1), backup("child", 2, parent="old"))
        self.assertEqual("old", self.found(member("r", 5), (), *chain))

    def test_a_backup_since_the_first_replica_has_it(self):
        others = (member("first", 2),)
        self.assertIsNone(self.found(member("r", 5), others, backup("new", 3)))

    def test_without_a_backup_the_temporary_one_is_full(self):
        self.assertIsNone(self.found(member("r", 5), ()))
        later = backup("later", 6)
        failed = backup("failed", 1, status="FAILED")
        self.assertIsNone(self.found(member("r", 5), (), later, failed))

    def test_one_that_was_a_source_has_made_it_itself(self):
        own = backup("own", 6, instance="r")
        self.assertIsNone(self.found(member("r", 5), (), backup("old", 1), own))
