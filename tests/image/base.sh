#!/bin/sh
# The last base's hooks for mmdebstrap: base.sh setup|extract ROOT [PACKAGE ...]
set -eu
stage=$1
cd "$2"
shift 2

setup() { # base-files asks for an awk, tzdata for debconf: both only while they are installed
    cat > var/lib/dpkg/status <<EOF
Package: only-while-installing
Status: install ok installed
Version: 1
Architecture: all
Maintainer: nobody <nobody@localhost>
Description: pretended, so that it is not brought in
Provides: awk, debconf-2.0
EOF
}

extract() { # PACKAGE ...: nothing else may have been brought in; each leaves its record, apt nothing
    mkdir var/lib/dpkg/status.d
    for deb in var/cache/apt/archives/*.deb; do
        dpkg-deb --field "$deb" > "var/lib/dpkg/status.d/$(dpkg-deb --field "$deb" Package)"
    done
    found=$(ls var/lib/dpkg/status.d | xargs)
    wanted=$(printf '%s\n' "$@" | LC_ALL=C sort | xargs)
    if [ "$found" != "$wanted" ]; then
        echo "the packages are $found, not the $wanted of the list" >&2
        exit 1
    fi
    rm -r etc/apt etc/dpkg/dpkg.cfg.d var/cache/apt var/lib/apt var/log/apt
    rm -f tmp/* etc/resolv.conf etc/hostname
    find var/lib/dpkg -mindepth 1 -maxdepth 1 ! -name status.d -exec rm -r {} +
    python=$(basename usr/bin/python3.*)
    ln -s "$python" usr/bin/python3
    ln -s "$python" usr/bin/python
    printf '%s\n' root:x:0:0:root:/root:/sbin/nologin \
        nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin > etc/passwd
    printf '%s\n' root:x:0: nonroot:x:65532: > etc/group
}

"$stage" "$@"
