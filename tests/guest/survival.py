# SPDX-License-Identifier: BSD-2-Clause
"""Services go on where they were: state over crashes and live updates, as programs see it (SEF rows, DRV-05, PM)."""

import re

from axolib import guest, services

NEW, OLD = '/run/axolotl/service/hello_new', '/run/axolotl/service/hello'
PID = 'pid() { service status $1 | awk "NR==2 {print \\$3}"; }; '


def test_hello_updated_and_killed(kind):
    """DRV-05, RS-16: read in a loop while it is updated to and fro and crashes: no read fails, no count goes back."""
    script = ('service up hello; '
              '(i=0; while [ $i -lt 150 ]; do cat /dev/hello || echo FAILED; i=$((i+1)); done) > /tmp/out & '
              f'for i in 1 2 3 4 5 6; do service update hello {NEW}; service fi hello crash --free; '
              f'service update hello {OLD}; service fi hello crash --free --boundary; done; wait; '
              'service stats hello; cat /tmp/out')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=120)
    reads = [int(n) for n in re.findall(r'world! opened \d+ read (\d+)$', result.out, re.M)]
    guest.expect(len(reads) == 150 and 'FAILED' not in result.out, result)
    guest.expect(all(a < b for a, b in zip(reads, reads[1:])), result)


def test_hello(kind):
    """DRV-04: a device of its own, with the end of file and the offset where they belong; it comes with service up."""
    script = ('ls -l /dev/hello; cat /dev/hello 2>/dev/null || echo absent; service up hello; cat /dev/hello; '
              'dd if=/dev/hello bs=1 skip=7 count=5 2>/dev/null; echo; cat /dev/hello /dev/hello | wc -l; '
              'service down hello; cat /dev/hello 2>/dev/null || echo absent')
    result = guest.execute(script, kind=kind)
    lines = result.out.splitlines()
    guest.expect(lines[0].startswith('crw-r--r--') and '253,' in lines[0], result)
    guest.expect(lines[1:] == ['absent', 'Hello, world! opened 1 read 1', 'world', '2', 'absent'], result)


def test_update_that_fails(kind):
    """SEF-03, RS-17, RS-19: the new version's init fails, crashes, hangs, talks nonsense: the old one goes on."""
    script = 'service up hello; cat /dev/hello; '
    for variant in ('fail', 'crash', 'timeout', 'nonsense'):
        script += (f'service update hello {NEW} --maxtime 300 --args sef.lu={variant} && echo NEW; cat /dev/hello; ')
    result = guest.execute('{ ' + script + f'service update hello {NEW}; cat /dev/hello; ' + '} 2>&1', kind=kind)
    guest.expect('NEW' not in result.out and 'Good evening, world! opened 6 read 6\n' in result.out, result)
    for count in range(1, 6):
        guest.expect(f'Hello, world! opened {count} read {count}\n' in result.out, result)


def test_update_that_waits(kind):
    """SEF-05, SEF-06: each predefined prepare callback; not ready in time: the old one goes on."""
    script = ''
    for variant in ('never', 'fail', 'timeout', 'crash', 'ready'):
        script += (f'service up hello --period 200 --args sef.prepare={variant}; echo "== {variant}"; '
                   f'service update hello {NEW} --state request --maxtime 300; echo status $?; '
                   'cat /dev/hello; service down hello; ')
    script += ('service up hello --args sef.valid=none; echo "== invalid"; '
               f'service update hello {NEW}; echo status $?; service update tmp.5 {NEW}; echo status $?; ')
    result = guest.execute('{ ' + script + '} 2>&1', kind=kind)
    parts = re.split(r'== (\w+)\n', result.out)
    said = dict(zip(parts[1::2], parts[2::2]))
    for variant in ('never', 'fail', 'timeout', 'crash', 'invalid'):
        guest.expect('status 0' not in said[variant] and 'Good evening' not in said[variant], variant, result)
    for variant in ('never', 'fail'):
        guest.expect('Hello, world!' in said[variant], variant, result)
    guest.expect('status 0' in said['ready'] and 'Good evening' in said['ready'], result)


