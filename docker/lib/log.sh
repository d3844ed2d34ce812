# Lines in the container's log, and its exit codes. Sourced.

# Exit codes (docs/image.md); DescribeTasks shows them. The numbers follow sysexits.h where it has a matching one.
EXIT_UNAVAILABLE=69 # a program that the host needs is missing
EXIT_SSHD=70        # sshd didn't start, or exited unexpectedly
EXIT_SETUP=71       # the setup script of the launch failed
EXIT_CANT_CREATE=73 # a file or directory can't be written
EXIT_LEASE=75       # nobody logged in within the boot lease
EXIT_KEY=77         # a public key is missing or malformed
EXIT_SETTING=78     # another setting is malformed
EXIT_TERMINATED=143 # ended by SIGTERM: StopTask, or the host's own shutdown.sh

# log TEXT: writes one line to stderr.
log() {
  printf 'mngr: %s\n' "$1" >&2
}

# fail CODE TEXT: logs why the host can't start, and exits with CODE.
fail() {
  log "$2"
  exit "$1"
}
