"""Runs a program on a terminal of its own and acts as the person in front of it.

Reads a JSON object from stdin: {"argv": [...], "env": {...}, "cwd": "...", "steps": [{"expect": "regex", "send": "text"}],
"seconds": 120}. Each step waits until the output since the step before matches, then types. Prints {"output", "exitCode"}
as JSON; exitCode is 128 and the signal's number when a signal ended the program, null when the time was up.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

# A person's keys come one by one; tmux takes keys that come within a millisecond for a paste, and types even its prefix.
KEY_SECONDS = 0.02

request = json.load(sys.stdin)
child, terminal = pty.fork()
if child == 0:
    os.chdir(request["cwd"])
    os.execve(request["argv"][0], request["argv"], request["env"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

steps = list(request["steps"])
output, since = "", 0
deadline = time.monotonic() + request["seconds"]
timed_out = False
while True:
    if steps:
        match = re.compile(steps[0]["expect"], re.DOTALL).search(output, since)
        if match:
            since = match.end()
            for key in steps.pop(0)["send"]:
                os.write(terminal, key.encode())
                time.sleep(KEY_SECONDS)
            continue
    if time.monotonic() > deadline:
        timed_out = True
        os.kill(child, signal.SIGKILL)
        break
    readable, _, _ = select.select([terminal], [], [], 0.1)
    if readable:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        output += data.decode(errors="replace")
exit_code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
json.dump({"output": output, "exitCode": None if timed_out else exit_code if exit_code >= 0 else 128 - exit_code}, sys.stdout)
