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

"""Reasons of a failure that mean a token."""

import testtools

from trove_ext.model import store_token

URL = "http://swift:8080/v1/AUTH_p1/database_backups/b1.xbstream"


class TestExplain(testtools.TestCase):
    def test_a_token_that_swift_refuses_is_explained(self):
        for what in ("Container PUT", "Object HEAD"):
            for end in ("", "  [first 60 chars..."):
                reason = f"error: {what} failed: {URL} 401 Unauthorized{end}"
                found = store_token.explain(reason)
                self.assertTrue(found.startswith(reason), found)
                added = found.removeprefix(reason)
                self.assertRegex(added, r"^\.? The object store did not accept")
                self.assertIn("it expired meanwhile, or the access rules", added)

    def test_what_is_not_of_the_store_is_left_alone(self):
        for reason in (
            "disk full",
            "pg_basebackup: error: 401 Unauthorized",
            f"Object PUT failed: {URL} 507 Insufficient Storage",
        ):
            self.assertEqual(reason, store_token.explain(reason))
