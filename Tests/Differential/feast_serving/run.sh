#!/usr/bin/env bash
# Uses a served Larder through Feast's own client and through plain HTTP, as Feast's documentation shows it, and
# compares every answer with the truth.
#
# Installs Feast through pip at the first run, and uses a stack of its own. LARDER_BINARY names the executable to test;
# without it, that is the one of the debug build. check.py says more.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../dev/lib/common.sh"
source "$checkout/dev/lib/packages.sh"
source "$checkout/dev/lib/python.sh"
cd "$checkout"

folder=Tests/Differential/feast_serving
binary=${LARDER_BINARY:-$(swift build --show-bin-path)/larder}
[[ -x $binary ]] || die "there is no executable $binary; run swift build, or set LARDER_BINARY"
python=$(python_environment Tests/Differential/feast/requirements.txt)

export LARDER_STACK_NAME=feast-serving
if "$checkout/dev/stack" status >/dev/null 2>&1; then
    die "the stack \"feast-serving\" is running already; stop it first"
fi
work=$(mktemp -d)
clean_up() {
    rm -rf "$work"
    "$checkout/dev/stack" stop || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "== Feast's client on Larder's server"
"$checkout/dev/stack" start --ephemeral
stack_environment=$("$checkout/dev/stack" env)
eval "$stack_environment"
# Feast tells its makers what it is used for unless it is told not to.
FEAST_USAGE=False PYTHONDONTWRITEBYTECODE=1 "$python" "$folder/check.py" "$binary" "$work"
