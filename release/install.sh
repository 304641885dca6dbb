#!/bin/sh
# Installs a wheel into an empty environment that holds nothing else, pip neither.
# The container, the single file, the bill of materials and the tests are made of it.
# Usage: [PIP_CONSTRAINT=constraints.txt] release/install.sh WHEEL FOLDER
set -eu
"${PYTHON:-python3}" -m venv --without-pip "$2"
"${PYTHON:-python3}" -m pip --python "$2/bin/python" install --quiet --no-compile \
  --disable-pip-version-check "$1"
