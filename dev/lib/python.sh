# A virtual environment in .larder/venv with the packages that the checks of Examples/flights need.
# shellcheck shell=bash
# Needs common.sh and packages.sh.

# Prints the path of the environment's python.
python_environment() {
    local directory="$local_directory/venv" requirements="$checkout/Examples/flights/requirements.txt"
    make_local_directory
    if ! cmp -s "$requirements" "$directory/requirements.txt"; then
        ensure_packages python
        say "installing $(tr '\n' ' ' <"$requirements")into $directory"
        {
            python3 -m venv --clear "$directory"
            "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
        } >&2
        # Last, so that an environment that was not finished is made again.
        cp "$requirements" "$directory/requirements.txt"
    fi
    printf '%s' "$directory/bin/python"
}
