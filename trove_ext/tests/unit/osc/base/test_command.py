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

"""The bases of our commands."""

import argparse
import contextlib
import io
from unittest import mock

import testtools

from trove_ext.osc.base import columns, command


class Listed(command.Lister):
    """List something.

    A second paragraph.
    """

    def add_options(self, parser):
        parser.add_argument("--of", help="Of this")

    def take_action(self, parsed_args):
        return columns.table(
            ("Name", "Size"),
            ["a", "b"],
            lambda name: {"Size": columns.number(None), "Name": columns.text(name)},
        )


class TestParser(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.app = mock.MagicMock()
        self.parser = Listed(self.app, None).get_parser("openstack listed")

    def test_it_has_what_the_command_adds(self):
        self.assertEqual("x", self.parser.parse_args(["--of", "x"]).of)

    def test_a_message_can_not_drive_the_terminal(self):
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr):
            self.assertRaises(SystemExit, self.parser.parse_args, ["x\x1b[2J"])
        self.assertIn("x\\x1b[2J", stderr.getvalue())

    def test_its_help_has_the_paragraphs_of_the_docstring(self):
        self.assertIn("List something.\n\nA second", self.parser.format_help())


class TestOutput(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.lister = Listed(mock.MagicMock(), None)

    def test_a_missing_value_is_empty_in_csv_and_a_dash_in_a_table(self):
        names, rows = self.lister.take_action(None)
        self.assertEqual("-", rows[0][1].human_readable())
        with mock.patch("cliff.lister.Lister.produce_output", return_value=0) as shown:
            given = argparse.Namespace(formatter="csv")
            self.assertEqual(0, self.lister.produce_output(given, names, rows))
        self.assertEqual([["a", None], ["b", None]], shown.call_args.args[-1])
