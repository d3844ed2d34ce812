"""Runs a program on a pseudo-terminal, as the SSM agent does: argv[1:] is the program.

What comes on stdin is typed on the terminal, in order and without loss; what the terminal shows goes to stdout in pieces of
at most 1024 bytes. When stdin ends, the terminal hangs up. Exits with the program's own code.
"""
import os
import pty
import select
import sys

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
pending = b""
while True:
    readable, writable, _ = select.select(
        [terminal] + ([0] if len(pending) < 65536 else []), [terminal] if pending else [], []
    )
    if terminal in readable:
        try:
            data = os.read(terminal, 1024)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in readable:
        data = os.read(0, 65536)
        if not data:
            break
        pending += data
    if terminal in writable:
        pending = pending[os.write(terminal, pending[:1024]):]
os.close(terminal)
status = os.waitpid(child, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) % 256)
