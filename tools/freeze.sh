#!/usr/bin/env bash
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

# Rewrites tools/constraints.txt with the newest versions that fit together.

set -eu -o pipefail
source "$(dirname "$0")/lib.sh"

newest=$(mktemp -d)
trap 'rm -rf "$newest"' EXIT
VENV=$newest/venv
CONSTRAINTS=/dev/null
prepare
{
    echo "# The versions that the tests were last run with, for tools/lib.sh: a fresh"
    echo "# clone gets the same set on every machine. Made by tools/freeze.sh."
    "$VENV/bin/python" -m pip freeze --exclude-editable 2>/dev/null | sort -f
} >"$ROOT/tools/constraints.txt"
say "Wrote tools/constraints.txt; now run tools/test.sh."
