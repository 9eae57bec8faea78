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

"""The layout of a help text."""

import argparse
import os
from unittest import mock

import testtools

from trove_ext.osc.base.help import keep_paragraphs, lay_out

DESCRIPTION = """Do something.

A second paragraph, whose lines are wrapped at another
column in the source.

Example::

    openstack something --option 1
    openstack something --option 2
"""


class TestLayOut(testtools.TestCase):
    def test_each_paragraph_stays_one_and_is_wrapped_at_the_width(self):
        found = lay_out(DESCRIPTION, 40).split("\n\n")
        self.assertEqual("Do something.", found[0])
        self.assertEqual(
            "A second paragraph, whose lines are\n"
            "wrapped at another column in the source.",
            found[1],
        )

    def test_an_example_is_shown_as_it_is_typed(self):
        found = lay_out(DESCRIPTION, 20).split("\n\n")
        self.assertEqual("Example:", found[2])
        self.assertEqual(
            ["  openstack something --option 1", "  openstack something --option 2"],
            found[3].splitlines(),
        )

    def test_a_name_with_hyphens_is_not_broken(self):
        text = "The instance is named trove-ext-verify-<backup>-<time>."
        self.assertIn("\ntrove-ext-verify-<backup>-<time>.", lay_out(text, 30))

    def test_nothing_is_nothing(self):
        self.assertEqual("", lay_out(""))


class TestParser(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.parser = argparse.ArgumentParser(description=DESCRIPTION)
        keep_paragraphs(self.parser)

    def test_the_help_has_the_paragraphs_at_the_width_of_the_terminal(self):
        with mock.patch.dict(os.environ, {"COLUMNS": "42"}):
            shown = self.parser.format_help()
        self.assertIn(lay_out(DESCRIPTION, 40), shown)

    def test_the_parser_keeps_the_text_for_the_documentation(self):
        self.parser.format_help()
        self.assertEqual(DESCRIPTION, self.parser.description)
