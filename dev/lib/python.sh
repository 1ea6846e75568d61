# Virtual environments in .larder with the packages that checks and benchmarks need.
# shellcheck shell=bash
# Needs common.sh and packages.sh.

# python_environment [FILE]: prints the path of the python of an environment with the packages of a requirements file:
# those of Examples/flights, or another one's. Each file has an environment of its own.
python_environment() {
    local requirements="$checkout/${1:-Examples/flights/requirements.txt}" directory="$local_directory/venv"
    [[ -z ${1:-} ]] || directory+=-$(basename "$(dirname "$1")")
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
