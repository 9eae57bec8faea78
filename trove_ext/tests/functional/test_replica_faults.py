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


"""Faults that take minutes, or that affect other users of the sandbox."""

import os
import re
import signal
import unittest

from trove_ext.tests.functional import base, replicas
from trove_ext.tests.promises import Promise, shows


@shows(Promise.PROMOTE, Promise.FAILOVER)
@unittest.skipUnless(replicas.LONG, "takes minutes and restarts Trove")
class ReplicaFaultsTest(replicas.ReplicaTestCase):
    """Promotes by the stock command, which checks nothing first."""

    def id_of(self, name):
        return self.members(self.any_member())[name]["ID"]

    def test_the_database_of_the_source_is_killed(self):
        source, (target, *_others) = self.source()
        source_id = self.id_of(source)
        self.trove_sandbox("fault", "kill-database", source_id)
        self.until(source_id, "SHUTDOWN")
        found, run = self.broken_promote(target, noun="instance")
        self.assertEqual("its database does not run", found[source]["writes"], run)
        self.assertEqual(target, self.source()[0])

    def test_the_host_of_the_source_is_off(self):
        source, (target, *_others) = self.source()
        source_id = self.id_of(source)
        self.trove_sandbox("fault", "host-off", source_id)
        found, run = self.broken_promote(target, noun="instance")
        self.assertEqual(
            {"ERROR"}, {finding["state"] for finding in found.values()}, run
        )
        self.assertIn(f"replica failover {source_id} --wait", run.stderr)
        self.assertNotIn("only an admin", run.stderr)
        self.trove_sandbox("fault", "host-on", source_id)
        new, _others = self.source()
        self.openstack_here(
            *("database", "instance", "delete", source_id, "--wait"),
            stderr=replicas.STDERR,
        )
        self.openstack_here(
            *("database", "replica", "create", new, source, "--probe"),
            stderr=replicas.STDERR,
        )
        self.check_set_by_sql(new)

    def test_the_host_of_another_replica_is_off(self):
        _source, (target, other, *_more) = self.source()
        other_id = self.id_of(other)
        self.trove_sandbox("fault", "host-off", other_id)
        found, run = self.broken_promote(
            target, noun="instance", repairs=("fault", "host-on", other_id)
        )
        self.assertEqual("ERROR", found[other]["state"], run)
        self.assertEqual("read-only or not: not known", found[other]["writes"], run)
        self.assertNotIn("only an admin", run.stderr)
        self.assertEqual(target, self.source()[0])

    def test_trove_is_restarted_during_a_promote(self):
        source, (target, *_others) = self.source()
        addresses, source_id = self.addresses(), self.id_of(source)
        self.fault("promote-candidate", self.id_of(target), "--sleep", "15")
        promote = self.start_openstack(
            *("database", "replica", "promote", target, "--wait")
        )
        self.until(source_id, "PROMOTE")
        self.restart_trove()
        # Trove does not report that it has lost the job; the wait ends after 20
        # minutes.
        out, err = promote.communicate(timeout=1800)
        self.assertEqual(1, promote.returncode, err)
        self.assertIn("nothing has changed for 20 minutes", err)
        self.recover(base.Run((), promote.returncode, out, err), addresses)

    def restart_trove(self):
        status = self.trove_sandbox("status")
        pid = int(re.search(r"^trove +(\d+) ", status, re.MULTILINE).group(1))
        os.kill(pid, signal.SIGKILL)
        self.trove_sandbox("up")
