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

"""Cells of a table."""

import importlib.util
from unittest import mock

import cliff.columns
import testtools

from trove_ext.osc.base import columns


class PlainColumn:
    """``FormattableColumn`` as it is up to cliff 4.8: not generic."""

    def __init__(self, value):
        self._value = value


class TestCliffVersions(testtools.TestCase):
    def test_the_module_loads_with_a_cliff_whose_column_is_not_generic(self):
        spec = importlib.util.find_spec(columns.__name__)
        copy = importlib.util.module_from_spec(spec)
        with mock.patch.object(cliff.columns, "FormattableColumn", PlainColumn):
            spec.loader.exec_module(copy)
        self.assertEqual("-", copy.text(None).human_readable())
