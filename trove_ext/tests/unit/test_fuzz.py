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

"""The same 2,560 lines in each run; ``tox -e sweep`` runs more, at other seeds."""

import itertools
import os
import tempfile
from unittest import mock

import testtools

from trove_ext.tests.fake.harness import Result
from trove_ext.tests.fake.log import Request, RequestLog
from trove_ext.tests.fuzz import fuzz, lines, values
from trove_ext.tests.promises import Promise, shows

LINES = int(os.environ.get("TROVE_EXT_FUZZ_LINES", "2560"))
#: Tests among which the lines are divided, so two workers can share them.
PARTS = 8


def numbers(part):
    """Return the numbers of a part: one after the other, so each command has a turn."""
    return range(part * LINES // PARTS, (part + 1) * LINES // PARTS)


@shows(Promise.INPUT)
class TestFuzz(testtools.TestCase):
    """What no line may do, whatever it contains."""

    def run_part(self, part):
        codes, found = fuzz.fuzz(numbers(part))
        self.assertEqual([], found, "\n".join(map(str, found)))
        # A fuzz test whose lines all fail early would find nothing.
        share = codes.total() / 10
        self.assertTrue(all(codes[code] > share for code in (0, 1, 2)), codes)

    def test_part_0_of_the_lines_ends_as_it_should(self):
        self.run_part(0)

    def test_part_1_of_the_lines_ends_as_it_should(self):
        self.run_part(1)

    def test_part_2_of_the_lines_ends_as_it_should(self):
        self.run_part(2)

    def test_part_3_of_the_lines_ends_as_it_should(self):
        self.run_part(3)

    def test_part_4_of_the_lines_ends_as_it_should(self):
        self.run_part(4)

    def test_part_5_of_the_lines_ends_as_it_should(self):
        self.run_part(5)

    def test_part_6_of_the_lines_ends_as_it_should(self):
        self.run_part(6)

    def test_part_7_of_the_lines_ends_as_it_should(self):
        self.run_part(7)


class TestLines(testtools.TestCase):
    """The lines cover what they should."""

    def test_a_seed_makes_the_same_lines(self):
        self.assertEqual(lines.make_line(7, 11), lines.make_line(7, 11))
        self.assertNotEqual(lines.make_line(7, 11), lines.make_line(8, 11))

    def test_every_command_and_every_hook_takes_its_turn(self):
        known = {" ".join(grammar.words) for grammar in lines.grammars()}
        self.assertIn("database backup rotate", known)
        self.assertIn("database instance resize volume", known)
        self.assertGreaterEqual(len(known), 30)

    def test_every_part_has_every_line_once_and_every_command(self):
        parts = [list(numbers(part)) for part in range(PARTS)]
        self.assertEqual(list(range(LINES)), list(itertools.chain(*parts)))
        known = len(lines.grammars())
        for part in parts:
            self.assertEqual(known, len({number % known for number in part}))

    def test_every_unusual_value_is_given(self):
        words = {word for n in range(5120) for word in lines.make_line(1, n)}
        self.assertEqual(set(), set(values.ANYTHING) - words)

    def test_no_line_leaves_the_folder_that_it_may_write_in(self):
        deepest = max(value.count("../") for value in values.ANYTHING)
        with tempfile.TemporaryDirectory() as root:
            place = fuzz.deep_in(root)
            self.assertGreater(len(place.relative_to(root).parts), deepest)
        written = (*values.WRITTEN.good, *values.WRITTEN.bad)
        self.assertEqual([], [path for path in written if path.startswith("/")])


class TestProblems(testtools.TestCase):
    """What is wrong is found."""

    def problems(self, code, stdout="", stderr="", requests=(), argv=()):
        result = Result(code, stdout, stderr, RequestLog(requests))
        return list(fuzz.problems(list(argv), result))

    def test_nothing_is_wrong_with_an_error_with_a_message(self):
        self.assertEqual([], self.problems(1, stderr="no such backup\n"))

    def test_a_plugin_may_write_its_message_to_stdout_and_end_with_3(self):
        shown = "BACKUP UNKNOWN - no log-in\n"
        self.assertEqual([], self.problems(3, shown, argv=("--nag",)))
        self.assertEqual(2, len(self.problems(3, shown)))
        self.assertEqual(1, len(self.problems(3, argv=("--nagios",))))

    def test_traceback_is_wrong(self):
        found = self.problems(1, stderr="Traceback (most recent call last):\n")
        self.assertEqual(["a traceback"], found)

    def test_a_request_after_a_usage_error_is_wrong(self):
        sent = Request(1, "trove", "POST", "/backups", {}, None, 0.0, 60.0)
        (found,) = self.problems(2, stderr="usage\n", requests=[sent])
        self.assertIn("a usage error, but it sent", found)

    def test_an_escape_sequence_is_wrong_except_for_programs(self):
        self.assertEqual(1, len(self.problems(0, stderr=values.ESCAPES)))
        self.assertEqual(1, len(self.problems(0, stdout=values.ESCAPES)))
        argv = ("-f", "value")
        self.assertEqual([], self.problems(0, stdout=values.ESCAPES, argv=argv))

    def test_a_command_without_end_is_wrong_unless_requested(self):
        endless = AssertionError("20007 s of virtual time have passed")
        for words, wrong in (([], True), (["--timeout=0"], False)):
            with (
                mock.patch.object(fuzz, "make_line", return_value=words),
                mock.patch.object(fuzz, "run", side_effect=endless),
            ):
                _, found = fuzz.check(1)
            self.assertEqual(wrong, found is not None)
