# Read by the other scripts with `source`: goes to the root of the repository, and gives
#   install EXTRA   a virtual environment in .venv with this package in it; EXTRA is "" or as in "test,dask"
#   $venv_python    the interpreter in it
# shellcheck shell=bash

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1
venv_python=$PWD/.venv/bin/python

stop() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# Is "$1" an interpreter that is new enough and can make virtual environments?
is_usable() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
        if is_usable "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    local python
    if [ -e .venv ]; then
        is_usable "$venv_python" ||
            stop ".venv is there, but holds no working Python 3.11 or later: remove it and try again"
        return
    fi
    python=$(find_python) ||
        stop "needs Python 3.11 or later with venv (Debian: python3-venv); PYTHON=... names one"
    echo "making a virtual environment in .venv ($("$python" --version))"
    "$python" -m venv .venv || stop "could not make .venv"
}

# What an installation depends on: the project file, the place of the checkout, the interpreter.
state() {
    { cat pyproject.toml && pwd && "$venv_python" -VV; } | cksum
}

install() {
    local extra=$1 stamp=.venv/mcprop-installed${1:+-$1}
    make_venv
    [ "$(cat "$stamp" 2>/dev/null)" = "$(state)" ] && return
    echo "installing mcprop${extra:+ with the extra '$extra'} into .venv (the first time this downloads its dependencies)"
    "$venv_python" -m pip install --quiet --disable-pip-version-check --editable ".${extra:+[$extra]}" ||
        stop "the installation failed: see above"
    state >.venv/mcprop-installed
    state >"$stamp"
}
