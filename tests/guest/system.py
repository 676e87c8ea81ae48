# SPDX-License-Identifier: BSD-2-Clause
"""The system under load and in small memory, its services, its console."""

import hashlib
import re

from axolib import guest


def test_small_memory(kind):
    result = guest.execute('echo up; free | grep -c Mem; ls /bin | wc -l; seq 1 1000 | sort -rn | head -1',
                           '--mem', '32', kind=kind)
    guest.expect(result.status == 0 and result.out.startswith('up\n1\n') and result.out.endswith('\n1000\n'), result)


def test_large_file_in_little_memory(kind):
    """200 MB written, read back by checksum and deleted with 64 MiB of memory."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        script = ('cd /root; yes 0123456789abcdef | head -c 200000000 > big; sha256sum big; '
                  'ls -l big | awk "{print \\$5}"; '
                  'rm big; df . | awk "NR==2 {print (\\$3 < 50000)}"')
        result = guest.execute(script, '--mem', '64', '--root', disk, kind=kind, limit=400)
        guest.expect_output(result, f'{pattern_digest()}  big\n200000000\n1\n')
        guest.fsck(disk)


def pattern_digest():
    line = b'0123456789abcdef\n'
    return hashlib.sha256((line * (200000000 // len(line) + 1))[:200000000]).hexdigest()


def test_memory_exhausted(kind):
    """A program that takes all memory is refused or killed, it alone: the shell lives on."""
    script = ('x=$(echo a | awk \'{ s = "xxxxxxxxxxxxxxxx"; for (i = 0; i < 40; i++) s = s s; print length(s) }\' '
              '2>&1); '
              'echo "awk $? "; tail -c 1 /dev/zero & p=$!; sleep 20; kill -9 $p 2>/dev/null; wait $p; '
              'echo alive; ls / | wc -l; free | awk "/Mem:/ {print ((\\$4+\\$6)*4 > \\$2)}"')
    result = guest.execute(script, '--mem', '64', kind=kind, limit=150)
    guest.expect(result.status == 0 and 'alive\n' in result.out and result.out.endswith('\n1\n'), result)
    guest.expect(re.search(r'^awk [1-9]', result.out, re.M), 'awk got all the memory it wanted', result)


def test_no_memory_is_lost(kind):
    """After a thousand processes and as many files as much memory is free as before, nearly."""
    script = ('free() { sync; awk "/^MemFree/ {f=\\$2} '
              '/^Cached/ {c=\\$2} /^Buffers/ {b=\\$2} END {print f+b+c}" /proc/meminfo; }; '
              'w() { i=0; while [ $i -lt 300 ]; do /bin/true; (:); i=$((i+1)); done; '
              'seq 1 2000 | sort | md5sum > /dev/null; }; '
              'w; a=$(free); w; w; b=$(free); echo $((a - b < 1500)) $a $b')
    result = guest.execute(script, kind=kind, limit=150)
    guest.expect(result.status == 0 and result.out.startswith('1 '), result)


def test_iso(kind):
    """GRUB boots the same kernel and archive from a CD image."""
    result = guest.execute('uname -s; echo $((6*7)); exit 5', '--iso', kind=kind, limit=90)
    guest.expect_output(result, 'Linux\n42\n', 5)


def test_service_command(kind):
    script = ('service status; echo; service up /service/hello; service status | grep -c hello; '
              'service down hello; service status | grep -c hello; echo done')
    result = guest.execute(script, kind=kind)
    guest.expect(result.status == 0 and result.out.endswith('done\n'), result)
    for name in ('vm', 'pm', 'vfs', 'rs', 'ds', 'sched', 'tty', 'memory', 'virtio_blk', 'ext2'):
        guest.expect(re.search(rf'\b{name}\b', result.out), f'{name} is not in the list', result)


def test_console_session(kind):
    """A person at the console: prompt, line editing, ^C, ^Z, vi, poweroff."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        with guest.Console(kind, disk) as console:
            console.prompt(40)
            guest.expect('42' in console.command('echo $((6*7))'), 'echo')
            console.type('echo wrong\x7f\x7f\x7f\x7f\x7fright\n')
            console.wait_for('\nright\r?\n')
            console.prompt()
            console.type("sh -c 'echo up; exec sleep 100'\n")
            console.wait_for('\nup\r?\n')
            console.type('\x03')
            console.prompt()
            guest.expect('130' in console.command('echo $?'), '^C')
            console.type("sh -c 'echo up; exec cat'\n")
            console.wait_for('\nup\r?\n')
            console.type('\x1a')
            console.wait_for('Stopped')
            console.prompt()
            guest.expect('cat' in console.command('jobs'), 'jobs')
            console.command('kill %1')
            guest.expect('/dev/' in console.command('tty'), 'tty')
            console.type('vi /root/typed\n')
            console.wait_for(r'\x1b\[999;999H\x1b\[6n')
            console.type('\x1b[24;80R')
            console.wait_for('typed')
            console.type('ihello from vi')
            console.wait_for('hello from vi')
            console.type('\x1b')
            console.wait_for('- /root/typed')
            console.type(':wq\r')
            console.prompt()
            guest.expect('hello from vi' in console.command('cat /root/typed'), 'vi')
            console.type('poweroff\n')
            console.ends()
        guest.fsck(disk)
        guest.expect(guest.debugfs(disk, 'cat /root/typed') == 'hello from vi\n', 'the file on the disk')


def test_reboot_ends_qemu(kind):
    """QEMU runs with -no-reboot: a reset by the guest ends it."""
    with guest.Scratch() as scratch:
        with guest.Console(kind, scratch.disk()) as console:
            console.prompt(40)
            console.type('reboot\n')
            console.ends()


def test_first_user_space(kind):
    """Process 1, its children, and the servers as processes of their own."""
    result = guest.execute('cat /proc/1/comm; cat /proc/cmdline | tr " " "\\n" | grep root=; dmesg | wc -l', kind=kind)
    guest.expect(result.status == 0 and result.out.startswith('init\n'), result)