def test_heartbeat(kind):
    """SEF-04, RS-14: one that does not answer pings is replaced."""
    script = ('service up hello --period 100 --args sef.ping=none; '
              'n=0; while [ $n -eq 0 ]; do n=$(service status hello | awk "NR==2 {print \\$5}"); done; cat /dev/hello')
    result = guest.execute(script, kind=kind)
    guest.expect_output(result, 'Hello, world! opened 1 read 1\n')


def test_faults_of_each_kind(kind):
    """Each kind of fault, within a request and between two: /dev/hello is there again, and has lost nothing."""
    script = 'service up hello --period 200; '
    for fault in ('kill', 'crash', 'assert', 'exit', 'loop', 'silent', 'memory', 'grants'):
        for where in ('', '--boundary'):
            script += (f'service fi hello {fault} --free {where}; '
                       f'cat /dev/hello || echo FAILED {fault}; cat /dev/hello; ')
    result = guest.execute('{ ' + script + '} 2>&1', kind=kind, limit=90)
    reads = [int(n) for n in re.findall(r'read (\d+)$', result.out, re.M)]
    guest.expect(len(reads) == 32 and 'FAILED' not in result.out, result)
    guest.expect(all(a < b for a, b in zip(reads, reads[1:])), result)


def test_terminal(kind):
    """DRV-06: line settings, input typed before and the foreground group are there after tty's crash and its update."""
    script = (PID + 'exec </dev/ttyS0; stty -echo min 3 intr ^X; stty rows 33 cols 77; before=$(stty -a); '
              'kill -9 $(pid tty); sleep 0.2; [ "$before" = "$(stty -a)" ] && echo same; '
              'service update tty && [ "$before" = "$(stty -a)" ] && echo same; echo to the terminal > /dev/ttyS0; '
              'service status tty')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect(result.out.count('same\n') == 2 and 'running' in result.out, result)


def test_terminal_output(kind):
    """What a program writes to its terminal comes out once and in order, though tty dies twelve times beneath it."""
    script = ('(i=0; while [ $i -lt 3000 ]; do echo "line $i of what goes to the terminal"; i=$((i+1)); done) & '
              'for i in 1 2 3 4 5 6; do sleep 0.1; service fi tty crash --free; service fi tty kill --free; done; '
              'wait $!')
    result = guest.execute(script, kind=kind)
    guest.expect_output(result, ''.join(f'line {i} of what goes to the terminal\n' for i in range(3000)))


def test_process_manager_dies(kind):
    """PM at a request boundary and within one: processes, waits, sleeps, signals and job control go on."""
    script = (PID + 'sleep 1 & s=$!; sh -c "trap \'echo caught\' USR1; while :; do sleep 0.1; done" & t=$!; '
              '(while :; do :; done) & h=$!; sleep 0.2; '
              'for i in 1 2 3; do service fi pm crash --free --boundary; sh -c "exit 7"; echo $?; '
              'service fi pm crash --free; sh -c "exit 8"; echo $?; done; kill -9 $(pid pm); '
              'kill -USR1 $t; sleep 0.3; kill $t $h; wait $s; echo slept $?; wait $h; echo hog $?; '
              'timeout 0.2 sleep 5; echo timeout $?; true | cat; echo $(ps | grep -c "while :")')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect(result.out.count('7\n8\n') == 3, result)
    for words in ('caught\n', 'slept 0\n', 'hog 143\n', 'timeout 143\n'):
        guest.expect(words in result.out, words, result)


def test_update_in_place(kind):
    """RS-16: every service with registered state, or with none, is updated to itself under load."""
    names = 'ds sched tty pci rtc virtio_blk pm memory'
    script = ('(for i in 1 2 3; do dd if=/dev/urandom of=/tmp/f bs=64k count=40; cat /tmp/f /tmp/f | md5sum; done) '
              f'>/dev/null 2>&1 & for s in {names}; do service update $s && echo done $s; done; wait')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect(result.out.count('done ') == 8, result)


AGAIN, NEXT = '/run/axolotl/service/vfs_again', '/run/axolotl/service/vfs_next'


