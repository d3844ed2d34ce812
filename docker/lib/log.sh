# Lines in the container's log, and the codes that it ends with. Sourced.

# Exit codes (docs/image.md); the operator sees them in DescribeTasks. The numbers are those of sysexits.h where it has one.
EXIT_UNAVAILABLE=69 # a program that the host needs is missing
EXIT_SSHD=70        # sshd didn't start, or ended by itself
EXIT_SETUP=71       # the setup script of the launch failed
EXIT_CANT_CREATE=73 # a file or directory can't be written
EXIT_LEASE=75       # nobody logged in within the boot lease
EXIT_KEY=77         # a public key is missing or malformed
EXIT_SETTING=78     # another setting is malformed
EXIT_TERMINATED=143 # ended by SIGTERM: StopTask, or the host's own shutdown.sh

# log TEXT: one line on stderr.
log() {
  printf 'mngr: %s\n' "$1" >&2
}

# fail CODE TEXT: the last line of a host that can't start.
fail() {
  log "$2"
  exit "$1"
}
