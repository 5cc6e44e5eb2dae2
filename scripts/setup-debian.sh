#!/bin/sh
# Installs from Debian what the tests use beside npm: `npm run setup:debian`. Changes the system, by apt-get only;
# everything else in the checkout leaves the system alone. The program itself needs none of this.
# promtool, etcd and etcdctl come out of their packages into .tools/ of the checkout: installed, those packages would start
# a Prometheus and an etcd.
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

# One program a line, the package that it is taken out of, and who needs it.
programs='
promtool prometheus  tests of metrics and alert rules use it
etcd     etcd-server npm run bench -- --peers measures it beside ours
etcdctl  etcd-client npm run bench -- --peers measures it beside ours
'

bring=
while read -r program package reason; do
  [ -n "$program" ] || continue
  if command -v "$program" >/dev/null 2>&1 || [ -x ".tools/$program" ]; then
    echo "setup: $program is there"
  else
    echo "setup: $program is missing; $reason"
    bring="$bring $program:$package"
  fi
done <<EOF
$programs
EOF

if [ -z "$missing$bring" ]; then
  echo 'setup: nothing to do'
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: this is no Debian (apt-get is missing). Install by your system's own means:$missing$bring" >&2
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
for pair in $bring; do
  program=${pair%%:*} package=${pair#*:}
  echo "setup: $program, out of the package $package"
  rm -rf .tools/package
  mkdir -p .tools/package
  (cd .tools/package && apt-get download -q "$package" && dpkg-deb -x "$package"_*.deb .)
  mv ".tools/package/usr/bin/$program" ".tools/$program"
  rm -r .tools/package
done
