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

"""A cloud that a script has logged in to, with a method for each job."""

from __future__ import annotations

from trove_ext.library.backups import Backups
from trove_ext.library.replicas import Replicas
from trove_ext.library.restores import Restores


class Connection(Backups, Restores, Replicas):
    """A method for each job on the databases of a project; see :func:`connect`.

    A job whose effects should be reviewed has two methods: ``plan_...`` checks
    everything, changes nothing and returns a plan, and the method of the same name
    without ``plan_`` carries it out. The caller looks at the plan in between, or does
    not.

    Instances and backups are given by name, by ID or as a record of them.

    A method that changes something waits until that is done and reads the result
    again. ``wait=False`` returns as soon as Trove has accepted the request. Nothing is
    printed, and there are no prompts.

    An instance of this class belongs to one thread, and so does its session: the
    read time-out of the session is set for each request.
    """
