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

from datetime import UTC, datetime, timedelta, timezone

import hypothesis
import testtools
from hypothesis import strategies as st

from trove_ext.model.rotation_naming import NAME_MAX, NamePattern

NOW = datetime(2026, 8, 25, 2, 0, 7, tzinfo=UTC)


class TestNamePattern(testtools.TestCase):
    def test_names_instance_type_and_time(self):
        pattern = NamePattern()
        self.assertEqual(
            "db1-full-20260825T020007Z", pattern.format("db1", full=True, now=NOW)
        )
        self.assertEqual(
            "db1-incr-20260825T020007Z", pattern.format("db1", full=False, now=NOW)
        )

    def test_the_time_is_utc(self):
        elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
        name = NamePattern("{time}").format("db1", full=True, now=elsewhere)
        self.assertEqual("20260825T020007Z", name)

    def test_the_form_of_the_time_can_be_chosen(self):
        pattern = NamePattern("n.{time:%Y-%m-%d_%H:%M 100%%}")
        name = pattern.format("db1", full=True, now=NOW)
        self.assertEqual("n.2026-08-25_02:00 100%", name)
        self.assertTrue(pattern.is_own("db1", name))

    def test_knows_only_names_that_it_could_have_made(self):
        pattern = NamePattern()
        strangers = (
            "db1-full-20260825T020007",
            "xdb1-full-20260825T020007Z",
            "db1-full-20260825T020007Z-2",
            "db1-full-20260825T020007Z\n",
            "db2-full-20260825T020007Z",
            "db1-other-20260825T020007Z",
            "db1-full-2026x825T020007Z",
        )
        self.assertEqual([], [n for n in strangers if pattern.is_own("db1", n)])

    def test_the_name_of_an_instance_is_not_a_regular_expression(self):
        pattern = NamePattern("{instance}-{time}")
        name = pattern.format("a.*(b", full=True, now=NOW)
        self.assertTrue(pattern.is_own("a.*(b", name))
        self.assertFalse(pattern.is_own(".*", name))

    def test_braces_can_be_written(self):
        pattern = NamePattern("{{x}}{time}")
        name = pattern.format("db1", full=True, now=NOW)
        self.assertEqual("{x}20260825T020007Z", name)
        self.assertTrue(pattern.is_own("db1", name))

    def test_refuses_a_name_that_trove_cannot_store(self):
        pattern = NamePattern("{instance}{time:%Y}")
        self.assertEqual(
            NAME_MAX, len(pattern.format("x" * (NAME_MAX - 4), full=True, now=NOW))
        )
        error = self.assertRaises(
            ValueError, pattern.format, "x" * (NAME_MAX - 3), full=True, now=NOW
        )
        self.assertIn("256 characters", str(error))

    def test_says_what_is_wrong_with_a_pattern(self):
        wrong = {
            "nightly": "no {time}",
            "": "no {time}",
            "{instance}-{type}": "no {time}",
            "{time}{colour}": "{instance}, {type}, {time}",
            "{time}{}": "{instance}, {type}, {time}",
            "{time!r}": "{instance}, {type}, {time}",
            "{time": "expected '}'",
            "{time}{type:>9}": "only {time} takes a form",
            "{time:%Y-%B}": "not '%B'",
            "{time:%Y%}": "not '%'",
            "Replication snapshot for {time}": "Trove gives its own",
        }
        for pattern, reason in wrong.items():
            error = self.assertRaises(ValueError, NamePattern, pattern)
            self.assertIn(reason, str(error))

    @hypothesis.given(
        st.text(max_size=40),
        st.text(max_size=40).map(lambda t: t.replace("{", "{{").replace("}", "}}")),
        st.permutations(["{instance}", "{type}", "{time}"]),
        st.booleans(),
        st.integers(0, 30 * 10**9).map(lambda n: datetime.fromtimestamp(n, UTC)),
    )
    def test_knows_every_name_that_it_makes(self, instance, literal, order, full, now):
        pattern = NamePattern(literal.join(order))
        name = pattern.format(instance, full=full, now=now)
        self.assertTrue(pattern.is_own(instance, name))


class TestAnyInstance(testtools.TestCase):
    def test_the_name_of_an_unknown_instance_is_recognized_by_the_rest(self):
        pattern = NamePattern("{instance}-{type}-{time:%Y}")
        self.assertTrue(pattern.is_own(None, "x y\nz-full-2026"))
        self.assertFalse(pattern.is_own(None, "x-2026"))
