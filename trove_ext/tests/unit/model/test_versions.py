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

"""Which version can use the files of which."""

import testtools
from hypothesis import given
from hypothesis import strategies as st

from trove_ext.model.engine import MARIADB, MYSQL, POSTGRESQL
from trove_ext.model.versions import USABLE, Fit, fit, numbers

VERSIONS = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)


class FitTest(testtools.TestCase):
    def test_versions_fit_by_their_numbers(self):
        for taken, wanted, engine, expected in (
            ("5.7.29", "5.7.29", MYSQL, Fit.SAME),
            ("5.7.29", "5.7.40", MYSQL, Fit.NEWER),
            ("5.7.29", "5.7", MYSQL, Fit.NEWER),
            ("5.7.29", "8.0", MYSQL, Fit.MAJOR),
            ("8.0", "5.7.44", MYSQL, Fit.OLDER),
            ("10.11", "10.6", MARIADB, Fit.OLDER),
            ("10.6", "10.11", MARIADB, Fit.NEWER),
            ("15.4", "15.9", POSTGRESQL, Fit.NEWER),
            ("15.4", "15.1", POSTGRESQL, Fit.OLDER),
            ("15", "16", POSTGRESQL, Fit.UNREADABLE),
            ("16", "15", POSTGRESQL, Fit.UNREADABLE),
            ("latest", "15", POSTGRESQL, Fit.UNKNOWN),
            (None, "8.0", MYSQL, Fit.UNKNOWN),
        ):
            found = fit(taken, wanted, engine)
            self.assertEqual(expected, found, f"{taken} -> {wanted}")

    def test_names_with_numbers_in_them_are_read(self):
        for name, expected in (
            ("10.11-lts", (10, 11)),
            ("mysql-8.0.36", (8, 0, 36)),
            ("nightly", ()),
            (None, ()),
        ):
            self.assertEqual(expected, numbers(name))

    @given(VERSIONS, VERSIONS)
    def test_there_is_no_way_forth_and_back(self, one, other):
        there, back = fit(one, other, MYSQL), fit(other, one, MYSQL)
        if there is Fit.MAJOR:
            self.assertIs(Fit.OLDER, back)
        if there is Fit.OLDER:
            self.assertIn(back, (Fit.NEWER, Fit.MAJOR))

    @given(VERSIONS, VERSIONS)
    def test_postgresql_stays_with_its_major_version(self, one, other):
        if numbers(one)[0] != numbers(other)[0]:
            self.assertNotIn(fit(one, other, POSTGRESQL), USABLE)
