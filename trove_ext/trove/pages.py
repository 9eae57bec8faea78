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

"""Lists that Trove sends in pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from trove_ext.trove.client import Cloud


def read_pages(cloud: Cloud, what: str, read: Callable[..., Any]) -> list[Any]:
    """Read a list to its end, each page of the size that the server gives.

    :param what: the list, for messages: "Users of db1"
    :param read: a method of troveclient that returns a page; takes ``marker``
    :returns: the rows of all pages
    :raises TroveExtError: a page can't be read
    """
    found: list[Any] = []
    marker: str | None = None
    while True:
        page = cloud.read(what, partial(read, marker=marker))
        found += page
        marker = page.next
        if not marker:
            return found
