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

"""A state directory for the tests of the sandbox."""

import tempfile
from pathlib import Path

import testtools

from trove_ext.sandbox import state
from trove_ext.sandbox.state import StateDir


class FilesTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.where = StateDir(Path(directory.name) / "sandbox")
        self.where.make()
        self.settings = state.choose("10.11", 600, 77)
