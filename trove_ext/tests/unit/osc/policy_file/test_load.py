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

"""Policy files: the rules of a good one, and all mistakes of a bad one."""

import json
import pathlib
import tempfile
from datetime import timedelta

import testtools

from trove_ext.exceptions import UsageError
from trove_ext.model.retention_policy import PERIODS
from trove_ext.osc.policy_file import load, schema

EXAMPLE = pathlib.Path(__file__).parents[5] / "doc/examples/backups.yaml"
#: Twenty kinds of mistakes in valid YAML, and where they are.
BAD = """\
defaults:
  full_every: 7x
rules:
  - match: {instance: shop}
    every: 1d
    how_often: 2d
    chain_length: 0
    keep_weekly: four
    keep_within: 3m
  - match: {id: nobody, datastore: []}
    every: 1d
    max_age: 6h
    storage_driver: swfit
    name: "{instance}"
  - match: {instance: test-*}
    skip: true
    keep_last: 1
  - match: {instance: old}
    every: 1d
    every: 2d
    keep_name: release-*
  - match: {instance: 007}
    keep_daily: 3
  - match: {instance: a}
    every: 1d
    query: SELECT 1
  - match: {instance: b}
    every: 1d
    incremental: maybe
    verify_every: 7d
    query: [SELECT 1, SELECT 2]
    expect: 1.5
  - match: {instance: c}
    every: 1d
    verify_every: week
    query: [SELECT 1, SELECT 2]
    expect: 1
  - every: 2026-13-45
  - every: 1d
"""
MISTAKES = [
    (2, 3, "full_every: '7x': unknown unit 'x'"),
    (6, 5, "there is no 'how_often' here; known are match, skip, every"),
    (7, 5, "chain_length: '0' has to be at least 1"),
    (8, 5, "keep_weekly: 'four' has to be a whole number"),
    (9, 5, "keep_within: '3m': is 3m minutes or months?"),
    (10, 13, "id: 'nobody' is not an ID"),
    (10, 25, "datastore: is empty"),
    (12, 5, "max_age: it has to be longer than every, 1d"),
    (13, 5, "storage_driver: 'swfit' has to be swift or cinder"),
    (14, 5, "name: Name pattern '{instance}' has no {time}"),
    (17, 5, "keep_last: it has no effect, since the rule has skip: true"),
    (20, 5, "'every' is given twice"),
    (21, 5, "keep_name: alone it keeps nothing else"),
    (22, 13, "instance: '7' has to be text or a list: put it in quotes"),
    (22, 5, "'every' is missing, such as 1d, or skip: true"),
    (26, 5, "query: it has no effect without verify_every"),
    (29, 5, "incremental: 'maybe' has to be true or false"),
    (30, 5, "verify_every: '7d' has to be hour or day or week or month or year"),
    (31, 5, "each query needs its expect: there are 2 and 1"),
    (32, 5, "expect: '1.5' has to be text or a whole number or a list: put it in quo"),
    (36, 5, "each query needs its expect: there are 2 and 1"),
    (38, 12, "'2026-13-45': month must be in 1..12"),
    (39, 5, "this rule is never used: one before it matches all"),
]


def mistakes(text):
    """The lines of the refusal of a text, without the last one."""
    try:
        load.parse(text, "b.yaml")
    except UsageError as exc:
        *lines, last = str(exc).splitlines()
        assert last == "Nothing was sent.", last
        return lines
    return []


class TestGood(testtools.TestCase):
    def test_the_example_of_the_documents(self):
        policy = load.load(str(EXAMPLE))
        skipped, often, postgresql, others = policy.rules
        self.assertIsNone(skipped.settings)
        self.assertEqual(timedelta(hours=6), often.settings.every)
        self.assertEqual(timedelta(hours=7), often.settings.max_age)
        self.assertEqual((24, 7, 12), _counts(often))
        self.assertEqual(("postgresql",), postgresql.match.datastores)
        self.assertEqual(timedelta(days=1), others.settings.every)
        self.assertEqual(timedelta(hours=26), others.settings.max_age)
        self.assertEqual(("release-*",), others.settings.keep.keep_names)
        self.assertEqual([11, 15, 21, 24], [rule.line for rule in policy.rules])

    def test_the_schema_describes_every_setting(self):
        tree = json.loads(
            (pathlib.Path(schema.__file__).with_name(schema.SCHEMA)).read_text()
        )
        rule = tree["properties"]["rules"]["items"]["properties"]
        defaults = tree["properties"]["defaults"]["properties"]
        self.assertEqual(set(rule) - {"match", "skip"}, set(defaults))
        self.assertEqual(set(defaults), set(tree["$defs"]))
        periods = tree["$defs"]["verify_every"]["enum"]
        self.assertEqual(list(PERIODS), periods)
        lacking = [k for k, v in tree["$defs"].items() if not v.get("description")]
        self.assertEqual([], lacking)


class TestBad(testtools.TestCase):
    def test_all_mistakes_are_reported_at_once_with_line_and_column(self):
        found = mistakes(BAD)
        for (line, column, text), shown in zip(sorted(MISTAKES), found, strict=True):
            self.assertStartsWith(shown, f"b.yaml:{line}:{column}: {text}")

    def assertStartsWith(self, text, prefix):
        self.assertEqual(prefix, text[: len(prefix)])

    def test_a_syntax_error_is_one_with_its_place(self):
        for text, place in (
            ("rules:\n  - every: 1d\n keep: 1\n", "3:2"),
            ("rules: [", "1:9"),
            ("rules: *nobody", "1:8"),
            ("rules:\n  - {every: \x01}", "2:13"),
            ("a: 1\n---\nb: 1", "2:1"),
        ):
            (found,) = mistakes(text)
            self.assertStartsWith(found, f"b.yaml:{place}: not valid YAML: ")

    def test_anything_but_rules_is_refused(self):
        for text in ("", "[]", "rules", "{}", "rules: {}", "rules: []", "rules: [1]"):
            self.assertEqual(1, len(mistakes(text)), text)

    def test_what_never_ends_is_refused(self):
        bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for old, new in zip("abcdef", "bcdefg", strict=True):
            bomb += f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
        for text in ("rules: &r [*r]", bomb, "[" * 5000):
            self.assertEqual(1, len(mistakes(text)), text[:20])

    def test_a_file_that_can_not_be_read_is_a_usage_error(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = pathlib.Path(folder, "x")
            binary.write_bytes(b"\xff\xfe\x00")
            for path in (
                f"{folder}/none",
                folder,
                str(binary),
                "",
                "a\0b",
                "/dev/zero",
            ):
                self.assertRaises(UsageError, load.load, path)


def _counts(rule):
    keep = rule.settings.keep
    return keep.keep_hourly, keep.keep_daily, keep.keep_monthly
