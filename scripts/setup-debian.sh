#!/bin/sh
# Installs from Debian what the tests use beside npm: `npm run setup:debian`. Changes the system, by apt-get only;
# everything else in the checkout leaves the system alone. The program itself needs none of this.
# promtool comes out of its package into .tools/ of the checkout: installed, that package would start a Prometheus.
set -eu
cd "$(dirname "$0")/.."

# One package a line, and who needs it. A command or file that the package brings says whether it is there already.
packages='
openssl            openssl  tests of the TCP socket make certificates
openssh-server     sshd     tests of ssh://host start an sshd of their own, on a port of their own
procmail           lockfile the old scripts lock with it; tests of the import compare with them
systemd            systemd-analyze tests look at the units for systemd
fish               fish     tests of completion ask it as the Tab key does
zsh                zsh      tests of completion have it read our code
tmux               tmux     tests of the command line run it on a real terminal
qemu-system-x86    qemu-system-i386 tests of boards in QEMU boot the images of the tests
qemu-system-arm    qemu-system-arm  tests of boards in QEMU boot one of another architecture
u-boot-qemu        /usr/lib/u-boot/qemu_arm/u-boot.bin the boot loader of that one
'

missing=
while read -r package command reason; do
  [ -n "$package" ] || continue
  if command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || [ -f "$command" ]; then
    echo "setup: $package is there"
  else
    echo "setup: $package is missing; $reason"
    missing="$missing $package"
  fi
done <<EOF
$packages
EOF

bring_promtool=
if command -v promtool >/dev/null 2>&1 || [ -x .tools/promtool ]; then
  echo 'setup: promtool is there'
else
  echo 'setup: promtool is missing; tests of metrics and alert rules use it'
  bring_promtool=yes
fi

if [ -z "$missing$bring_promtool" ]; then
  echo 'setup: nothing to do'
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: this is no Debian (apt-get is missing). Install by your system's own means:$missing${bring_promtool:+ promtool}" >&2
  exit 1
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  as_root=sudo
  echo 'setup: you are not root, so apt-get runs under sudo'
fi
echo 'setup: apt-get update'
$as_root apt-get update -q
if [ -n "$missing" ]; then
  echo "setup: apt-get install$missing"
  # No recommended packages and no questions. A service that a package would start is none of the tests' business.
  # shellcheck disable=SC2086 # the list is meant to be split
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi
if [ -n "$bring_promtool" ]; then
  echo 'setup: promtool, out of the package prometheus'
  rm -rf .tools/package
  mkdir -p .tools/package
  (cd .tools/package && apt-get download -q prometheus && dpkg-deb -x prometheus_*.deb .)
  mv .tools/package/usr/bin/promtool .tools/promtool
  rm -r .tools/package
fi