def test_file_server_updated(kind):
    """RS-16, SEF-11: fifty updates of VFS to other binaries while programs wait in it in all ways: none notices."""
    script = (f'/root/waits sh -c "i=0; while [ \\$i -lt 25 ]; do service update vfs {AGAIN} || exit 1; '
              'service update vfs || exit 1; i=\\$((i+1)); done"; service stats vfs | grep ^updates')
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('waits')])
        result = guest.execute(script, '--root', disk, kind=kind, limit=120)
        guest.expect('ok: ' in result.out and re.search(r'updates +50\b', result.out), result)
        guest.fsck(disk)


def test_file_server_updated_otherwise(kind):
    """RS-17, SEF-11: a larger state with its converter; one that nobody tells of; each way to fail: VFS goes on."""
    script = ('exec 7< /bin/busybox; head -c 1000 <&7 > /tmp/a; '
              '(sleep 3; echo late) | (read x; echo "got $x" > /tmp/late) & ')
    script += 'service update vfs /services/vfs_careless; echo $?; '
    for how in ('fail', 'crash', 'nonsense', 'timeout'):
        script += f'service update vfs --args sef.lu={how} --maxtime 300 && echo NEW; '
    script += (f'service update vfs {NEXT} && echo larger; service update vfs {AGAIN} && echo NEW; '
               'service fi vfs crash --free --boundary; cat <&7 >> /tmp/a; cmp /tmp/a /bin/busybox && echo same; '
               'wait; cat /tmp/late; service status vfs | awk "NR==2 {print \\$4}"')
    result = guest.execute('{ ' + script + '; } 2>/dev/null', '--overlay', services.overlay(kind), kind=kind, limit=60)
    guest.expect_output(result, '71\nlarger\nsame\ngot late\nrunning\n')


def test_file_server_under_the_typist(kind):
    """RS-16: the shell waits for its terminal while VFS is updated, between and within lines; nothing typed is lost."""
    with guest.Scratch() as scratch:
        with guest.Console(kind, scratch.disk()) as console:
            console.prompt(40)
            console.command('S=/run/axolotl/service')
            console.command('u() { service update vfs $S/vfs_again; service update vfs; }')
            console.command('(sleep 1; u; u; u; u; u; echo all done) &')
            console.type("x='before the updates ")
            console.wait_for('all done')
            console.type("and after'\n")
            console.prompt()
            guest.expect('before the updates and after' in console.command('echo "$x"'), 'the line')
            console.type("sh -c 'echo up; exec sleep 100'\n")
            console.wait_for('\nup\r?\n')
            console.type('\x03')
            console.prompt()
            guest.expect('130' in console.command('echo $?'), '^C')


def test_memory_driver(kind):
    """DRV: a ram disk with a mounted file system on it keeps its contents over crashes; /dev/zero goes on."""
    script = ('dd if=/dev/urandom of=/tmp/x bs=64k count=32 2>/dev/null; ramdisk 4096 /dev/ram1; '
              'dd if=/tmp/x of=/dev/ram1 bs=64k 2>/dev/null; '
              'for w in "" --boundary; do service fi memory crash --free $w; '
              'dd if=/dev/ram1 bs=64k count=32 2>/dev/null | cmp - /tmp/x && echo same; done; '
              'mke2fs /dev/ram1 >/dev/null 2>&1; mount -t ext2 /dev/ram1 /mnt && cp /tmp/x /mnt/ && sync; '
              'service fi memory crash --free; cmp /mnt/x /tmp/x && echo same; umount /mnt; '
              'dd if=/dev/zero of=/dev/null bs=1k count=9000 2>/dev/null & '
              'service fi memory crash --free --boundary; wait $! && echo zero; ramdisk 0 /dev/ram1')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect(result.out.count('same\n') == 3 and 'zero\n' in result.out, result)


def test_signals(kind):
    """SEF-07, PM-01 to PM-04: each reaches the handler once; programs' broadcasts and users' signals do not."""
    script = ('service up hello --args sef.debug=1; p=$(service status hello | awk "NR==2 {print \\$3}"); '
              'kill -HUP $p; kill -USR1 $p; trap "" TERM; kill -TERM -1; '
              'su -s /bin/sh nobody -c "kill -USR2 $p" || echo refused; cat /dev/hello; '
              'dmesg | grep "sef: signal"')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect('refused\n' in result.out and 'Hello, world!' in result.out, result)
    guest.expect(re.findall(r'sef: signal (\d+)', result.out) == ['1', '10'], result)
