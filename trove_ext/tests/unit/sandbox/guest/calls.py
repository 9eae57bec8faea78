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

"""The calls that Trove makes to a guest agent, read from its own code."""

import ast
import inspect

from trove.guestagent import api as guest_api

# Trove's API still has them, but its own guest no longer does.
OBSOLETE = {"update_guest", "get_hwinfo", "get_diagnostics"}


def names():
    """The names of all calls that a current guest supports."""
    return {name for name, _arguments in all_of_trove()}


def all_of_trove():
    """Yield each call of trove/guestagent/api.py: its name, its arguments' names."""
    tree = ast.parse(inspect.getsource(guest_api.API))
    for method in ast.walk(tree):
        if not isinstance(method, ast.FunctionDef):
            continue
        taken = [argument.arg for argument in method.args.args[1:]]
        for call in ast.walk(method):
            if _is_call_of_guest(call) and call.args[0].value not in OBSOLETE:
                found = [keyword.arg for keyword in call.keywords]
                # None is a dictionary of the method's own arguments.
                found = taken if None in found else found
                yield call.args[0].value, [x for x in found if x != "version"]


def _is_call_of_guest(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"_call", "_cast"}
        and isinstance(node.args[0], ast.Constant)
    )
