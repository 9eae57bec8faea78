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


import argparse
import contextlib
import importlib.metadata
import io

import testtools

from trove_ext.osc.base import options
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.fuzz import lines, values


class TestDashes(testtools.TestCase):
    """``--option=--``, of which argparse of Python 3.11 and 3.12 makes a list."""

    def parser(self):
        parser = argparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("-x", "--text")
        parser.add_argument("--number", type=float)
        parser.add_argument("--one", choices=("a", "b"))
        parser.add_argument("--some", action="append", default=[])
        parser.add_argument("--pair", nargs=2)
        parser.add_argument("name", nargs="?")
        return parser

    def test_are_the_value_of_the_option(self):
        parser = self.parser()
        options.keep_dashes(parser)
        parsed = parser.parse_args(["--text=--", "--some=--", "--some", "s"])
        self.assertEqual(("--", ["--", "s"]), (parsed.text, parsed.some))
        self.assertEqual("--", parser.parse_args(["-x--"]).text)
        parsed = parser.parse_args(["--pair", "a", "b", "--", "-n"])
        self.assertEqual((["a", "b"], "-n"), (parsed.pair, parsed.name))

    def test_are_checked_as_any_value_is(self):
        parser = self.parser()
        options.keep_dashes(parser)
        for word in ("--number=--", "--one=--"):
            self.assertRaises(argparse.ArgumentError, parser.parse_args, [word])

    def test_are_left_to_argparse_in_options_that_are_not_ours(self):
        plain = self.parser().parse_args(["--text=--"]).text
        parser = self.parser()
        options.keep_dashes(parser, "some")
        parsed = parser.parse_args(["--text=--", "--some=--"])
        self.assertEqual((plain, ["--"]), (parsed.text, parsed.some))


class TestUndecodable(testtools.TestCase):
    """Arguments with bytes that are no text; Python reads them as surrogates."""

    def test_are_wrong_usage_and_nothing_is_sent(self):
        for line in (
            "backup chain list --project \udcff",
            "backup chain list --instance a\udc80",
            "backup check alone \udcff",
            "backup rotate alone --name \udcff",
            "backup prune alone --keep-last 1 --keep-name \udcff",
            "backup create alone \udcff --wait",
            "instance wait --for=\udcff alone",
        ):
            result = run_openstack(["database", *line.split()], values.make_cloud())
            self.assertEqual(2, result.exit_code, f"{line!a}: {result.stderr}")
            self.assertIn("\\udc", result.stderr)
            self.assertEqual([], result.requests.to_trove())

    def test_are_left_to_the_stock_command_without_an_option_of_ours(self):
        argv = ["database", "backup", "show", "\udcff"]
        self.assertEqual(1, run_openstack(argv, values.make_cloud()).exit_code)
        argv = ["database", "backup", "create", "alone", "a\udcff"]
        self.assertIn("POST", str(run_openstack(argv, values.make_cloud()).requests))

    def test_may_be_in_the_name_of_a_file(self):
        result = run_openstack(
            [
                *("database", "instance", "create", "new", "--flavor", "1"),
                *("--size", "1", "--credentials-file", "/no/\udcff", "--wait"),
            ],
            values.make_cloud(),
        )
        self.assertIn("No such file", result.stderr)


class TestDashesInCommands(testtools.TestCase):
    #: Options that the hooks add.
    HOOKED = ("timeout", "credentials_file")

    def each(self):
        """Yield the parser of each command and each option of ours with one value."""
        points = importlib.metadata.entry_points(group=lines.COMMANDS)
        own = {
            point.name.replace("_", " ")
            for point in points
            if point.value.startswith("trove_ext.")
        }
        for name, parser in lines.parsers().items():
            for action in parser._actions:
                if not action.option_strings or action.nargs is not None:
                    continue
                if name in own or action.dest in self.HOOKED:
                    yield name, parser, action

    def parse(self, parser, word):
        """Return the namespace; None if the line is refused as wrong usage."""
        given = ["x" for action in parser._actions if not action.option_strings]
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                return parser.parse_args([*given, word])
        except SystemExit as exc:
            self.assertEqual(2, exc.code)
            return None

    def test_are_a_value_or_wrong_usage_in_every_option_of_ours(self):
        found = []
        for name, parser, action in self.each():
            parsed = self.parse(parser, f"{action.option_strings[-1]}=--")
            value = parsed and getattr(parsed, action.dest)
            # A value may be a path.
            if parsed and str(value) not in ("--", "['--']"):
                found.append((name, action.option_strings[-1], value))
        self.assertEqual([], found)

    def test_are_no_internal_error(self):
        for line in (
            "backup chain list --all-projects --project=--",
            "instance wait alone --for=--",
            "instance restart alone --wait --timeout=--",
        ):
            result = run_openstack(["database", *line.split()], values.make_cloud())
            self.assertIn(result.exit_code, {1, 2}, f"{line}: {result.stderr}")
            self.assertNotIn("Internal error", result.stderr)
