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

"""Tests of the text format, read back by Prometheus' own client."""

import os
import pathlib
import shutil
import stat
import subprocess
import unittest
from unittest import mock

import fixtures
import testtools
from prometheus_client.parser import text_string_to_metric_families

from trove_ext.exceptions import TroveExtError
from trove_ext.osc.base import prometheus
from trove_ext.osc.base.prometheus import Gauge, Sample

PROMTOOL = shutil.which("promtool")
ODD = 'a "quoted" \\ name\nof two lines'


def promtool(text):
    """Return the exit code and the findings of ``promtool check metrics``."""
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class TestRender(testtools.TestCase):
    def test_values_and_labels_are_read_back_as_they_were(self):
        text = prometheus.render(
            [
                Gauge(
                    "trove_backup_good",
                    "Whether there is a good backup.",
                    [
                        Sample(1, {"name": ODD, "id": "1"}),
                        Sample(0, {"name": "b", "id": "2"}),
                    ],
                ),
                Gauge("trove_time_seconds", "A time.", [Sample(1764038827.25, {})]),
            ]
        )
        good, time = text_string_to_metric_families(text)
        self.assertEqual("gauge", good.type)
        self.assertEqual([ODD, "b"], [sample.labels["name"] for sample in good.samples])
        self.assertEqual([1.0, 0.0], [sample.value for sample in good.samples])
        self.assertEqual(1764038827.25, time.samples[0].value)

    @unittest.skipUnless(PROMTOOL, "promtool of Debian's prometheus is not installed")
    def test_promtool_accepts_it(self):
        labels = {"id": "1", "name": ODD, "region": "", "type": "Grüße-😀"}
        gauges = [
            Gauge("trove_backup_good", f"Whether {ODD}.", [Sample(1, labels)]),
            Gauge("trove_time_seconds", "A time.", [Sample(1764038827.25, {})]),
        ]
        self.assertEqual((0, ""), promtool(prometheus.render(gauges)))
        self.assertNotEqual((0, ""), promtool('trove_backup_good{name="x} 1\n'))

    def test_a_metric_without_samples_is_left_out(self):
        self.assertEqual("", prometheus.render([Gauge("a", "A.", [])]))


class TestWrite(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.path = self.folder / "backups.prom"

    def test_everybody_may_read_it_whatever_the_umask(self):
        self.addCleanup(os.umask, os.umask(0o077))
        prometheus.write(self.path, "a 1\n")
        self.assertEqual(0o644, stat.S_IMODE(self.path.stat().st_mode))

    def test_a_failure_keeps_the_old_file_and_leaves_nothing_beside_it(self):
        self.path.write_text("old 1\n", encoding="utf-8")
        with mock.patch("os.fsync", side_effect=OSError(28, "no space left")):
            self.assertRaises(OSError, prometheus.write, self.path, "new 2\n")
        self.assertEqual("old 1\n", self.path.read_text(encoding="utf-8"))
        self.assertEqual([self.path], list(self.folder.iterdir()))


class TestCarryOver(testtools.TestCase):
    """What only an earlier run could measure stays until there is a new value."""

    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "a.prom"

    def gauge(self, **values):
        samples = [Sample(value, {"id": key}) for key, value in values.items()]
        return Gauge("a", "A.", [*samples])

    def update(self, gauge, only=None):
        prometheus.update(self.path, [gauge], only)
        (family,) = text_string_to_metric_families(self.path.read_text("utf-8"))
        return {each.labels["id"]: each.value for each in family.samples}

    def test_a_new_value_replaces_the_old_one_of_its_instance_alone(self):
        self.update(self.gauge(x=1, y=2))
        self.assertEqual({"x": 3.0, "y": 2.0}, self.update(self.gauge(x=3)))

    def test_instances_that_no_longer_count_disappear(self):
        self.update(self.gauge(x=1, y=2, z=3))
        self.assertEqual({"x": 4.0, "y": 2.0}, self.update(self.gauge(x=4), {"x", "y"}))

    def test_odd_names_and_large_numbers_are_the_same_afterwards(self):
        labels = {"id": "x", "name": ODD, "region": ""}
        old = prometheus.render([Gauge("a", "A.", [Sample(1764038827.123456, labels)])])
        self.assertEqual(
            {"a": [Sample(1764038827.123456, labels)]}, prometheus.parse(old)
        )

    def test_what_is_no_metric_is_skipped(self):
        self.path.write_bytes(b"\xff garbage\n# HELP a A.\na{ 1\nb 2\n")
        self.assertEqual({"x": 1.0}, self.update(self.gauge(x=1)))

    def test_a_file_that_can_not_be_read_is_an_error(self):
        self.path.mkdir()
        error = self.assertRaises(
            TroveExtError, prometheus.update, self.path, [self.gauge(x=1)]
        )
        self.assertIn(f"Can't read {self.path}", str(error))
