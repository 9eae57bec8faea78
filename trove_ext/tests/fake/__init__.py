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

"""A cloud in memory with Trove's rules, below the real client; for tests alone.

    clock = FakeClock()
    cloud = FakeCloud(clock)
    source = cloud.add_instance("db1", databases=("shop",))
    client = make_client(cloud)                      # a real troveclient
    result = run_openstack(["database", "backup", "list"], cloud)

Time is virtual: a sleep returns at once and makes backups, builds and promotes
progress. `cloud.log` has every request. `Fault` and `every_fault` describe what can
happen to a request. `trove_ext/tests/functional/test_fake.py` sends the same requests
to the real Trove.
"""
