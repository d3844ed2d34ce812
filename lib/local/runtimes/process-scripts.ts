/**
 * The bash scripts around a task that runs as processes. Bash starts in a millisecond or two and is there wherever the
 * image's entrypoint runs, so hundreds of tasks cost almost nothing. They run with the task's own environment and pass
 * it on unchanged: no variable is assigned outside a function. They are started with `bash -p`, which ignores BASH_ENV.
 */

/**
 * `run` finds programs whatever the task's PATH is; `identity FILE` writes the identity of this process, as
 * machine-processes.ts reads it.
 */
const COMMON = `
run() {
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

identity() {
  local stat start
  if read -r -a stat 2>/dev/null < /proc/self/stat; then
    start="\${stat[0]} \${stat[21]} $(< /proc/sys/kernel/random/boot_id)"
  else
    read -r -a stat <<< "$(LC_ALL=C run ps -o lstart= -p $$)"
    start="$$ \${stat[*]}"
  fi
  (umask 077 && printf '%s\\n' "$start" > "$1.new")
  run mv "$1.new" "$1"
}
`;

/**
 * Outlives the endpoint: runs the task, adds times to its output, and records how it ended. Arguments: the task's
 * folder, then the command that starts the task. Files: `supervisor` (its identity), `log` (`<microseconds since 1970>
 * <line>`), `exit` (the exit code).
 */
const SUPERVISE = `#!/usr/bin/env bash
${COMMON}
stamp() {
  local line now
  while IFS= read -r line || [[ -n $line ]]; do
    now="\${EPOCHREALTIME:-$(run date +%s)000000}"
    printf '%s %s\\n' "\${now//[!0-9]/}" "$line"
  done
}

record() {
  printf '%s\\n' "$1" > "$2/exit.new"
  run mv "$2/exit.new" "$2/exit"
}

umask 077
identity "$1/supervisor"
run mkfifo "$1/output"
stamp < "$1/output" >> "$1/log" &
(umask 022 && exec "\${@:2}") > "$1/output" 2>&1 < /dev/null
record "$?" "$1"
wait
`;

/** First process of a task without namespaces. Arguments: the task's folder, its working directory, then the command. */
const RUN_PREFIXED = `#!/usr/bin/env bash
${COMMON}
set -e
identity "$1/main"
run mkdir -p "$2"
cd "$2"
exec "\${@:3}"
`;

/**
 * First process of a task in its own PID, mount, UTS and IPC namespaces: makes the file system that the task sees.
 * That is the machine's with a layer over it that takes every write, with fresh /root, /home, /tmp, /run, /mngr and
 * /dev, and without the machine's SSH host keys. Nothing the task writes reaches the machine.
 *
 * Arguments: the task's folder, the image's folder, `disk` or `memory` (what takes the writes), host name, IP address,
 * working directory, `init` or `exec`, how many folders are mounted, `ro` or `rw` and source and target of each, then the
 * command.
 */
const RUN_NAMESPACED = `#!/usr/bin/env bash
${COMMON}
layer() {
  local place
  cd "$1"
  run mkdir -p layer root
  if [[ $3 == memory ]]; then run mount -t tmpfs -o mode=0700 tmpfs layer; fi
  run mkdir -p layer/upper layer/work layer/private
  run mount -t overlay -o "lowerdir=/,upperdir=layer/upper,workdir=layer/work" overlay root
  # An overlay of / leaves out what is mounted below it. Programs and settings are needed; the rest stays away.
  for place in /usr /usr/local /var /opt /nix /nix/store /gnu/store /etc/resolv.conf /etc/hosts; do
    if run mountpoint -q "$place"; then run mount -o bind,ro "$place" "root$place"; fi
  done
}

private() {
  local place
  for place in root home tmp run mngr; do
    run mkdir -p "layer/private/$place" "root/$place"
    run mount --bind "layer/private/$place" "root/$place"
  done
  run chmod 1777 root/tmp
  run chmod 0700 root/root
  if [[ -d /etc/skel ]]; then run cp -R /etc/skel/. root/root/; fi
  # The endpoint's own files, where they aren't below one of the places that are fresh anyway.
  if [[ -d root\${1%/*} ]]; then run mount -t tmpfs -o ro,mode=0700 tmpfs "root\${1%/*}"; fi
  run mkdir -p root/image
  run mount -o bind,ro "$2" root/image
}

devices() {
  local device
  run mount -t tmpfs -o mode=0755,nosuid tmpfs root/dev
  for device in null zero full random urandom tty; do
    : > "root/dev/$device"
    run mount --bind "/dev/$device" "root/dev/$device"
  done
  run mkdir root/dev/pts root/dev/shm
  run mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts root/dev/pts
  run mount -t tmpfs -o mode=1777 tmpfs root/dev/shm
  run ln -s pts/ptmx root/dev/ptmx
  run ln -s /proc/self/fd root/dev/fd
  run ln -s fd/0 root/dev/stdin
  run ln -s fd/1 root/dev/stdout
  run ln -s fd/2 root/dev/stderr
  run mount -t proc -o nosuid,nodev,noexec proc root/proc
  run mount -o bind,ro /sys root/sys
}

settings() {
  run hostname "$1"
  printf '%s\\n' "$1" > root/etc/hostname
  if ! run mountpoint -q root/etc/hosts; then printf '%s %s\\n' "$2" "$1" >> root/etc/hosts; fi
  run rm -f root/etc/ssh/ssh_host_*
  # A locked root account (Ubuntu's default) would shut out key logins as well.
  if [[ -f root/etc/shadow ]]; then run sed -i 's/^root:![^:]*:/root:*:/' root/etc/shadow; fi
}

# Targets are made and looked up in the task's own view: a link in it may be absolute.
volumes() {
  local target
  while (($# > 0)); do
    run chroot root mkdir -p -- "$3"
    target=$(run chroot root realpath -- "$3")
    if [[ $1 == ro ]]; then run mount -o bind,ro "$2" "root$target"; else run mount --bind "$2" "root$target"; fi
    shift 3
  done
}

enter() {
  cd root
  run pivot_root . .
  run umount -l .
  run mkdir -p "$1"
  cd "$1"
}

ask() {
  asked=$1
  if [[ -n $child ]]; then kill "-$1" "$child" 2>/dev/null; fi
}

# The duty of PID 1 (ECS: initProcessEnabled): hands signals on and reaps what is orphaned.
init() {
  local child='' asked='' code again
  set +e -m
  trap 'ask TERM' TERM
  trap 'ask INT' INT
  "$@" &
  child=$!
  if [[ -n $asked ]]; then ask "$asked"; fi
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
  # A signal may have cut the last wait short; 127 says that it didn't and the code has been collected.
  wait "$child" 2>/dev/null
  again=$?
  if ((again != 127)); then code=$again; fi
  exit "$code"
}

set -e
# The kernel keeps from a PID 1 what it has no trap for, and a task can be stopped as soon as it is known.
trap 'exit 143' TERM
identity "$1/main"
layer "$@"
private "$1" "$2"
devices
settings "$4" "$5"
volumes "\${@:9:3*$8}"
enter "$6"
if [[ $7 == init ]]; then init "\${@:9+3*$8}"; fi
exec "\${@:9+3*$8}"
`;

export const PROCESS_SCRIPTS = {
  supervise: SUPERVISE,
  runPrefixed: RUN_PREFIXED,
  runNamespaced: RUN_NAMESPACED,
} as const;

/** Where the image's folder is in the file system of a task with namespaces. */
export const NAMESPACED_IMAGE_FOLDER = '/image';
