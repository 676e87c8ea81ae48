# SPDX-License-Identifier: BSD-2-Clause
"""Services from outside: command, declarations and refusals, the limit of crashes, heartbeats, scripts (RS rows)."""

import re

from axolib import guest, services

# pid NAME: the process id of a service; state NAME: what status calls it; stat NAME WORD: a number of stats.
HELPERS = ('pid() { service status $1 | awk "NR==2 {print \\$3}"; }; '
           'state() { service status $1 | awk "NR==2 {print \\$4, \\$5}"; }; '
           'stat() { service stats $1 | awk -v w=$2 "\\$1 == w {print \\$2}"; }; '
           'runs() { until [ "$(state $1 | cut -d" " -f1)" = running ]; do sleep 0.05; done; }; ')


def test_up_down_restart(kind):
    """RS-02, RS-03, RS-06: a driver comes, works, is started anew with what it keeps and as new, and goes."""
    script = HELPERS + ('service up hello && cat /dev/hello; state hello; service up hello; echo $?; '
                        'service restart hello && state hello; cat /dev/hello; service refresh hello; cat /dev/hello; '
                        'service down hello; echo $?; service status hello; echo $?; cat /dev/hello; echo $?')
    result = guest.execute(script + ' 2>&1', kind=kind)
    lines = result.out.splitlines()
    guest.expect(lines[0].startswith('Hello') and lines[1] == 'running 0', result)
    guest.expect('there already' in lines[2] and lines[3] == '16' and lines[4] == 'running 1', result)
    guest.expect(lines[5].endswith('read 2') and lines[6].endswith('read 1') and lines[7] == '0', result)
    guest.expect('no such service' in lines[8] and lines[9] == '3' and lines[-1] == '1', result)


def test_refusals(kind):
    """RS-01, RS-05: wrong names, wrong files, wrong declarations, the core, and who is not root."""
    script = ('service up nothing; service down nobody; service down vm; service up ../x; service frob; echo $?; '
              'cp /run/axolotl/service/hello /tmp/hello; chmod 755 /tmp/hello; '
              'printf "service hello {\\n uid 1;\\n kcall fly;\\n}\\n" > /tmp/bad.conf; '
              'service up /tmp/hello --conf /tmp/bad.conf; '
              'echo "service sh { }" > /tmp/sh.conf; service up /bin/sh --conf /tmp/sh.conf; '
              'echo "service true { class fs; }" > /tmp/t.conf; service up /tmp/t.conf --label t --conf /tmp/t.conf; '
              'su -s /bin/sh nobody -c "/run/axolotl/bin/service down hello; '
              '/run/axolotl/bin/service up /tmp/hello --conf /run/axolotl/etc/system.conf.d/hello.conf"; echo done')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    for words in ('nothing: no such service program', 'nobody: there is no such service', 'vm: .*part of the core',
                  'usage: service', r'bad.conf:3: .*no call .fly', 'sh: not a static', 't: not a static',
                  'hello: only root may', 'done'):
        guest.expect(re.search(words, result.out), f'{words}: not there', result)


def test_control(kind):
    """RS-01, RS-04, RS-06: `control` lets a user do what concerns this service; edit, clone, ping, exit statuses."""
    script = HELPERS + (
        'sed "s/uid 906;/uid 906; control 65534; period 250;/" '
        '/run/axolotl/etc/system.conf.d/hello.conf > /tmp/h.conf; chmod 755 /tmp; service up hello; '
        'n() { su -s /bin/sh nobody -c "/run/axolotl/bin/service $*" 2>&1; echo $?; }; '
        'n lookup hello | tail -1; service edit hello --conf /tmp/h.conf; n lookup hello | tail -1; n restart hello; '
        'n edit hello | tail -1; n down rtc | tail -1; n shutdown | tail -1; service ping hello | cut -c1-17; '
        'service unclone hello; echo $?; service clone hello; echo $?; service clone hello; echo $?; '
        'service rollback hello; echo $?; service status hello | tail -1 | grep -o "each.*"')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind)
    guest.expect_output(result, '1\n0\n0\n1\n1\n1\nhello answered in\nservice: hello: it has no replica\n2\n0\n'
                        'service: hello: it has a replica already\n17\nservice: hello: it has not been updated\n2\n'
                        'each 250 ms\n')


def test_backoff_and_limit(kind):
    """RS-13: the first crash is repaired at once, later ones wait; five in a row are the end; restart helps."""
    script = HELPERS + ('service up hello; for i in 1 2 3 4 5 6; do runs hello; kill -9 $(pid hello); done; '
                        'sleep 0.2; state hello; cat /dev/hello; echo $?; '
                        'service restart hello; cat /dev/hello; service status hello | wc -l')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=90)
    lines = result.out.splitlines()
    guest.expect(lines[0] == 'failed 5' and lines[2] == '1' and lines[3].startswith('Hello'), result)


