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

"""A rotation for the tests."""

from trove_ext.model.rotation_naming import NamePattern
from trove_ext.tests.unit.workflows.backups import BackupTestCase
from trove_ext.workflows.backup import rotate, rotate_job


class RotateTestCase(BackupTestCase):
    def rotate(self, *names, timeout=3600.0, cloud=None, **kwargs):
        cloud = cloud or self.make_cloud()
        kwargs.setdefault("pattern", NamePattern())
        request = rotate_job.RotateRequest(names or ("db1",), **kwargs)
        return rotate.rotate(cloud, request, cloud.deadline(timeout))

    def one(self, **kwargs):
        (row,) = self.rotate(**kwargs)
        return row

    def parent_of(self, row):
        parent = self.fake.backups[row.backup.id].parent_id
        return self.fake.backups[parent].name if parent else None


class Killed(BaseException):
    """SIGKILL: nothing that the project does can catch it."""


class KilledRotation:
    """Part of a test that kills a rotation, and runs it again."""

    def state(self):
        """The backups, without the times in the names of the new ones."""
        return sorted(
            (
                backup.name.rsplit("-2026", 1)[0],
                backup.state,
                backup.parent_id is not None,
            )
            for backup in self.fake.live_backups
        )

    def kill_after(self, number):
        seen = iter(range(1, 100_000))

        def after(request):
            if request.service == "trove" and next(seen) == number:
                raise Killed

        self.fake.after_request.append(after)
