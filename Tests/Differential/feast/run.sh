#!/usr/bin/env bash
# Asks Larder and Feast for the same training sets: equal where Feast is right, and where it is not, who is and why.
#
# Installs Feast through pip at the first run, and uses a stack of its own. LARDER_BINARY names the executable to test;
# without it, that is the one of the debug build. compare.py says more.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../dev/lib/common.sh"
source "$checkout/dev/lib/packages.sh"
source "$checkout/dev/lib/python.sh"
cd "$checkout"

folder=Tests/Differential/feast
binary=${LARDER_BINARY:-$(swift build --show-bin-path)/larder}
[[ -x $binary ]] || die "there is no executable $binary; run swift build, or set LARDER_BINARY"
python=$(python_environment "$folder/requirements.txt")

export LARDER_STACK_NAME=feast
if "$checkout/dev/stack" status >/dev/null 2>&1; then die "the stack \"feast\" is running already; stop it first"; fi
work=$(mktemp -d)
clean_up() {
    rm -rf "$work"
    "$checkout/dev/stack" stop || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "== training sets beside Feast's"
"$checkout/dev/stack" start --ephemeral
stack_environment=$("$checkout/dev/stack" env)
eval "$stack_environment"
# Feast tells its makers what it is used for unless it is told not to.
FEAST_USAGE=False PYTHONDONTWRITEBYTECODE=1 "$python" "$folder/compare.py" "$binary" "$work"