def test_heartbeat(kind):
    """RS-14: a driver that runs for ever, and one that answers nobody, are replaced while a reader waits for them."""
    script = HELPERS + ('service up hello; cat /dev/hello; service fi hello loop; cat /dev/hello; stat hello restarts; '
                        'service fi hello silent; cat /dev/hello; stat hello restarts; dmesg | grep -c heartbeats')
    result = guest.execute(script, kind=kind, limit=60)
    guest.expect(result.out.split('\n')[-4:-1] == ['Hello, world! opened 3 read 3', '2', '2'], result)


def test_script(kind):
    """RS-15: the recovery script gets label, reason and incarnation, and decides."""
    script = HELPERS + (
        'sed "s/uid 906;/uid 906; script \\/tmp\\/again;/" /run/axolotl/etc/system.conf.d/hello.conf > /tmp/h.conf; '
        'echo "echo \\$* >> /tmp/log; sleep 0.2; /run/axolotl/bin/service restart hello" > /tmp/again; '
        'service up hello --conf /tmp/h.conf; cat /dev/hello; kill -9 $(pid hello); state hello; cat /dev/hello; '
        'echo "/run/axolotl/bin/service down hello; echo down >> /tmp/log" > /tmp/again; service fi hello crash; '
        'cat /dev/hello 2> /dev/null; until grep -q down /tmp/log; do sleep 0.1; done; cat /tmp/log; '
        'service list | grep -c hello')
    result = guest.execute(script, kind=kind)
    guest.expect(re.search(r'read 1\nscript 0\nHello.* read 2\n(Hello.*\n)?hello terminated 0\ndown\n0\n$', result.out),
                 result)


def test_vm_death_is_a_panic(kind):
    """RS-11: VM cannot be replaced: its death ends the system with its name, at once."""
    result = guest.execute(HELPERS + 'kill -9 $(pid vm); sleep 5; echo still there', kind=kind)
    guest.expect(result.status == 3 and 'still there' not in result.out, result)


def test_what_is_not_declared_is_refused(kind):
    """KRN-06, RS-05, NEG-11: ports, lines, memory, VM's operations, kernel calls, receivers not declared."""
    result = guest.execute('service up /services/refused --conf /services/tests.conf; echo status $?; '
                           'dmesg | grep refused', '--overlay', services.overlay(kind), kind=kind)
    guest.expect(result.out.startswith('status 0\n') and 'FAILED' not in result.out, result)


def test_no_file_is_needed(kind):
    """RS-12, RS-20: RS keeps the program: its file may go; the restart changes neither label nor device number."""
    script = HELPERS + ('cp /run/axolotl/service/hello /tmp/h; service up /tmp/h --label other --conf '
                        '/run/axolotl/etc/system.conf.d/hello.conf; a=$(service lookup other); rm /tmp/h; '
                        'kill -9 $(pid other); cat /dev/hello; [ $(service lookup other) = $a ] && echo same')
    guest.expect_output(guest.execute(script, kind=kind), 'Hello, world! opened 1 read 1\nsame\n')


def test_devices(kind):
    """DRV-08, RS-02: each entry of /dev is known, with the service that has it; a number has one service."""
    script = ('service up hello; service devices; echo status $?; '
              'service up /run/axolotl/service/hello --label other 2>&1; echo status $?; service lookup other; '
              'mknod /tmp/strange c 77 3; service devices /tmp | grep strange; service devices /tmp > /dev/null; '
              'echo status $?')
    result = guest.execute(script, kind=kind)
    guest.expect(re.search(r'/dev/hello +chr +253 +0 hello +', result.out) and 'unknown' not in
                 result.out.partition('status 0')[0] and result.out.count(' virtio_blk ') >= 1, result)
    guest.expect("hello.conf:2: 'chr 253' is a device of hello already\nstatus 98\n" in result.out, result)
    guest.expect(re.search(r'/tmp/strange +chr +77 +3 - +unknown\nstatus 19\n$', result.out), result)


# What declarations name and the run below does not come to, and when it is called.
RARELY = {
    'rs': 'memset abort renew',  # a program whose data end within a page; the end of the system; its own update
    'vm': 'clear kill endksig abort',  # a fork undone; no memory; a signal to RS; the end
    'pm': 'getksig endksig thread_exit trace force_store abort',  # crashes, threads, ptrace; the end
    'vfs': 'mprotect_for reply_copy vvircopy',  # a program with RELRO that is not relocated by itself
    'tty': 'vdevio map_phys',  # with a screen
    'memory': 'info',  # a ram disk gets a size
    'ext2.vda': 'cache_protect cache_forget',  # files mapped for writing
    'tmp': 'cache_get cache_forget cache_protect cache_list',
}


