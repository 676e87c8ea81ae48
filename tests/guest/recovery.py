# SPDX-License-Identifier: BSD-2-Clause
"""Services die under programs that do not notice (RS-08 to RS-14, SEF-02; the demonstrations of docs/recovery.md)."""

import re

from axolib import guest

# kills NAME N [KIND]: has it die for the N-th time, and waits until it is back.
HELPERS = ('stat() { service stats $1 | awk -v w=$2 "\\$1 == w {print \\$2}"; }; '
           'kills() { service fi $1 ${3:-kill} --free; i=0; until [ "$(stat $1 restarts)" -ge $2 ]; do sleep 0.05; '
           'i=$((i+1)); [ $i -gt 400 ] && { echo "$1 does not come back"; break; }; done; }; '
           'pid() { service status $1 | awk "NR==2 {print \\$3}"; }; ')


def test_every_service(kind):
    """RS-08, RS-10, RS-18: each service of the system dies three times; files, programs and /proc are as before."""
    script = HELPERS + (
        'sum() { cat /bin/busybox /root/f /tmp/t | md5sum; }; seq 1 30000 > /root/f; mount -t tmpfs none /mnt; '
        'cp /root/f /mnt/t; ln -sf /mnt/t /tmp/t; a=$(sum); '
        'for n in 1 2 3; do for s in $(service list | grep -v "^vm$"); do kills $s $n; '
        '[ "$(sum)" = "$a" ] || echo "$s: other sums"; (exit 5); [ $? = 5 ] || echo "$s: no exit status"; done; done; '
        'ps | grep -c init; wc -l < /proc/meminfo | grep -vc "^0$"; echo $$ | grep -c .; echo end')
    result = guest.execute(script, kind=kind, limit=240)
    guest.expect(re.fullmatch(r'[1-9]\n1\n1\nend\n', result.out) and result.status == 0, result)


def test_kill_by_pid(kind):
    """RS-07, NEG-19: SIGKILL by a program, too: the service keeps endpoint, process id and label."""
    script = HELPERS + ('for s in virtio_blk ds pm vfs rs; do a=$(service lookup $s)$(pid $s); kill -9 $(pid $s); '
                        'until [ "$(stat $s restarts)" = 1 ]; do sleep 0.05; done; '
                        '[ "$a" = "$(service lookup $s)$(pid $s)" ] || echo "$s: another one"; done; echo end')
    guest.expect_output(guest.execute(script, kind=kind, limit=90), 'end\n')


def test_copy_survives(kind):
    """RS-08: a checksummed copy while the disk's driver is killed eight times and the file system three times."""
    script = HELPERS + ('head -c 24000000 /dev/urandom > /root/src; sync; '
                        '(for i in 1 2 3; do cp /root/src /root/copy$i || echo failed; done; sync) & '
                        'for n in 1 2 3 4 5 6 7 8; do kills virtio_blk $n; '
                        '[ $n -le 3 ] && kills ext2.vda $n; sleep 0.1; done; '
                        'wait; sync; sha256sum /root/src /root/copy* | cut -d" " -f1 | sort -u | wc -l; '
                        'stat virtio_blk restarts; stat ext2.vda restarts')
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        result = guest.execute(script, '--root', disk, kind=kind, limit=200)
        guest.expect_output(result, '1\n8\n3\n')
        guest.fsck(disk)


def test_tty_under_the_typist(kind):
    """RS-08: the terminal's driver dies between and within lines that are typed; nothing typed is lost."""
    with guest.Scratch() as scratch:
        with guest.Console(kind, scratch.disk()) as console:
            console.prompt(40)
            console.command('(sleep 1; service fi tty kill --free) &')
            console.type("x='before the death ")
            console.wait_for('the death ')
            console.type("and after'\n")
            console.prompt()
            guest.expect('before the death and after' in console.command('sleep 2; echo "$x"'), 'the line')
            for _ in range(4):
                console.command('service fi tty kill --free')
                guest.expect('42' in console.command('echo $((6*7))'), 'echo after a restart')
            console.type("sh -c 'echo up; exec sleep 100'\n")
            console.wait_for('\nup\r?\n')
            console.type('\x03')
            console.prompt()
            guest.expect('130' in console.command('echo $?'), '^C')


def test_typing_goes_on(kind):
    """The terminal dies again and again while somebody types without a pause: each key is there once, in order; what a
    program writes meanwhile comes out once."""
    lines = [f'{number} ' + 'the quick brown fox jumps over the lazy dog'[number % 20:] for number in range(80)]
    with guest.Scratch() as scratch:
        with guest.Console(kind, scratch.disk()) as console:
            console.prompt(40)
            console.command('k() { service fi tty kill --free; sleep 0.2; }')
            console.command('(for i in $(seq 12); do k; done) &')
            console.type("sh -c 'echo up; cat > /root/typed; echo typed'\n")
            console.wait_for('\nup\r?\n')
            for line in lines:
                for key in line + '\n':
                    console.type(key)
                console.machine.step(0.02)
            console.type('\x04')
            echoed = console.wait_for('\ntyped\r?\n', 60)
            console.prompt()
            console.command('wait')
            shown = console.command('cat /root/typed; service stats tty | grep ^restarts')
            guest.expect(shown.splitlines()[:len(lines)] == lines, shown)
            guest.expect(echoed.replace('\r', '').split('\n')[:len(lines)] == lines, echoed)
            guest.expect('restarts 12' in re.sub(' +', ' ', shown), shown[-300:])


def test_pm_and_vfs_at_rest(kind):
    """RS-08, PM-05: PM and VFS die twenty times each under pipes, background jobs, open files and waiting parents."""
    script = HELPERS + ('(sleep 100 & echo $! > /tmp/p; wait) & exec 7< /bin/busybox; '
                        'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kills pm $n; kills vfs $n; '
                        'seq 1 200 | sort -rn | head -1 | grep -q 200 || echo "pipe $n"; done; '
                        'md5sum <&7 | cut -c1-32 > /tmp/a; md5sum < /bin/busybox | cut -c1-32 | cmp - /tmp/a && '
                        'echo same; '
                        'kill $(cat /tmp/p); wait; echo waited')
    guest.expect_output(guest.execute(script, kind=kind, limit=150), 'same\nwaited\n')


def test_replica(kind):
    """RS-09, RS-10: replicas of drivers, boot services and the core are swapped in, and made again."""
    script = HELPERS + ('for s in virtio_blk ds pm vfs ext2.vda; do service clone $s; sleep 0.3; '
                        'service status $s | grep -o "replica [a-z]*,"; kills $s 1; sleep 0.4; kills $s 2; '
                        'stat $s replicas_used; service unclone $s; done')
    result = guest.execute(script, kind=kind, limit=90)
    guest.expect_output(result, 'replica ready,\n2\n' * 5)
