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

"""Private parts of cliff, osc-lib and python-troveclient, and warnings without them."""

import argparse
import logging
import re
from types import SimpleNamespace
from unittest import mock

from cliff import display
from cliff.command import Command
from osc_lib import shell
from troveclient.osc.v1 import database_backups, database_instances

from trove_ext.osc.hooks import upstream
from trove_ext.tests.fake.clock import FakeClock
from trove_ext.tests.fake.cloud import FakeCloud
from trove_ext.tests.fake.harness import run_openstack
from trove_ext.tests.unit.trove.test_upstream import UpstreamTestCase

STOCK = (database_backups, database_instances)


class TestThere(UpstreamTestCase):
    """The parts in use exist; otherwise each test says what changed."""

    def run_line(self, line, **kwargs):
        cloud = FakeCloud(FakeClock())
        db = cloud.add_instance("db1")
        cloud.add_backup("b1", db)
        return run_openstack(["database", *line.split()], cloud, **kwargs)

    def test_cliff_still_calls_the_methods_on_the_command(self):
        for name in ("get_parser", "run", "take_action"):
            self.assertTrue(callable(getattr(Command, name, None)), f"cliff: {name}")
        self.assertTrue(
            callable(getattr(display.DisplayCommandBase, "produce_output", None)),
            "cliff changed produce_output",
        )
        called = []

        def replace(command, name, replacement):
            def spying(method, *args):
                called.append(name)
                return replacement(method, *args)

            real(command, name, spying)

        real = upstream.replace_method
        with mock.patch.object(upstream, "replace_method", replace):
            result = self.run_line("backup create db1 b2 --wait")
        self.assertEqual(0, result.exit_code, result.stderr)
        self.assertEqual(
            ["get_parser", "run", "take_action", "produce_output"],
            called,
            "cliff changed how it calls the methods of a command",
        )

    def test_osc_lib_still_has_the_words_of_the_command_line(self):
        app = shell.OpenStackShell()
        with mock.patch("cliff.app.App.run", return_value=0):
            app.run(["--os-cloud", "x"])
        self.assertEqual(
            ["--os-cloud", "x"],
            upstream.typed_words(app),
            "osc-lib changed command_options",
        )

    def test_osc_lib_still_reads_the_time_out_from_the_options(self):
        def fail(session, **_options):
            session._session = None  # Session.__del__ reads it.
            raise OSError

        with mock.patch(
            "keystoneauth1.session.Session.__init__", autospec=True, side_effect=fail
        ) as made:
            self.run_line("instance wait db1")
        timeouts = [float(call.kwargs["timeout"]) for call in made.call_args_list]
        self.assertEqual([60.0], timeouts, "osc-lib changed api_timeout")

    def test_osc_lib_still_logs_in_for_a_command_that_asks_for_it(self):
        (request, *_) = self.run_line("backup check db1").requests
        self.assertEqual("keystone", request.service, "osc-lib changed auth_required")

    def test_troveclient_still_lays_out_what_it_shows(self):
        for stock in STOCK:
            self.assertTrue(
                callable(getattr(stock, "set_attributes_for_print_detail", None)),
                f"troveclient changed {stock.__name__}",
            )

    def test_troveclient_still_splits_users_by_the_method_of_the_text(self):
        line = (
            "instance create new --flavor 10 --size 1 --databases shop "
            "--nic net-id=908816f1-933c-4ff2-8595-f0f57c689e48 --credentials-file -"
        )
        (request,) = self.run_line(line, stdin="bob:a:b\n").requests.changing
        (user,) = request.body["instance"]["users"]
        self.assertEqual("a:b", user["password"], "troveclient changed --users")

    def test_troveclient_still_accepts_a_delete_in_the_same_words(self):
        line = "backup delete b1"
        waited = self.run_line(f"{line} --wait --yes").stdout
        self.assertEqual(self.run_line(line).stdout, waited, "troveclient changed")

    def test_the_root_logger_still_has_the_handlers(self):
        with mock.patch.object(upstream, "changed") as changed:
            self.run_line("backup list")
        self.assertEqual([], changed.mock_calls, "osc-lib changed its log handlers")


class TestMissing(UpstreamTestCase):
    def test_a_command_without_a_method_is_left_alone_with_a_warning(self):
        command = SimpleNamespace()
        for name in ("run", "run"):
            upstream.replace_method(command, name, print)
        self.assertEqual({}, vars(command))
        self.assert_warned("cliff", "Command.run")

    def test_each_method_that_is_replaced_has_its_effect_written(self):
        for name in ("get_parser", "run", "take_action", "produce_output"):
            upstream.replace_method(SimpleNamespace(), name, print)
            self.assertIn(f"Command.{name}", self.stderr.getvalue())

    def test_without_the_words_of_the_command_line_there_are_none(self):
        for app in (SimpleNamespace(), SimpleNamespace(command_options=None)):
            self.assertEqual([], upstream.typed_words(app))
        self.assert_warned("osc-lib", "command_options")

    def test_without_options_there_is_no_time_out(self):
        upstream.limit_requests(SimpleNamespace(), 60.0)
        self.assert_warned("cliff", "App.options")

    def test_without_a_log_in_there_is_a_warning(self):
        upstream.log_in(SimpleNamespace(), SimpleNamespace())
        self.assert_warned("osc-lib", "prepare_to_run_command")

    def test_without_its_layout_a_resource_is_shown_as_trove_sends_it(self):
        resource = SimpleNamespace(to_dict=lambda: {"id": "x"})
        stock = SimpleNamespace(__name__="stock")
        self.assertEqual({"id": "x"}, upstream.details(stock, resource))
        self.assert_warned("python-troveclient", "set_attributes_for_print_detail")

    def test_without_handlers_the_mask_is_missing_and_said_to_be(self):
        with mock.patch.object(logging.getLogger(), "handlers", []):
            self.assertEqual([], upstream.log_handlers())
        self.assert_warned("osc-lib", "root logger")


class TestParsing(UpstreamTestCase):
    def parse(self, *words):
        parser = argparse.ArgumentParser(prog="x", exit_on_error=False)
        parser.add_argument("instance", nargs="?")
        upstream.take_options_anywhere(parser)
        parser.add_argument("name")
        parser.add_argument("--parent")
        return parser.parse_args(list(words))

    def test_values_after_two_dashes_are_plain_text(self):
        for words, instance, name in (
            (("--", "-a"), None, "-a"),
            (("db", "--", "-a"), "db", "-a"),
            (("--parent", "p", "--", "-a", "--parent"), "-a", "--parent"),
            (("db", "--parent", "p", "a"), "db", "a"),
        ):
            parsed = self.parse(*words)
            self.assertEqual((instance, name), (parsed.instance, parsed.name))
            self.assertIs(str, type(parsed.name), "argparse changed")
            self.assertTrue(re.match("-|a", parsed.name))
