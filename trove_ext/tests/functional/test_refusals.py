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

"""Refusals of a real Trove, right after a real Keystone has renewed the token."""

from unittest import mock

from keystoneauth1.identity import base as identity

from trove_ext.tests.functional.base import FunctionalTestCase
from trove_ext.tests.promises import Promise, shows

#: keystoneauth renews a token this many seconds before it expires.
ALWAYS = 10**9


@shows(Promise.ONCE)
class RefusalsTest(FunctionalTestCase):
    """Seeded rows are enough: only the records have to exist."""

    def test_a_delete_that_policy_forbids_is_refused_and_sent_once(self):
        seed = ("seed", "--instances", "1", "--backups", "1", "--cloud", self.cloud)
        self.trove_sandbox(*seed)
        (backup,) = self.openstack_json("database", "backup", "list")
        # Only in the project of this class.
        self.trove_sandbox("policy", "forbid", "backup-delete", "--cloud", self.cloud)
        argv = ("database", "backup", "delete", backup["ID"], "--wait", "-y")
        with mock.patch.object(
            identity.BaseIdentityPlugin, "MIN_TOKEN_LIFE_SECONDS", ALWAYS
        ):
            run = self.run_openstack_here("--debug", *argv)
        self.assertEqual(1, run.exit_code, str(run))
        renewed = run.stderr.count("Making authentication request to")
        self.assertGreater(renewed, 2, str(run))
        self.assertEqual(1, run.stderr.count("curl -g -i -X DELETE"), str(run))
        self.assertIn("policy does not allow you to do this", run.stderr)
        self.assertNotIn("may or may not", run.stderr)
