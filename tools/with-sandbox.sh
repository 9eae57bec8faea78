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

# Runs a command with a sandbox of its own, which is stopped when the command ends.
#
#   tools/with-sandbox.sh COMMAND...
#
# The sandbox runs in the environment that tools/lib.sh makes; the command keeps the
# PATH of the caller, so functional tests can run with other clients.

set -eu -o pipefail
caller_path=$PATH
source "$(dirname "$0")/lib.sh"

STATE=

stop_sandbox() {
    [ -n "$STATE" ] || return 0
    "$VENV/bin/trove-sandbox" --dir "$STATE" down </dev/null >/dev/null 2>&1 || true
    rm -rf "$STATE"
    STATE=
}

[ $# -gt 0 ] || { sed -n '/^# Runs a command/,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

trap stop_sandbox EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

prepare
STATE=$(mktemp -d -t trove-ext-with.XXXXXX)
trove-sandbox --dir "$STATE" up </dev/null
PATH=$caller_path TROVE_EXT_SANDBOX_DIR=$STATE TROVE_EXT_SANDBOX_PROGRAMS=$VENV/bin \
    "$@"
