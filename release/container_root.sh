#!/bin/sh
# The root of the container: Python, volact, the libraries that both load, certificates and
# time zones.  It has no shell, no other program and no package manager.
# Usage: release/container_root.sh ENVIRONMENT ROOT, the first made by install.sh
set -eu
environment=$1
root=$2
python=$(readlink -f "$environment/bin/python")
library=$("$python" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')

mkdir -p "$root/opt" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
chmod 1777 "$root/tmp"
install -d -o 65532 -g 0 -m 0770 "$root/data"
cp -R "$environment" "$root/opt/volact"
# Its programs name another folder, its links names of Python that are not in the container.
rm -r "$root/opt/volact/bin"
mkdir "$root/opt/volact/bin"
ln -s "$python" "$root/opt/volact/bin/python"

libraries=$(
  { ldd "$python"; find "$library/lib-dynload" "$environment" -name '*.so*' -exec ldd {} +; } 2>&1 \
    | sed -n 's,^.* => \(/[^ ]*\) (.*,\1,p; s,^[[:space:]]*\(/[^ ]*\) (.*,\1,p' \
    | grep -v "^$environment" | sort -u
)
# shellcheck disable=SC2086  (paths of libraries have no spaces)
tar -C / -chf - --exclude='config-*' --exclude=__pycache__ --exclude=idlelib \
  --exclude=site-packages --exclude=test \
  "${python#/}" "${library#/}" etc/ssl/certs/ca-certificates.crt usr/share/zoneinfo \
  $(printf '%s\n' $libraries | sed 's,^/,,') | tar -C "$root" -xf -
