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

"""Backups that fail because the object store does not accept the caller's token.

Trove's guest stores a backup with the token of whoever asked for it. The reason ends
with what python-swiftclient raised there: ``Object PUT failed: ... 401 Unauthorized``
(``create_backup`` in ``T:guestagent/datastore/service.py``).
"""

from __future__ import annotations

import re

#: The text of python-swiftclient with Swift's response.
REFUSED = re.compile(r"\b(PUT|HEAD|GET|DELETE) failed: .*\b401 Unauthorized", re.DOTALL)


def explain(reason: str) -> str:
    """Add to the reason of a failure what it means; others are returned unchanged.

    >>> explain("disk full")
    'disk full'
    """
    if not REFUSED.search(reason):
        return reason
    # A long one ends with an ellipsis.
    end = "" if reason.endswith(".") else "."
    return (
        f"{reason}{end} The object store did not accept the token that the "
        "backup was asked for with: it expired meanwhile, or the access rules of its "
        "application credential lack one for the object store."
    )
