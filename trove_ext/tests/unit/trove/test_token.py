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


"""A token that lives as long as the backup that is stored with it."""

from datetime import timedelta

from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.unit.trove.answers import AnswerTestCase
from trove_ext.trove import token

HOUR = timedelta(hours=1)


class TestToken(AnswerTestCase):
    def setUp(self):
        super().setUp()
        self.keystone = server_of(self.fake).keystone

    def issued(self, *, age, expected):
        """Return how many tokens there are after one of this age was used."""
        self.keystone.tokens.clear()
        self.keystone.token_age = age
        cloud = self.make_cloud()
        for _ in range(2):
            cloud.read("Backup", lambda: cloud.client.backups.get(self.backup.id))
            token.prepare(cloud, expected)
        cloud.read("Backup", lambda: cloud.client.backups.get(self.backup.id))
        return len(self.keystone.tokens)

    def test_one_that_lives_long_enough_is_kept(self):
        for age, expected in ((0, HOUR), (50, None), (1500, HOUR / 4), (0, 9 * HOUR)):
            with self.subTest(age=age, expected=expected):
                self.assertEqual(1, self.issued(age=age, expected=expected))

    def test_one_that_may_expire_before_the_backup_ends_is_replaced_once(self):
        for age, expected in ((62, None), (1900, HOUR / 4), (3000, HOUR / 4)):
            with self.subTest(age=age, expected=expected):
                self.assertEqual(2, self.issued(age=age, expected=expected))

    def test_tokens_that_never_live_long_enough_are_reported(self):
        self.issued(age=600, expected=2 * HOUR)
        self.assertIn("expire after 1h", "\n".join(self.progress.warnings))
        self.assertIn("it is likely to fail", "\n".join(self.progress.warnings))


class TestCommands(AnswerTestCase):
    """Each command that takes a backup, with a token that was issued an hour ago."""

    LINES = (
        "backup create db1 new --wait",
        "backup rotate db1 --min-age 0",
        "instance clone db1 new --nic none",
        "instance upgrade db1 5.7.29 --backup-first",
    )

    def setUp(self):
        super().setUp()
        self.backup.updated = self.backup.created + HOUR / 2

    def run_line(self, line, env=None):
        server_of(self.fake).keystone.token_age = 3000.0
        return run_openstack(["database", *line.split()], self.fake, env=env or {})

    def test_takes_a_new_one(self):
        for line in self.LINES:
            with self.subTest(line):
                server_of(self.fake).keystone.tokens.clear()
                self.run_line(line)
                self.assertEqual(2, len(server_of(self.fake).keystone.tokens), line)

    def test_a_token_that_was_given_is_named_as_one_that_can_not_be_renewed(self):
        given = run_openstack(["token", "issue", "-f", "value", "-c", "id"], self.fake)
        env = {
            "OS_AUTH_TYPE": "token",
            "OS_TOKEN": given.stdout.strip(),
            "OS_USERNAME": None,
            "OS_PASSWORD": None,
            "OS_USER_DOMAIN_ID": None,
        }
        result = self.run_line(self.LINES[0], env)
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertIn("can't be renewed", result.stderr)
        self.assertIn("--os-token", result.stderr)
