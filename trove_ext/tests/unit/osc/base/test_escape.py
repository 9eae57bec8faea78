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

"""Characters that stdout can't encode do not end a command."""

import io

import testtools

from trove_ext.osc.base import escape
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack

NAME = "nächtlich-中"
SPELLED = {"latin-1": "nächtlich-\\u4e2d", "ascii": "n\\xe4chtlich-\\u4e2d"}
FORMATS = ("table", "csv", "value", "yaml", "json")


class TestCommands(testtools.TestCase):
    def run_line(self, line, encoding, **kwargs):
        cloud = FakeCloud(FakeClock())
        db = cloud.add_instance(NAME)
        cloud.add_backup(NAME, db)
        return run_openstack(
            ["database", *line.split()], cloud, encoding=encoding, **kwargs
        )

    def test_every_list_in_every_format_escapes_a_name_and_succeeds(self):
        for encoding, spelled in SPELLED.items():
            for line in ("backup list", "backup chain list", f"instance wait {NAME}"):
                for form in FORMATS:
                    with self.subTest(line, encoding=encoding, form=form):
                        result = self.run_line(f"{line} -f {form}", encoding)
                        self.assertEqual(0, result.exit_code, result.stderr)
                        if form in {"table", "csv", "value"}:
                            self.assertIn(spelled, result.stdout)

    def test_a_created_resource_is_shown_in_every_format(self):
        for line in (
            f"backup create --instance {NAME} {NAME}",
            f"backup create {NAME} {NAME} --wait",
        ):
            for form in (*FORMATS[2:], "shell", "table"):
                with self.subTest(line, form=form):
                    result = self.run_line(f"{line} -f {form}", "ascii")
                    self.assertEqual(0, result.exit_code, result.stderr)
                    self.assertEqual(1, len(result.requests.changing))

    def test_a_rotation_succeeds_and_prints_its_backup(self):
        line = f"backup rotate {NAME} --keep-last 3 -f value"
        for encoding in SPELLED:
            result = self.run_line(line, encoding)
            self.assertEqual(0, result.exit_code, result.stderr)
            self.assertNotIn("codec", result.stderr)

    def test_an_error_and_a_prompt_escape_a_name(self):
        result = self.run_line("backup chain show 中", "latin-1")
        self.assertEqual(1, result.exit_code)
        self.assertIn("\\u4e2d", result.stderr)
        line = f"backup chain delete {NAME}"
        result = self.run_line(line, "latin-1", tty=True, stdin="n\n")
        self.assertIn("\\u4e2d", result.stderr)


class TestStream(testtools.TestCase):
    def stream(self, encoding, errors="strict"):
        return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)

    def errors(self, *args):
        stream = self.stream(*args)
        escape.spell_unencodable(stream)
        return stream.errors

    def test_a_choice_of_the_user_is_kept(self):
        self.assertEqual("replace", self.errors("ascii", "replace"))

    def test_bytes_of_an_argument_are_restored_in_the_c_locale(self):
        self.assertEqual("surrogateescape", self.errors("utf-8", "surrogateescape"))
        self.assertEqual("backslashreplace", self.errors("ascii", "surrogateescape"))

    def test_a_stream_of_another_kind_is_left_alone(self):
        for stream in (io.StringIO(), None):
            escape.spell_unencodable(stream)
