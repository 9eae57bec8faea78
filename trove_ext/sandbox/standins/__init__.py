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

"""Small stand-ins for Nova, Cinder, Neutron, Glance and Swift, which Trove asks.

Trove takes them by configuration (``remote_nova_client`` and its like,
trove/common/clients.py). They answer what Trove asks and no more. What they know is
in one file, so that it survives a restart of Trove.
"""
