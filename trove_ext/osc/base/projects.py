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

"""Projects of Keystone, found by the rule of :mod:`trove_ext.trove.find`.

``openstackclient.identity.common.find_project`` can't be used for it: after any error
of the list by name but "not found", osc-lib's ``find_resource`` reads all projects,
and takes Keystone's resources for dictionaries, which ends with a TypeError.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import http

from trove_ext.trove.find import Finder

if TYPE_CHECKING:
    import argparse

    from cliff.app import App


@dataclass(frozen=True, slots=True)
class _Project:
    id: str
    name: str
    domain_id: str | None


def project_id(identity: Any, name_or_id: str) -> str:
    """Return the ID of a project.

    If Keystone forbids this user to search, the text is used as an ID, as by
    openstackclient.

    :param identity: the client of Keystone, as openstackclient makes it
    :raises NotFoundError: there is none
    :raises AmbiguousNameError: projects of several domains have the name
    """
    manager = identity.projects
    with contextlib.suppress(http.NotFound, http.BadRequest, http.Forbidden):
        return str(manager.get(name_or_id).id)
    try:
        listed = manager.list(name=name_or_id)
    except http.Forbidden:
        return name_or_id
    # Keystone determines which ones have the name: its database may ignore the case.
    projects = [
        _Project(str(row.id), name_or_id, getattr(row, "domain_id", None))
        for row in listed
    ]
    finder = Finder("project", _describe, listed=projects)
    return finder.by_name(name_or_id).id


def add_project_options(parser: argparse.ArgumentParser, things: str) -> None:
    """Add ``--project`` and ``--all-projects``.

    :param things: what is listed, for the help: "the chains"
    """
    parser.add_argument(
        "--project",
        metavar="<project>",
        help=f"List {things} of this project (name or ID; admin only)",
    )
    parser.add_argument(
        "--all-projects",
        action="store_true",
        help=f"List {things} of all projects (admin only)",
    )


def chosen(app: App, parsed_args: argparse.Namespace) -> str | None:
    """Return the ID of the project that was named; None if none was.

    :raises NotFoundError, AmbiguousNameError: there is none, or several have the name
    """
    if parsed_args.project is None:
        return None
    manager: Any = app.client_manager  # type: ignore[attr-defined]
    return project_id(manager.identity, parsed_args.project)


def _describe(project: _Project) -> str:
    return f"of domain {project.domain_id}"
