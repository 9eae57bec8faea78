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

"""What some tests need besides the client: the server's own code."""

import importlib.metadata
import importlib.util
import inspect

import testtools
from troveclient.v1 import backups, instances

#: Why a test is skipped without the extra "sandbox", which pins a release of Trove.
REASON = "needs Trove itself (the extra 'sandbox')"
HAS_TROVE = importlib.util.find_spec("trove") is not None

#: For tests that compare a fact with Trove's source.
trove = testtools.skipUnless(HAS_TROVE, REASON)

#: For tests of requests that name a storage driver.
storage_drivers = testtools.skipUnless(
    "storage_driver" in inspect.signature(backups.Backups.create).parameters,
    "needs a python-troveclient that can name a storage driver (8.8 or newer)",
)

#: For tests of requests about TLS.
tls = testtools.skipUnless(
    hasattr(instances.Instances, "ssl_show"),
    "needs a python-troveclient that knows TLS",
)

#: For tests of truncated responses: urllib3 1.26 accepts them as complete.
urllib3_2 = testtools.skipIf(
    importlib.metadata.version("urllib3").startswith("1."),
    "urllib3 before 2.0 takes a truncated response for a complete one",
)
