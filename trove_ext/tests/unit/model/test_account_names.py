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

from trove_ext.model import account_names
from trove_ext.tests.unit import requires

DATABASES = ("shop", "shop,crm", "a", "my db", "x" * 65, "a\\b", "shop-1", "a.b", "")
USERS = ("app", "a,b", " a", "x" * 17, "o'b", "a/b", "a b", "")


def refused(make, *values):
    try:
        make(*values)
    except (ValueError, RuntimeError):
        return True
    return False


@requires.trove
class TestAgainstTrove(testtools.TestCase):
    """The rules are those of the installed Trove."""

    def test_databases(self):
        from trove.common.db.mysql.models import MySQLSchema

        for name in DATABASES:
            self.assertEqual(
                refused(MySQLSchema, name),
                account_names.is_database_refused(name),
                name,
            )

    def test_users_and_passwords(self):
        from trove.common.db.mysql.models import MySQLUser

        for name in USERS:
            self.assertEqual(
                refused(MySQLUser, name), account_names.is_user_refused(name), name
            )
            # Without a password Trove checks none.
            self.assertEqual(
                bool(name) and len(name) < 17 and refused(MySQLUser, "app", name),
                bool(name)
                and len(name) < 17
                and account_names.is_password_refused(name),
            )


class TestProblems(testtools.TestCase):
    def test_a_comma_is_explained_and_no_password_is_shown(self):
        users = [("app", "se,cret"), ("web", "good")]
        found = "\n".join(account_names.problems(["shop,crm", "shop"], users))
        self.assertIn("'shop,crm': not a valid name (several names are", found)
        self.assertIn("user 'app': not a valid password", found)
        self.assertNotIn("se,cret", found)
        self.assertNotIn("web", found)
