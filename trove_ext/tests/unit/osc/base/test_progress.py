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

"""Progress in a pipe, at a terminal, and silenced."""

import io
import os
import re
import sys
from unittest import mock

import testtools

from trove_ext.osc.base import progress
from trove_ext.tests.unit.test_polling import Clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestLines(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.clock = Clock()
        self.stream = io.StringIO()
        self.progress = progress.make(self.stream, self.clock, quiet=False)

    def lines(self):
        return self.stream.getvalue().splitlines()

    def test_a_line_for_each_change_of_state(self):
        for state in ("BUILD", "BUILD", "ACTIVE"):
            self.progress.update("db1", state)
        self.assertEqual(["db1: BUILD (0 s)", "db1: ACTIVE (0 s)"], self.lines())

    def test_a_state_that_stays_is_reported_each_thirty_seconds(self):
        for _ in range(7):
            self.progress.update("db1", "BUILD")
            self.clock.sleep(10)
        self.assertEqual(
            ["db1: BUILD (0 s)", "db1: BUILD (30 s)", "db1: BUILD (60 s)"],
            self.lines(),
        )

    def test_a_name_can_not_control_the_terminal(self):
        self.progress.note("name \x1b]0;pwned\x07\x9b2J")
        self.assertNotIn("\x1b", self.stream.getvalue())
        self.assertNotIn("\x9b", self.stream.getvalue())
        self.assertIn("\\x1b]0;pwned", self.stream.getvalue())

    def test_quiet_leaves_warnings_alone(self):
        quiet = progress.make(self.stream, self.clock, quiet=True)
        quiet.update("db1", "BUILD")
        quiet.note("a step")
        quiet.warn("look out")
        self.assertEqual(["WARNING: look out"], self.lines())


class TestTerminal(testtools.TestCase):
    def setUp(self):
        super().setUp()
        patch = mock.patch.dict("os.environ", {"TERM": "xterm"})
        patch.start()
        self.addCleanup(patch.stop)

    def lines_with(self, **term):
        """The output of a progress at a terminal of this kind."""
        stream = Terminal()
        with mock.patch.dict("os.environ", term):
            if not term:
                del os.environ["TERM"]
            progress.make(stream, Clock(), quiet=False).update("db1", "BUILD")
        return stream.getvalue()

    def test_a_live_line_shows_subject_and_state(self):
        stream = Terminal()
        live = progress.make(stream, Clock(), quiet=False)
        live.update("db1", "BUILD")
        live.done()
        self.assertIn("db1", stream.getvalue())
        self.assertIn("BUILD", stream.getvalue())

    def test_a_name_is_not_shown_as_an_emoji(self):
        stream = Terminal()
        live = progress.make(stream, Clock(), quiet=False)
        live.note("db:x:1, wait for n:b:v")
        live.warn(":warning:")
        self.assertEqual("db:x:1, wait for n:b:v", stream.getvalue().splitlines()[0])
        self.assertIn("WARNING: :warning:", stream.getvalue())

    def test_a_dumb_terminal_gets_lines(self):
        for term in ("dumb", "unknown", ""):
            self.assertEqual("db1: BUILD (0 s)\n", self.lines_with(TERM=term), term)

    def test_a_terminal_of_unknown_kind_gets_lines(self):
        self.assertEqual("db1: BUILD (0 s)\n", self.lines_with())

    def test_a_terminal_gets_lines_if_rich_is_not_installed(self):
        with mock.patch.dict(sys.modules, {"rich": None, "rich.console": None}):
            self.assertEqual("db1: BUILD (0 s)\n", self.lines_with(TERM="xterm"))

    def test_a_terminal_without_unicode_gets_live_lines_of_ascii(self):
        memory = io.BytesIO()
        stream = io.TextIOWrapper(memory, "latin-1", "backslashreplace")
        stream.isatty = lambda: True
        with mock.patch.dict("os.environ", {"COLUMNS": "50"}):
            live = progress.make(stream, Clock(), quiet=False)
            live.update("Instance " + 60 * "x", "ACTIVE")
            live.done()
        stream.flush()
        self.assertIn(b"ACTIVE", memory.getvalue())
        self.assertNotIn(b"\\u", memory.getvalue())

    def test_markup_in_a_name_is_text(self):
        stream = Terminal()
        live = progress.make(stream, Clock(), quiet=False)
        live.update("[red]db1[/red]", "[bold]BUILD")
        live.note("[blink]hm")
        live.done()
        for text in ("[red]db1[/red]", "[bold]BUILD", "[blink]hm"):
            self.assertIn(text, stream.getvalue())

    def test_a_narrow_terminal_cuts_the_subject_and_neither_state_nor_time(self):
        with mock.patch.dict("os.environ", {"COLUMNS": "50"}):
            stream = Terminal()
            live = progress.make(stream, Clock(), quiet=False)
            live.update("Instance trove-ext-verify-" + 60 * "x", "ACTIVE/HEALTHY")
            live.done()
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
        lines = {line.rstrip() for line in plain.splitlines() if "HEALTHY" in line}
        self.assertNotEqual(set(), lines)
        # On a slow machine it is drawn more than once, with other seconds.
        for line in lines:
            self.assertRegex(line, r"Instance trove.*… ACTIVE/HEALTHY 0:00:\d\d$")
