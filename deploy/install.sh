#!/bin/sh
# Installs mq out of a checkout that was built (npm run build) into the places where Debian keeps things:
#   sh deploy/install.sh [--bring-node | --system-node] [DESTDIR]
# DESTDIR is a folder that stands for /; without it /, and then users and services are set up too, where systemd runs.
# May write below DESTDIR only. Run it again to upgrade: configuration, state and what runs stay, and the last builds are
# kept, so that an agent which runs on an older one finds its files.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
node=
dest=
for word in "$@"; do
  case $word in
    --bring-node | --system-node) node=${word#--} ;;
    -*) echo "usage: sh deploy/install.sh [--bring-node | --system-node] [DESTDIR]" >&2; exit 2 ;;
    *) dest=${word%/} ;;
  esac
done
builds_kept=4
node_least=24

fail() {
  echo "install: $*" >&2
  exit 1
}

# The major version of a node, or 0.
major() {
  "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

[ -f "$root/dist/mq.js" ] || fail "this checkout is not built: npm run build"
if [ -z "$node" ]; then
  if [ "$(major node)" -ge $node_least ]; then node=system-node; else node=bring-node; fi
fi
if [ "$node" = bring-node ]; then
  [ -x "$root/.node/node" ] || fail "there is no Node $node_least here to bring: npm run build gets one"
elif [ "$(major node)" -lt $node_least ]; then
  fail "the node of this system is older than $node_least: leave out --system-node"
fi

lib=$dest/usr/lib/machine-queue
share=$dest/usr/share/machine-queue
doc=$dest/usr/share/doc/machine-queue
umask 022
mkdir -p "$lib/bin" "$lib/dist" "$lib/node_modules" "$share" "$doc" "$dest/usr/bin" "$dest/etc/machine-queue" \
  "$dest/usr/lib/systemd/system" "$dest/usr/lib/sysusers.d"

# A folder of this build's own beside the older ones; the link to it changes in one step.
build=$(readlink "$root/dist/mq.js")
build=${build%%/*}
rm -rf "$lib/dist/.new"
cp -R "$root/dist/$build" "$lib/dist/.new"
# Packages with a binary beside their code; all others are inside the build.
for package in koffi v86; do
  rm -rf "$lib/node_modules/.new"
  cp -R "$root/node_modules/$package" "$lib/node_modules/.new"
  rm -rf "$lib/node_modules/.old"
  if [ -d "$lib/node_modules/$package" ]; then mv "$lib/node_modules/$package" "$lib/node_modules/.old"; fi
  mv "$lib/node_modules/.new" "$lib/node_modules/$package"
  rm -rf "$lib/node_modules/.old"
done
mkdir -p "$lib/node_modules/@koromix"
for package in "$root"/node_modules/@koromix/koffi-*; do
  rm -rf "$lib/node_modules/@koromix/${package##*/}"
  cp -R "$package" "$lib/node_modules/@koromix/"
done
if [ "$node" = bring-node ]; then
  mkdir -p "$lib/.node"
  cp -L "$root/.node/node" "$lib/.node/node.new"
  chmod 755 "$lib/.node/node.new"
  mv "$lib/.node/node.new" "$lib/.node/node"
else
  rm -rf "$lib/.node"
fi
for name in mq mq.sh; do
  cp "$root/bin/$name" "$lib/bin/$name.new"
  chmod 755 "$lib/bin/$name.new"
  mv "$lib/bin/$name.new" "$lib/bin/$name"
  ln -sfn "../lib/machine-queue/bin/$name" "$dest/usr/bin/$name"
done
rm -rf "$lib/dist/$build"
mv "$lib/dist/.new" "$lib/dist/$build"
# It is the newest by its name, whatever was built before it was installed.
touch "$lib/dist/$build"
ln -s "$build/cli-main.js" "$lib/dist/mq.js.new"
mv -T "$lib/dist/mq.js.new" "$lib/dist/mq.js"
# shellcheck disable=SC2012 # names of builds have no odd characters
ls -1td "$lib/dist"/build-* | tail -n +$((builds_kept + 1)) | while read -r old; do rm -rf "$old"; done

cp "$root/deploy/systemd/machine-queue.service" "$root/deploy/systemd/machine-queue-agent.service" \
  "$dest/usr/lib/systemd/system/"
cp "$root/deploy/systemd/machine-queue.sysusers" "$dest/usr/lib/sysusers.d/machine-queue.conf"
cp -R "$root/deploy/prometheus" "$root/deploy/grafana" "$root/deploy/mq.sh" "$share/"
cp -R "$root"/docs/. "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE" "$doc/"
for shell in bash zsh fish; do
  case $shell in
    bash) file=$dest/usr/share/bash-completion/completions/mq ;;
    zsh) file=$dest/usr/share/zsh/vendor-completions/_mq ;;
    fish) file=$dest/usr/share/fish/vendor_completions.d/mq.fish ;;
  esac
  mkdir -p "$(dirname "$file")"
  "$lib/bin/mq" completion "$shell" > "$file"
done
[ -e "$dest/etc/machine-queue/lab.yaml" ] || cp "$root/deploy/lab.yaml" "$dest/etc/machine-queue/lab.yaml"
echo "install: $("$lib/bin/mq" --version) is in ${dest:-/}"

if [ -n "$dest" ] || ! [ -d /run/systemd/system ]; then
  echo 'install: users and services were left alone; docs/operations.md has the rest'
  exit 0
fi
systemd-sysusers /usr/lib/sysusers.d/machine-queue.conf
systemctl daemon-reload
if systemctl is-active --quiet machine-queue; then
  # Jobs go on in the agent, which is replaced when it has none.
  systemctl restart machine-queue
  echo 'install: the server was restarted'
else
  echo 'install: now edit /etc/machine-queue/lab.yaml, then: systemctl enable --now machine-queue-agent machine-queue'
fi
