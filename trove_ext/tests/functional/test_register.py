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

"""A backup registered in another region of the sandbox, over one object store."""

import unittest

from trove_ext.tests.functional import replicas
from trove_ext.tests.functional.chain import CHAIN, COUNT, NETWORK, ChainTestCase
from trove_ext.tests.promises import Promise, shows

REGION = "RegionTwo"
ANY = "."


@shows(Promise.RESTORE)
@unittest.skipUnless(replicas.LONG, "starts another Trove")
class RegisterTest(ChainTestCase):
    def setUp(self):
        super().setUp()
        self.trove_sandbox("region", "create", REGION)

    def there(self, *argv, **kwargs):
        return self.openstack_json("--os-region-name", REGION, *argv, **kwargs)

    def test_it_is_restored_there_and_has_the_rows(self):
        argv = ("database", "backup", "register", "full", "--to-region", REGION)
        self.trove_sandbox("fault", "set", "quoted-etag")
        self.addCleanup(self.trove_sandbox, "fault", "clear", "quoted-etag")
        quoted = self.run_openstack_here(*argv)
        self.assertEqual(1, quoted.exit_code, quoted)
        self.assertIn("the ETag of the object in quotes", quoted.stderr)
        self.assertEqual([], self.there("database", "backup", "list"))
        self.trove_sandbox("fault", "clear", "quoted-etag")
        made = self.openstack_json(*argv, stderr=ANY)
        again = self.openstack_json(*argv, stderr="registered in|No data is copied")
        self.assertEqual(made["id"], again["id"])
        here = self.openstack_json("datastore", "version", "list", "mysql")
        self.assertNotIn(made["datastore_version_id"], [row["ID"] for row in here])
        (row,) = self.there("database", "backup", "list")
        self.assertEqual((made["id"], "RESTORED"), (row["ID"], row["Status"]))
        restored = self.there(
            *("database", "backup", "restore", made["id"], "away", "--wait"),
            *("--flavor", "db.small", "--size", "1", "--nic", f"net-id={NETWORK}"),
            "--no-configuration",
            stderr=ANY,
        )
        self.assertNotIn("away", self.names())
        (address,) = restored["addresses"]
        (found,) = self.sql(address, COUNT)
        self.assertEqual([CHAIN["full"]], list(found.values()))
        self._a_delete_of_the_record_leaves_the_data(made["id"])

    def _a_delete_of_the_record_leaves_the_data(self, record):
        argv = ("database", "backup", "delete", record, "--wait")
        self.openstack("--os-region-name", REGION, *argv, stderr=ANY)
        location = self.openstack_json("database", "backup", "show", "full")[
            "locationRef"
        ]
        container, name = location.split("/")[-2:]
        self.openstack("object", "show", container, name)

    def test_an_incremental_is_refused_before_anything_is_sent(self):
        argv = ("database", "backup", "register", "inc-1", "--to-region", REGION)
        run = self.run_openstack_here(*argv)
        self.assertEqual(1, run.exit_code, run)
        self.assertIn("its parents would not be there", run.stderr)