def test_declared_rights_are_used(kind):
    """RS-05, NEG-11, NEG-18: what a service may call it does call: nothing is declared for the case that."""
    script = HELPERS + (
        'service up hello; for s in $(service list | grep -v "^vm$"); do service fi $s kill --free; '
        'until [ "$(stat $s restarts)" -ge 1 ]; do sleep 0.05; done; done; service update tty ds rtc; '
        'service update hello; service update sched; kill -HUP $(pid ds); ps > /dev/null; '
        'cat /proc/meminfo /proc/self/maps > /dev/null; hwclock > /dev/null; date -s "2030-01-01 10:00" > /dev/null; '
        '(ulimit -v 3000000; true); seq 1 100000 > /root/x; sync; rm /root/x; cp /bin/busybox /tmp/busybox; '
        '/tmp/busybox ls / > /dev/null; mount -t tmpfs none /mnt; cp /bin/busybox /mnt; /mnt/busybox ls / > /dev/null; '
        'umount /mnt; for s in $(service list); do '
        'service rights $s | sed -n "s/.*never called so far: [a-z]* /$s /p"; done; echo end')
    result = guest.execute(script, kind=kind, limit=90)
    unused = {}
    guest.expect(result.out.endswith('\nend\n'), result)
    for line in result.out.splitlines()[:-1]:
        name, *calls = line.split()
        unused.setdefault(re.sub(r'^tmp\..*', 'tmp', name), set()).update(calls)
    for name, calls in unused.items():
        guest.expect(calls <= set(RARELY.get(name, '').split()), name, calls, result)


def test_edit(kind):
    """RS-04: a new declaration has its replica made, takes nothing that pci gave, and outlives the service."""
    conf = '/run/axolotl/etc/system.conf.d'
    script = HELPERS + (
        f'sed "s/uid 904;/uid 904; replica yes;/" {conf}/virtio_blk.conf > /tmp/v.conf; '
        'service edit virtio_blk --conf /tmp/v.conf; '
        'service status virtio_blk | grep -o "replica [a-z]*,"; kill -9 $(pid virtio_blk); '
        'seq 1 10000 > /root/x; sync; wc -l < /root/x; stat virtio_blk restarts; '
        f'service edit virtio_blk --conf {conf}/virtio_blk.conf; service status virtio_blk | grep -o "replica [a-z]*,"')
    result = guest.execute(script, kind=kind)
    guest.expect_output(result, 'replica ready,\n10000\n1\nreplica none,\n')


def test_broadcasts(kind):
    """PM-04: kill(-1) ends programs and no service; PM-02: a signal to one service reaches it by RS."""
    script = HELPERS + (
        'service up hello; for n in TERM HUP INT USR1 KILL; do sleep 1000 & p=$!; kill -$n -1; wait $p; echo $?; done; '
        'service status | awk "NR > 1 && (\\$4 != \\"running\\" || \\$5 != 0)"; kill -USR1 $(pid hello); '
        'kill -HUP $(pid vm); cat /dev/hello; kill -TERM $(pid hello); '
        'su -s /bin/sh nobody -c "kill -9 $(pid vm) $(pid ds)" 2>&1 | grep -c permitted; state ds')
    result = guest.execute(script, kind=kind)
    guest.expect_output(result, '143\n129\n130\n138\n137\nHello, world! opened 1 read 1\n2\nrunning 0\n')


def test_users(kind):
    """Drivers and file systems are users of their own, in RS's table and to the kernel; none is root."""
    script = HELPERS + (
        'service up hello; service status | awk "NR > 1 && \\$9 != \\"server\\" && \\$7 < 900"; '
        'for s in $(service list); do u=$(service status $s | awk "NR==2 {print \\$7}"); '
        'grep -q "^Uid:.$u.$u.$u.$u$" /proc/$(pid $s)/status || echo "$s: $(grep Uid /proc/$(pid $s)/status)"; done; '
        'grep Uid /proc/$(pid virtio_blk)/status')
    guest.expect_output(guest.execute(script, kind=kind), 'Uid:\t904\t904\t904\t904\n')


def test_signal_manager(kind):
    """KRN-14, KRN-18: one that is its own signal manager ends by RS all the same; a manager must be there."""
    script = HELPERS + (
        'conf() { sed "s/uid 906;/uid 906; signal_manager $1;/" /run/axolotl/etc/system.conf.d/hello.conf > /tmp/h; }; '
        'conf self; service up hello --conf /tmp/h; kill -9 $(pid hello); cat /dev/hello; stat hello restarts; '
        'for m in nobody hello; do conf $m; service edit hello --conf /tmp/h 2>&1; echo $?; done; '
        'conf pm; service edit hello --conf /tmp/h; service status hello | tail -1; conf rs; '
        'service edit hello --conf /tmp/h; service status hello | tail -1; '
        'conf pm; service edit hello --conf /tmp/h; a=$(service lookup hello); service restart hello; echo $?; '
        '[ $(service lookup hello) = $a ] && cat /dev/hello; service status hello | tail -1')
    guest.expect_output(guest.execute(script, kind=kind), (
        'Hello, world! opened 1 read 1\n1\n'
        "service: /tmp/h:2: 'signal_manager': no service nobody beside it\n3\n"
        "service: /tmp/h:2: 'signal_manager': no service hello beside it\n3\n"
        'signals go to pm: no recovery, no heartbeat\nheartbeat each 1000 ms\n'
        '0\nHello, world! opened 2 read 2\nheartbeat each 1000 ms\n'))
