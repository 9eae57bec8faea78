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

"""Users of a new instance: no password is truncated or shown."""

import argparse
import io
import pathlib

import fixtures
import testtools

from trove_ext.exceptions import UsageError
from trove_ext.osc.hooks.credentials import credentials


def read(*users, file=None, stdin=""):
    args = argparse.Namespace(users=list(users), credentials_file=file)
    return credentials(args, io.StringIO(stdin))


class TestCredentials(testtools.TestCase):
    def test_arguments_are_passed_on(self):
        self.assertEqual(["dbusr:dbpassword"], read("dbusr:dbpassword"))

    def test_a_user_without_password_or_with_a_colon_too_many_is_named(self):
        error = self.assertRaises(
            UsageError, read, "bob", "eve:pa:ss", ":pw", "good:pw"
        )
        self.assertIn("--users bob", str(error))
        self.assertIn("--users eve:...", str(error))
        self.assertEqual(3, len(str(error).splitlines()))
        self.assertNotIn("pa:ss", str(error))

    def test_a_password_with_colons_is_complete_from_standard_input(self):
        (one,) = read(file="-", stdin="bob:pa:ss:wo:rd\n\n")
        # What the stock command makes of it.
        self.assertEqual(["bob", "pa:ss:wo:rd"], one.split(":")[:2])

    def test_a_password_is_not_in_the_log_of_arguments(self):
        self.assertNotIn("secret", repr(read(file="-", stdin="bob:secret\n")))

    def test_a_bad_line_is_named_by_its_number_alone(self):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "users"
        path.write_text("bob:pw\nsecret\n", encoding="utf-8")
        error = self.assertRaises(UsageError, read, file=str(path))
        self.assertIn("line 2", str(error))
        self.assertNotIn("secret", str(error))

    def test_a_file_without_a_user_creates_none_and_says_so(self):
        for text in ("", "\n \n", "\ufeff"):
            error = self.assertRaises(UsageError, read, file="-", stdin=text)
            self.assertIn("no user:password in it", str(error))

    def test_a_password_is_complete_whatever_it_contains(self):
        (one,) = read(file="-", stdin="bob:a\fb\u2028c\x1cd\n")
        self.assertEqual("bob:a\fb\u2028c\x1cd", str(one))

    def test_a_byte_order_mark_and_crlf_are_not_part_of_it(self):
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "users"
        path.write_bytes(b"\xef\xbb\xbfbob:pw\r\neve:px\r\n")
        self.assertEqual(["bob:pw", "eve:px"], [*map(str, read(file=str(path)))])

    def test_a_password_is_not_read_from_a_terminal(self):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        args = argparse.Namespace(users=[], credentials_file="-")
        error = self.assertRaises(UsageError, credentials, args, Terminal("bob:pw"))
        self.assertIn("is a terminal", str(error))
        error = self.assertRaises(UsageError, credentials, args, None)
        self.assertIn("is closed", str(error))

    def test_a_missing_file_is_a_usage_error(self):
        self.assertRaises(UsageError, read, file="/does/not/exist")
