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

"""Each command has an example, which works."""

import shlex
from unittest import mock

import testtools

from trove_ext.osc.base import examples
from trove_ext.tests.unit.test_commands import command_classes

COLUMNS = 80


def _parsers():
    """Pairs (words of a command, its parser)."""
    app = mock.MagicMock()
    app.command_manager.namespace = "no.hooks.here"
    for name, command_class in command_classes().items():
        words = name.replace("_", " ")
        yield words, command_class(app, None, words).get_parser(f"openstack {words}")


class TestExamples(testtools.TestCase):
    def test_every_command_has_one_and_nothing_else_has(self):
        words = {words for words, _parser in _parsers()}
        self.assertEqual(words, set(examples.EXAMPLES))

    def test_each_one_is_a_command_line_that_its_command_takes(self):
        for words, parser in _parsers():
            for line in examples.lines(words):
                start = ["openstack", *words.split()]
                typed = shlex.split(line)
                self.assertEqual(start, typed[: len(start)])
                try:
                    parser.parse_args(typed[len(start) :])
                except SystemExit:
                    self.fail(f"{line} is a usage error")

    def test_the_help_ends_with_it(self):
        for words, parser in _parsers():
            *_, shown, provided = parser.format_help().strip().split("\n\n")
            self.assertEqual(
                examples.lines(words), [line.strip() for line in shown.splitlines()]
            )
            self.assertIn("provided by", provided)


class TestWidth(testtools.TestCase):
    def test_help_fits_80_columns_below_the_usage(self):
        with mock.patch.dict("os.environ", {"COLUMNS": str(COLUMNS)}):
            for words, parser in _parsers():
                usage, _, rest = parser.format_help().partition("\n\n")
                self.assertIn("usage: ", usage)
                wide = [line for line in rest.splitlines() if len(line) > COLUMNS]
                self.assertEqual([], wide, words)
