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

"""A time-out that applies whatever the block does, and that cleans up."""

import signal
import threading
import time

import testtools

from trove_ext.exceptions import Exit, OutOfTimeError
from trove_ext.osc.base.alarm import time_out

LONG = 20.0


class TestTimeOut(testtools.TestCase):
    def end(self, seconds, block):
        with time_out(seconds):
            block()

    def test_a_block_that_swallows_every_exception_is_ended(self):
        def stubborn():
            try:
                time.sleep(LONG)
            except Exception:  # noqa: BLE001 - as a library may do
                time.sleep(LONG)

        error = self.assertRaises(OutOfTimeError, self.end, 0.05, stubborn)
        self.assertIn("0.05 s", str(error))
        self.assertEqual(Exit.TIMEOUT, error.exit_code)

    def test_afterwards_no_alarm_is_left(self):
        before = signal.getsignal(signal.SIGALRM)
        self.end(LONG, lambda: None)
        self.assertRaises(ZeroDivisionError, self.end, LONG, lambda: 1 / 0)
        self.assertEqual((0.0, 0.0), signal.getitimer(signal.ITIMER_REAL))
        self.assertIs(before, signal.getsignal(signal.SIGALRM))

    def test_zero_is_no_limit(self):
        seen = []
        self.end(0, lambda: seen.append(signal.getitimer(signal.ITIMER_REAL)))
        self.assertEqual([(0.0, 0.0)], seen)

    def test_another_thread_than_the_main_one_has_no_limit(self):
        ended = threading.Event()
        thread = threading.Thread(target=self.end, args=(0.01, ended.set))
        thread.start()
        thread.join()
        self.assertTrue(ended.is_set())
