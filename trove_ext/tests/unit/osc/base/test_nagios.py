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

"""Tests of the output for Nagios, read by a parser made from the plugin API."""

import testtools

from trove_ext.osc.base.nagios import Metric, Report, State, render
from trove_ext.tests.plugin_output import parse


class TestRender(testtools.TestCase):
    def test_the_first_line_is_state_summary_and_performance_data(self):
        report = Report(
            State.CRITICAL,
            "1 of 2 without a good backup: blog",
            [
                Metric("shop_age", 3600, "s", 93600, 180000, 0),
                Metric("bad", 1, critical=0, least=0, most=2),
            ],
            ["shop OK - nightly", "blog CRITICAL - 2d old"],
        )
        text = render("BACKUP", report)
        service, state, summary, items, details = parse(text)
        self.assertEqual(("BACKUP", "CRITICAL"), (service, state))
        self.assertEqual("1 of 2 without a good backup: blog", summary)
        self.assertEqual(
            ("3600", "s"), (items["shop_age"]["value"], items["shop_age"]["unit"])
        )
        self.assertEqual("93600", items["shop_age"]["warning"])
        self.assertEqual("180000", items["shop_age"]["critical"])
        self.assertEqual(
            ("", "0", "0", "2"),
            tuple(
                items["bad"][key] for key in ("warning", "critical", "least", "most")
            ),
        )
        self.assertEqual(["shop OK - nightly", "blog CRITICAL - 2d old"], details)

    def test_without_metrics_there_is_no_separator(self):
        self.assertEqual(
            "BACKUP OK - fine\n", render("BACKUP", Report(State.OK, "fine"))
        )

    def test_names_with_signs_of_the_format_break_nothing(self):
        odd = "a|b'c=d\ne"
        text = render("BACKUP", Report(State.OK, odd, [Metric(odd, 1.5, "s")], [odd]))
        _, _, summary, items, details = parse(text)
        self.assertEqual("a/b'c=d e", summary)
        self.assertEqual(["a b c d e"], list(items))
        self.assertEqual(1, len(details))
        self.assertEqual(2, len(text.splitlines()))

    def test_numbers_have_no_exponent(self):
        self.assertEqual("'a'=31536000s", str(Metric("a", 31536000.0, "s")))
        self.assertEqual("'a'=0.125", str(Metric("a", 0.125)))

    def test_the_states_are_the_exit_codes_of_the_plugin_api(self):
        self.assertEqual([0, 1, 2, 3], [int(state) for state in State])
