# SPDX-License-Identifier: BSD-2-Clause
"""Debuggers of Debian, unchanged: strace and gdb, on programs (PM's ptrace; tests/abi/programs/ptracing.c has the
details)."""

import os
import re
import shutil
import subprocess

from axolib import debian, guest

HELLO = '''
#include <stdio.h>
static int level(int n) { return n > 2 ? n * 7 : level(n + 1) + 1; }
int main(void) { printf("result %d\\n", level(0)); return level(1); }
'''

GDB = '''
set confirm off
set pagination off
break level if n > 2
run
backtrace
info registers rip
finish
continue
continue
'''


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def test_strace(kind):
    """strace -f follows a shell's pipe: calls with their arguments, signals, and how each process ends."""
    with guest.Scratch() as scratch:
        top = scratch.file('top')
        debian.add_program('/usr/bin/strace', top)
        result = guest.execute("cd /tmp; strace -f -o log sh -c 'ls / | wc -l'; echo $?; cat log", '--overlay', top,
                               kind=kind)
        lines = result.out.splitlines()
        guest.expect(lines[0].isdigit() and lines[1] == '0', result)
        calls = {}
        for line in lines[2:]:
            pid, rest = line.split(None, 1)
            calls.setdefault(pid, []).append(rest)
        guest.expect(len(calls) == 3 and all('+++ exited with 0 +++' in seen for seen in calls.values()), result)
        guest.expect('["wc", "-l"]' in result.out and re.search(r'write\(1, ".*\\n", [0-9]+', result.out) and
                     '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED' in result.out, result)


def test_gdb(kind):
    """gdb stops at a breakpoint in shared text, shows the stack and registers, finishes a function and goes on."""
    with guest.Scratch() as scratch:
        top = scratch.file('top')
        debian.add_program('/usr/bin/gdb', top)
        debian.add_python(top)
        shutil.copytree('/usr/share/gdb', top + '/usr/share/gdb', symlinks=True, ignore_dangling_symlinks=True)
        write(top + '/root/hello.c', HELLO)
        write(top + '/root/commands', GDB)
        subprocess.run(['gcc', '-g', '-O0', '-static', '-no-pie', '-o', top + '/root/hello', top + '/root/hello.c'],
                       check=True)
        result = guest.execute('cd /root; /usr/bin/gdb -nx -batch -x commands ./hello 2>&1', '--overlay', top,
                               '--mem', '512', kind=kind, limit=180)
        for words in ('Breakpoint 1, level .n=3.', r'#3 .* in level .n=0.', r'#4 .* in main', 'rip .* 0x[0-9a-f]+',
                      'Value returned is .* = 21', 'result 24', 'exited with code 027'):
            guest.expect(re.search(words, result.out), f'{words}: not there', result)


def test_service(kind):
    """KRN-18, PM-09: with PM as its signal manager a service can be traced, and its end is PM's and final; else not."""
    with guest.Scratch() as scratch:
        script = ('pid() { service status $1 | awk "NR==2 {print \\$3}"; }; '
                  'service up hello; cat /dev/hello; /root/tracer $(pid hello); '
                  'sed "s/uid 906;/uid 906; signal_manager pm;/" /run/axolotl/etc/system.conf.d/hello.conf > /tmp/h; '
                  'service edit hello --conf /tmp/h; /root/tracer $(pid hello); cat /dev/hello; '
                  'su -s /bin/sh nobody -c "/tracer $(pid hello)"; /root/tracer $(pid hello); cat /dev/hello; '
                  'kill $(pid hello); until service status hello | grep failed; do sleep 0.1; done; '
                  'cat /dev/hello; service up hello; service restart hello; cat /dev/hello')
        overlay = scratch.program('tracer')
        os.link(overlay + '/root/tracer', overlay + '/tracer')
        result = guest.execute('{ ' + script + '; } 2>&1', '--overlay', overlay, kind=kind)
        traced = 'stopped by 19, text read\ndetach 0\n'
        guest.expect(result.out.count(traced) == 2 and result.out.count('attach: Operation not permitted') == 2, result)
        guest.expect(' failed' in result.out and result.out.rstrip().splitlines()[-1].endswith('read 1'), result)
