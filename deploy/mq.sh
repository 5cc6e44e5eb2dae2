#!/bin/sh
# A client for hosts that have no mq, such as CI containers: copies the files of a job to the lab's host, runs mq
# there, and brings the file of -l back. Needs a POSIX shell, ssh and tar here; mq and Debian's usual tools there.
#
#   MQ_SERVER=ssh://[USER@]HOST[:PORT]   the lab's host (or `--server ADDRESS` before the command)
#   MQ_REMOTE=PATH                       mq there, if its shell does not find it
#
# One ssh connection carries, one behind the other on its input: a script of a known length, which says what to run;
# a tar file of a known length, where there are files; and our own input, for -a and -r. Two things take a further
# connection: a signal, since ssh carries none, and the file of -l, since stdout is the console's.
set -u
LC_ALL=C
export LC_ALL
program=${0##*/}

complain() {
  printf '%s\n' "$program: $*" >&2
}

misuse() {
  complain "$*"
  exit 2
}

# --- Where the lab is ------------------------------------------------------------------------------------------------

server=${MQ_SERVER:-}
case ${1:-} in
  --server) server=${2:-}; shift; [ $# -eq 0 ] || shift ;;
  --server=*) server=${1#--server=}; shift ;;
esac
case $server in
  ssh://*) address=${server#ssh://} ;;
  *) misuse 'Say where the lab is: MQ_SERVER=ssh://[USER@]HOST[:PORT]' ;;
esac
address=${address%/} user= port=
case $address in
  *@*) user=${address%%@*} address=${address#*@}; [ -n "$user" ] || misuse "'$server' has an empty user." ;;
esac
case $address in
  \[*\]) host=${address#?} host=${host%?} ;;
  \[*\]:*) host=${address#?} host=${host%%\]*} port=${address##*:} ;;
  *:*) host=${address%%:*} port=${address#*:}; [ -n "$port" ] || misuse "'$server' has an empty port." ;;
  *) host=$address ;;
esac
# Nothing of it may pass for an option of ssh.
case $host in '' | [!A-Za-z0-9_:]* | *[!A-Za-z0-9._:-]*) misuse "'$server' names no host." ;; esac
case $user in [!A-Za-z0-9_]* | *[!A-Za-z0-9._+-]*) misuse "'$server' has a user that is none." ;; esac
case $port in *[!0-9]*) misuse "'$server' has a port that is none." ;; esac
remote=${MQ_REMOTE:-mq}
case $remote in
  [!A-Za-z0-9_~/.+]* | *[!A-Za-z0-9_~/.+@-]*)
    misuse 'MQ_REMOTE must be the path of mq there, of letters, digits and ~/.+@_- only.' ;;
esac

# Becomes the ssh that runs a command line on the host. Over a connection of its own: a shared one (ControlMaster) would
# outlive a killed client, and the host would not notice.
become_ssh() {
  exec ssh -T -a -x -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ClearAllForwardings=yes \
    -o ControlMaster=no -o ControlPath=none -o RemoteCommand=none \
    ${port:+-p "$port"} ${user:+-l "$user"} -- "$host" "$1"
}

# --- What to run -----------------------------------------------------------------------------------------------------

id=$(od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n')
# The same folder on both sides; whoever else would have it first is refused by mkdir.
there="d=\${TMPDIR:-/tmp}/mq-$id;"
tmp=${TMPDIR:-/tmp}/mq-$id-client
mkdir -m 700 "$tmp" || exit 1
feeder= watcher=
trap 'kill $feeder $watcher 2>/dev/null; rm -rf "$tmp"' EXIT

# Prints a word so that a shell reads it back as it is.
quote() {
  rest=$1
  printf "'"
  while :; do
    case $rest in
      *\'*) printf '%s%s' "${rest%%\'*}" "'\\''"; rest=${rest#*\'} ;;
      *) break ;;
    esac
  done
  printf "%s'" "$rest"
}

words= count=0
add() {
  words="$words $(quote "$1")"
}

# Puts a file among those to send, in a folder of its own, so that it keeps its name.
send() {
  if ! [ -f "$2" ]; then
    case $1 in -b) what='dtb file' ;; *) what=File ;; esac
    printf '%s "%s" either does not exist, or is not considered a valid file\n' "$what" "$2"
    exit 1
  fi
  count=$((count + 1))
  case $2 in /*) path=$2 ;; *) path=$PWD/$2 ;; esac
  mkdir -p "$tmp/files/$count" && ln -s "$path" "$tmp/files/$count/${2##*/}" || exit 1
  words="$words \"\$d\"/files/$count/$(quote "${2##*/}")"
}

[ "${1:-}" != with ] ||
  misuse "'with' would run its command on the lab's host; for that, mq must be here. There are 'lock' and 'unlock'."
log= input=no
case ${1:-} in run) looks=yes ;; console) looks=no input=yes ;; *) looks=no ;; esac
if [ $# -gt 0 ]; then
  add "$1"
  shift
fi
target= dashes=
while [ $# -gt 0 ]; do
  word=$1
  shift
  if [ "$looks" = no ]; then
    add "$word"
    continue
  fi
  # Newer words: a target, then files; a value may stand behind =.
  case $dashes$word in
    --?*=*) set -- "${word#*=}" "$@"; word=${word%%=*} ;;
    -*) ;;
    *)
      if [ -n "$target" ]; then send -f "$word"; else target=yes; add "$word"; fi
      continue ;;
  esac
  add "$word"
  case $word in
    -a | -r | --keep-on) input=yes ;;
    -n | -L | --reuse | --linux | --no-wait | --own-lock | --detach | --json | --no-color) ;;
    --) dashes=files ;;
    -f | -b | --bitstream | -l | -s | -e | -d | -c | -k | -w | -t | -T | --set | --note | --server | --priority | \
      --until | --fail-on | --timeout | --log | --dtb | --key | --wait | --hold)
      [ $# -gt 0 ] || continue
      case $word in
        -f | -b | --bitstream | --dtb) send "$word" "$1" ;;
        -l | --log) log=$1 words="$words \"\$d/log\"" ;;
        *) add "$1" ;;
      esac
      shift ;;
    # mq refuses this word or shows its help, and reads no further.
    *) looks=no ;;
  esac
