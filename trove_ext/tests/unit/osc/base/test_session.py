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

"""Every command on a broken cloud or with broken settings."""

import json
import pathlib

import fixtures
import testtools

from trove_ext.tests.fake import keystone
from trove_ext.tests.fake.server import WEB_PAGE, Reply
from trove_ext.tests.fake.transport import server_of
from trove_ext.tests.fuzz.fuzz import databases_alone
from trove_ext.tests.sweep.scenarios import SCENARIOS, Scenario
from trove_ext.tests.sweep.signals import prepared

READS = (
    "backup chain list --long",
    "backup chain show inc2",
    "backup check alone",
    "backup list --instance alone",
    "backup prune alone --keep-last 1 --dry-run",
    "backup restore inc2 new --dry-run",
    "backup verify --clean-up",
    "backup wait inc2",
    "instance wait rep1 --for replica-of=db1",
    "replica create db1 new --dry-run",
    "replica list",
    "replica promote rep1 --dry-run",
    "replica show db1",
)
ALL = (*SCENARIOS, *(Scenario(line, line, lambda _cloud: True) for line in READS))
JSON = {"Content-Type": "application/json"}
NO_TROVE = {
    "a web page": Reply(200, WEB_PAGE, {"Content-Type": "text/html"}),
    "other JSON": Reply(200, b'{"hello": "world"}', JSON),
    "a JSON list": Reply(200, b"[1]", JSON),
    "choices": Reply(300, b'{"choices": [{"id": "v2", "links": []}]}', JSON),
    "nothing": Reply(200, b"", {}),
    "not found": Reply(404, b'{"error": {"code": 404, "title": "Not Found"}}', JSON),
}
#: What an older release does not report, and these commands need.
NEEDED = {
    "backup restore inc2 new --dry-run": "--nic net-id=<network>",
    "backup rotate with a verification": "it has no address",
    "replica create db1 new --dry-run": "--nic net-id=<network>",
    "replica replace": "--nic net-id=<network>",
    "replica promote with a fence and a rebuild": "needs a network that is named",
    "replica failover": "nothing was changed",
    "replica failover by a detach": "nothing was changed",
    "replica failover to a replica": "nothing was changed",
    "replica failover at a prompt": "nothing was changed",
}
#: What the rules of an engine decide: those of MySQL are used if Trove does not name it.
BY_ENGINE = {"replica create on a fresh backup"}
UNKNOWN_ENGINE = "does not show its engine; the rules of MySQL are used"


class TestSurroundings(testtools.TestCase):
    def run_all(self, tweak=lambda _cloud: None, env=None):
        """Run each workflow on a cloud that was changed first."""
        for scenario in ALL:
            cloud = prepared(scenario)
            tweak(cloud)
            with databases_alone():
                result = scenario.run(cloud, env=env)
            said = f"{scenario.name}: {result.stderr}"
            self.assertNotIn("Traceback", result.stdout + result.stderr, said)
            self.assertIn(result.exit_code, {0, 1}, said)
            other = scenario.name in BY_ENGINE and UNKNOWN_ENGINE in result.stderr
            if result.exit_code == 0 and not other:
                self.assertTrue(scenario.done(cloud), said)
            yield scenario, result

    def test_a_region_that_is_not_there_is_named(self):
        for scenario, result in self.run_all(env={"OS_REGION_NAME": "Nowhere"}):
            self.assertIn("no database endpoint in region Nowhere", result.stderr)
            self.assertEqual([], result.requests.to_trove(), scenario.name)

    def test_a_cloud_without_trove_is_named(self):
        def tweak(cloud):
            server_of(cloud).keystone.database_url = None

        for _, result in self.run_all(tweak):
            self.assertIn("does this cloud offer Trove", result.stderr)

    def test_a_clouds_yaml_without_a_region_is_enough(self):
        auth = {
            "auth_url": keystone.IDENTITY,
            "username": "demo",
            "password": "secret",
            "project_name": "demo",
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path) / "clouds.yaml"
        path.write_text(json.dumps({"clouds": {"one": {"auth": auth}}}))
        env = {
            **dict.fromkeys(("OS_AUTH_TYPE", "OS_AUTH_URL", "OS_USERNAME")),
            **dict.fromkeys(("OS_PASSWORD", "OS_PROJECT_NAME", "OS_REGION_NAME")),
            **dict.fromkeys(("OS_USER_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID")),
            "OS_CLIENT_CONFIG_FILE": str(path),
            "OS_CLOUD": "one",
        }
        for _, result in self.run_all(env=env):
            self.assertEqual(0, result.exit_code, result.stderr)

    def test_an_endpoint_that_is_not_troves_is_a_readable_error(self):
        for name, reply in NO_TROVE.items():

            def tweak(cloud, reply=reply):
                server_of(cloud).keystone.database_url = "http://web.fake/v1.0"
                server_of(cloud).web = reply

            for scenario, result in self.run_all(tweak):
                self.assertEqual(1, result.exit_code, scenario.name)
                if name != "not found":
                    self.assertRegex(
                        result.stderr, "not (one of )?Trove's", scenario.name
                    )

    def test_fields_of_newer_releases_are_not_needed(self):
        newer = {"access", "project_id", "region", "service_status_updated"}
        newer |= {"operating_status", "version_id", "version_number"}
        for missing in (newer, {"operating_status"}, {"addresses", "ip"}):

            def tweak(cloud, missing=missing):
                cloud.missing_fields = missing

            for scenario, result in self.run_all(tweak):
                if result.exit_code:
                    needed = NEEDED.get(scenario.name, "")
                    self.assertTrue(needed and needed in result.stderr, result.stderr)

    def test_a_field_that_is_needed_and_missing_is_named(self):
        for field in ("datastore", "flavor", "limit", "name", "parent_id"):

            def tweak(cloud, field=field):
                cloud.missing_fields = {field}

            for scenario, result in self.run_all(tweak):
                if result.exit_code:
                    words = result.stderr.replace("\n", " ").split()
                    self.assertGreater(len(words), 5, (scenario.name, field, words))

    def test_nothing_is_deleted_if_parents_are_not_reported(self):
        def tweak(cloud):
            cloud.missing_fields = {"parent_id"}

        for scenario, result in self.run_all(tweak):
            if "prune" in scenario.name:
                self.assertIn("lacks 'parent_id'", result.stderr)
                self.assertEqual([], result.requests.changing)
