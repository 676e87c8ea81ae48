# SPDX-License-Identifier: BSD-2-Clause
"""./axo run itself: its output, its statuses, and what it says of wrong input."""

import os
import subprocess
import time

from axolib import guest, image


def test_exec_status(kind):
    guest.expect_output(guest.execute('exit 7', kind=kind), '', 7)


def test_exec_output_is_exact(kind):
    command = r"printf 'a\nb\n\ttab \\ no newline'; printf '\377\000\001' ; printf 'x' >&2"
    guest.expect_output(guest.execute(command, kind=kind), 'a\nb\n\ttab \\ no newline\xff\x00\x01x')


def test_exec_large_output(kind):
    result = guest.execute('seq 1 20000', kind=kind)
    guest.expect(result.out == ''.join(f'{i}\n' for i in range(1, 20001)) and result.status == 0,
                 f'{len(result.out)} bytes', result)


def test_exec_quoting(kind):
    command = '''x='a  b'; echo "$x" 'q"q' \\$HOME `echo c` $((1+1)) # comment'''
    guest.expect_output(guest.execute(command, kind=kind), 'a  b q"q $HOME c 2\n')


def test_exec_signal_status(kind):
    guest.expect_output(guest.execute('kill -KILL $$', kind=kind), '', 137)


def test_exec_long_command(kind):
    text = 'x' * 1500
    guest.expect_output(guest.execute(f'echo {text}', kind=kind), text + '\n')


def test_sensible_output(kind):
    """The session that issue and README show."""
    result = guest.execute('uname -a; cat /etc/os-release; ls -l /; ps; free; mount; dmesg | head; echo $((6*7))',
                           kind=kind)
    guest.expect(result.status == 0, result)
    for part in ('Linux axolotl 6.1', 'Axolotl', 'NAME="Axolotl"', 'drwxr-xr-x', ' bin', 'PID', 'init', 'Mem:',
                 ' on / type ext2', ' on /proc type proc', '42\n'):
        guest.expect(part in result.out, f'{part!r} is missing', result)
    guest.expect(result.out.endswith('\n42\n'), result)


def wrong(*arguments):
    result = guest.run(*arguments, limit=20)
    guest.expect(result.status == 2 and result.out == '' and len(result.err.splitlines()) == 1
                 and result.err.startswith('axo: '), arguments, result)


def test_wrong_input(_kind):
    with guest.Scratch() as scratch:
        text = scratch.file('text')
        with open(text, 'w', encoding='ascii') as file:
            file.write('no file system\n' * 1000)
        os.mkdir(scratch.file('empty'))
        os.mkdir(scratch.file('full'))
        bare = scratch.file('bare.img')
        image.make(scratch.file('empty'), bare, 8)
        wrong('--root', '/nonexistent')
        wrong('--root', text)
        wrong('--root', '/dev/null')
        wrong('--root', scratch.file('empty'))
        wrong('--root', bare)
        wrong('--overlay', '/nonexistent')
        wrong('--overlay', text)
        wrong('--mem', '4')
        wrong('--mem', 'much')
        wrong('--smp', '2')
        wrong('--smp', '0')
        wrong('--timeout', '-1')
        wrong('--accel', 'magic')
        wrong('--nonsense')
        wrong('--exec')
        wrong('extra')
    done = subprocess.run([guest.AXO, 'nonsense'], capture_output=True, text=True, check=False)
    guest.expect(done.returncode == 2 and done.stderr.count('\n') == 1, done.stderr)


def test_hang_is_status_3(kind):
    result = guest.run('--exec', 'echo before; while :; do :; done', '--timeout', '20', kind=kind)
    guest.expect(result.status == 3 and result.out == 'before\n' and 'hangs' in result.err, result)


# Nothing can take VM's place as yet: its death is a panic.
VM_DIES = '''echo before; kill -SEGV $(ps -o pid,args | awk '$2=="[vm]" {print $1}'); sleep 5'''


def test_panic_is_status_3(kind):
    result = guest.run('--exec', VM_DIES, '--timeout', '30', kind=kind)
    guest.expect(result.status == 3 and 'panic:' in result.err, result)


def test_help(_kind):
    done = subprocess.run([guest.AXO, 'run', '--help'], capture_output=True, text=True, check=False)
    guest.expect(done.returncode == 0, done.stderr)
    for option in ('--exec', '--root', '--overlay', '--keep', '--mem', '--smp', '--append', '--timeout', '--gdb',
                   '--iso', '--display', '--accel'):
        guest.expect(option in done.stdout, f'{option} is not in the help')


def test_quick_start(kind):
    """Once built, QEMU runs within a second of the command: a QEMU that only notes the time stands in."""
    with guest.Scratch() as scratch:
        program = scratch.file('qemu-system-x86_64')
        with open(program, 'w', encoding='ascii') as file:
            file.write('#!/bin/sh\ndate +%s.%N > "$QEMU_STARTED"\n')
        os.chmod(program, 0o755)
        times = []
        for _ in range(3):
            began = time.time()
            subprocess.run([guest.AXO, 'run', f'--{kind}', '--exec', 'true'], capture_output=True, check=False,
                           env=dict(os.environ, PATH=f'{scratch.path}:{os.environ["PATH"]}',
                                    QEMU_STARTED=scratch.file('time')))
            with open(scratch.file('time'), encoding='ascii') as file:
                times.append(float(file.read()) - began)
        guest.expect(min(times) < 1.0, f'seconds to the start of QEMU: {times}')
