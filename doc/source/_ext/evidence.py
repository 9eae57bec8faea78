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

"""Directives that write tables of what is tested, from the tests themselves.

``trove-ext-promises`` counts the tests that show each promise, by their marks
(trove_ext/tests/promises.py). ``trove-ext-releases`` has a row for each release that
the commands are tested with (trove_ext/tests/releases). ``trove-ext-tempest`` has the
tests of Trove's own suite that can't pass (trove_ext/tests/tempest).
"""

from command_reference import _Generated

from trove_ext.tests import promises
from trove_ext.tests.releases import differences, steps
from trove_ext.tests.releases.series import SERIES
from trove_ext.tests.tempest import allowed


def _table(widths, rows):
    """The lines of a table; a cell is a line, or a list of several paragraphs."""
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in rows:
        mark = "*"
        for cell in row:
            paragraphs = [cell] if isinstance(cell, str) else list(cell)
            first, *more = paragraphs or [""]
            yield f"   {mark} - {first}"
            for paragraph in more:
                yield from ("", f"       {paragraph}")
            mark = " "
    yield ""


class Promises(_Generated):
    def lines(self):
        found = promises.table()
        rows = [["Promise", *(ground.value for ground in promises.Ground)]]
        for promise in promises.Promise:
            counts = [found[promise, ground] for ground in promises.Ground]
            rows.append([promise.value, *(str(number or "") for number in counts)])
        yield from _table("50" + " 10" * len(promises.Ground), rows)


class Releases(_Generated):
    def lines(self):
        rows = [["Release", "Trove", "Works", "Degraded, and said", "Not there"]]
        rows += [self._row(series) for series in SERIES]
        yield from _table("10 10 20 40 20", rows)

    @staticmethod
    def _row(series):
        known = differences.of(series.name)
        total = steps.number_of_steps()
        works = f"{total - len(known)} of {total} steps ({series.passed})"
        return [
            series.name,
            series.trove,
            works if series.passed else "not run yet",
            list(dict.fromkeys(difference.reason for difference in known)),
            [absence.what for absence in differences.absences(series.name)],
        ]


class Tempest(_Generated):
    def lines(self):
        rows = [["Test", "Ends", "Why"]]
        rows += [[x.test, x.status, x.reason] for x in allowed.load()]
        yield from _table("35 10 55", rows)


def setup(app):
    app.add_directive("trove-ext-promises", Promises)
    app.add_directive("trove-ext-releases", Releases)
    app.add_directive("trove-ext-tempest", Tempest)
    return {"parallel_read_safe": True}
