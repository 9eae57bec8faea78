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

"""A cloud whose answers a test spoils."""

from trove_ext.tests.fake.faults import Fault
from trove_ext.tests.fake.server import Reply
from trove_ext.tests.unit.workflows.backups import BackupTestCase


class AnswerTestCase(BackupTestCase):
    def setUp(self):
        super().setUp()
        self.backup = self.add("b1")

    def faulty(self, kind, *, method="GET", lasting=True, **kwargs):
        def meets(request):
            return request.service == "trove" and request.method == method

        return self.make_cloud([Fault(kind, only=meets, lasting=lasting, **kwargs)])

    def answering(self, code, body, content_type="application/json", **headers):
        """Respond to each request for Trove as a proxy may."""
        cloud = self.make_cloud()
        transport = cloud.client.client.session.session.get_adapter("http://x")
        ask = transport._ask

        def spoiled(request, entry):
            reply = ask(request, entry)
            if entry.service != "trove":
                return reply
            return Reply(code, body, {"Content-Type": content_type, **headers})

        transport._ask = spoiled
        return cloud