done
if [ -n "$log" ] && ! true >> "$log"; then exit 1; fi

size=0
if [ "$count" -gt 0 ]; then
  tar -C "$tmp" -chf "$tmp/files.tar" files || exit 1
  size=$(($(wc -c < "$tmp/files.tar")))
fi

# Who the CI run is decides about turns: mq there reads the same variables.
run_of_ci() {
  for name in GITHUB_RUN_ID CI_PIPELINE_ID BUILD_TAG BUILDKITE_BUILD_ID CIRCLE_WORKFLOW_ID; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || printf 'export %s=%s\n' "$name" "$(quote "$value")"
  done
}

{
  printf '%s\nmq=%s size=%s input=%s wants_log=%s\nset -- %s\n' \
    "$there" "$remote" "$size" "$input" "${log:+yes}" "$words"
  run_of_ci
  cat << 'END'
umask 077
mkdir "$d" || exit 1
if [ "$size" -gt 0 ] && ! head -c "$size" | tar -C "$d" -xof -; then
  rm -rf "$d"
  exit 1
fi
# When the connection is gone, its sshd is: then mq stops the job, and the board goes to the next in line.
is_connected() { kill -0 "$PPID" 2> /dev/null; }
{
  while is_connected; do sleep 1; done
  until kill -HUP "$(cat "$d/pid")"; do sleep 1; done
} < /dev/null > /dev/null 2>&1 &
watcher=$!
[ "$input" = yes ] || exec < /dev/null
sh -c 'echo $$ > "$0/pid"; exec "$@"' "$d" "$mq" "$@"
code=$?
kill "$watcher" 2> /dev/null
if { [ -n "$wants_log" ] || [ "$code" -gt 128 ]; } && is_connected; then
  # To be fetched at once, or within ten minutes at the latest.
  echo "$code" > "$d/code"
  {
    seconds=0
    while [ -d "$d" ] && [ "$seconds" -lt 600 ]; do sleep 5; seconds=$((seconds + 5)); done
    rm -rf "$d"
  } < /dev/null > /dev/null 2>&1 &
else
  rm -rf "$d"
fi
exit "$code"
END
} > "$tmp/script"
length=$(($(wc -c < "$tmp/script")))

# --- Run it ----------------------------------------------------------------------------------------------------------

if [ "$input" = yes ] && ! (exec 3<&0) 2> /dev/null; then exec < /dev/null; fi
[ "$input" = yes ] || exec < /dev/null
exec 3<&0
mkfifo "$tmp/in" || exit 1
(
  exec > "$tmp/in"
  cat "$tmp/script"
  [ "$size" -eq 0 ] || cat "$tmp/files.tar"
  [ "$input" = no ] || exec cat <&3
) &
feeder=$!
# Ctrl+C on a terminal reaches ssh too, which has to stay until mq has ended.
(
  trap '' HUP INT QUIT TERM
  exec 3<&- < "$tmp/in"
  # The host's shell may be any: it reads only this, and a POSIX shell the rest.
  become_ssh "exec sh -c 'eval \"\$(dd bs=1 count=$length 2>/dev/null)\"'"
) &
ssh=$!
# A killed client must not leave an ssh behind that holds its board.
(
  while kill -0 $$; do sleep 1; done
  kill -KILL "$ssh" "$feeder"
  rm -rf "$tmp"
) < /dev/null > /dev/null 2>&1 3<&- &
watcher=$!

signalled=no
# The first signal is for mq, which stops its job and says so; the second ends this at once.
relay() {
  if [ "$signalled" = yes ]; then
    kill -KILL "$ssh"
    return
  fi
  signalled=yes
  (
    trap '' HUP INT QUIT TERM PIPE
    (become_ssh "exec sh -c '$there kill -$1 \"\$(cat \"\$d/pid\")\"'") || kill -KILL "$ssh"
  ) < /dev/null > /dev/null 2>&1 &
}
for name in HUP INT QUIT TERM PIPE; do
  # shellcheck disable=SC2064 # the name is meant to be filled in now
  trap "relay $name" "$name"
done

# A signal ends a wait before its time.
while :; do
  wait "$ssh"
  code=$?
  kill -0 "$ssh" 2> /dev/null || break
done

# Fetches what was left there. Ends with 0 where mq has ended there: a code above 128 may be that of ssh, too.
fetch() {
  (become_ssh "exec sh -c '$there test -f \"\$d/code\" || exit 3; cat \"\$d/log\"; rm -rf \"\$d\"'") \
    < /dev/null > "$tmp/log" 2> /dev/null
}
has_ended=yes
if [ -n "$log" ] || [ "$code" -gt 128 ]; then
  fetch || has_ended=no
  if [ -n "$log" ] && [ "$has_ended" = yes ]; then cat "$tmp/log" > "$log" || code=1; fi
fi
if [ "$signalled" = yes ] && [ "$code" -gt 128 ]; then exit 1; fi
if [ "$code" -gt 128 ] && [ "$has_ended" = no ]; then
  # Clients try again when they read exactly this.
  printf 'Unable to ssh to %s\n' "$host"
  exit 1
fi
exit "$code"
