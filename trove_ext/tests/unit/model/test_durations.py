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

from datetime import timedelta

import hypothesis
import testtools
from hypothesis import strategies as st

from trove_ext.model.durations import (
    UNITS,
    format_duration,
    parse_duration,
    parse_period,
)


class TestParseDuration(testtools.TestCase):
    def test_reads_what_people_write(self):
        spans = {
            "7d": timedelta(days=7),
            "26h": timedelta(hours=26),
            "1h30m": timedelta(minutes=90),
            "90m": timedelta(minutes=90),
            "90min": timedelta(minutes=90),
            "2w": timedelta(days=14),
            "45s": timedelta(seconds=45),
            "1y5mo7d2h": timedelta(days=365 + 150 + 7, hours=2),
        }
        self.assertEqual(spans, {text: parse_duration(text) for text in spans})

    def _refused(self, text, parse=parse_duration):
        return str(self.assertRaises(ValueError, parse, text))

    def test_says_what_it_cannot_read(self):
        for text in ("", "d", "7", "-7d", "1.5h", "7 d", "7d!", "7dd", "7D", "\u0667d"):
            self.assertIn(f"'{text}'", self._refused(text))

    def test_names_the_unit_that_it_does_not_know(self):
        self.assertIn("unknown unit 'D'", self._refused("7D"))

    def test_refuses_units_out_of_order_or_twice(self):
        for text in ("30m1h", "1d1d", "1m1min", "1y5m7d2h"):
            self.assertIn("mo is months", self._refused(text))

    def test_refuses_an_empty_and_an_impossible_duration(self):
        self.assertIn("longer than zero", self._refused("0d"))
        self.assertIn("is too long", self._refused("999999999999y"))
        self._refused("9" * 5000 + "d")

    def test_a_period_never_confuses_months_and_minutes(self):
        for text in ("5m", "1y5m7d2h", "1h30m"):
            self.assertIn("minutes or months", self._refused(text, parse_period))
        self.assertEqual(timedelta(days=150), parse_period("5mo"))
        self.assertEqual(timedelta(minutes=5), parse_period("5min"))

    @hypothesis.given(st.text(max_size=12))
    def test_any_text_is_read_or_refused_with_that_text(self, text):
        try:
            self.assertGreater(parse_duration(text), timedelta())
        except ValueError as error:
            self.assertIn(text, str(error))

    @hypothesis.given(
        st.sets(st.sampled_from([unit for unit in UNITS if unit != "m"]), min_size=1),
        st.integers(1, 999),
    )
    def test_adds_up_any_units_from_long_to_short(self, units, number):
        chosen = [unit for unit in UNITS if unit in units]
        text = "".join(f"{number}{unit}" for unit in chosen)
        expected = sum((number * UNITS[unit] for unit in chosen), timedelta())
        self.assertEqual(expected, parse_duration(text))
        self.assertEqual(expected, parse_period(text))


class TestFormatDuration(testtools.TestCase):
    def test_shows_the_two_largest_units(self):
        spans = {
            "8d2h": timedelta(days=8, hours=2, minutes=59),
            "26min": timedelta(minutes=26),
            "7d": timedelta(days=7),
            "0s": timedelta(microseconds=1),
        }
        self.assertEqual(
            list(spans), [format_duration(span) for span in spans.values()]
        )

    @hypothesis.given(st.integers(1, 10**6))
    def test_whole_minutes_below_a_day_can_be_parsed_again(self, minutes):
        span = timedelta(minutes=minutes % 1440 or 1)
        self.assertEqual(span, parse_duration(format_duration(span)))
