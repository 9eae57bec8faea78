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

"""A restore for the tests."""

from trove_ext.exceptions import (
    CheckError,
)
from trove_ext.tests.fake.state import Configuration
from trove_ext.tests.unit.shown import shown
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.restore import restore
from trove_ext.workflows.restore.settings import RestoreOptions


class RestoreTestCase(BackupTestCase):
    def plan(self, backup="b1", name="new", *, throwaway=False, **options):
        request = restore.RestoreRequest(
            backup, name, RestoreOptions(**options), throwaway=throwaway
        )
        return restore.plan(self.cloud, request)

    def problems(self, *args, **options):
        sent = len(self.requests("POST"))
        error = self.assertRaises(CheckError, self.plan, *args, **options)
        self.assertEqual(sent, len(self.requests("POST")))
        return error.problems

    def problem(self, *args, **options):
        """The text of the only problem."""
        error = self.assertRaises(CheckError, self.plan, *args, **options)
        self.assertEqual(1, len(error.problems))
        return shown(error)

    def group(self, name, version):
        now = self.clock.now()
        group = Configuration(self.fake.new_id(), name, version.id, now, now)
        self.fake.configurations[group.id] = group
        return group

    def version(self, name):
        return next(v for v in self.fake.versions.values() if v.name == name)
