# SPDX-License-Identifier: BSD-2-Clause
"""Live update: what fails is rolled back, the old version goes on; batches; no leaks (RS-16 to 22, SEF-02 to 06)."""

import re

from axolib import guest, services

HELPERS = 'stat() { service stats $1 | awk -v w=$2 "\\$1 == w {print \\$2}"; }; '

# Reads on and on; then: how many failed, and where the driver's count of reads did not go up by one.
HELLO_LOOP = ('(while [ ! -e /tmp/stop ]; do dd if=/dev/hello bs=200 count=1 2> /dev/null || echo failed; done '
              '>> /tmp/read) & ')
HELLO_CHECK = ('touch /tmp/stop; wait; grep -c failed /tmp/read; '
               'awk "{n=\\$NF; if (n + 0 != last + 1) print \\"after\\", last, \\$0; last=n}" /tmp/read | head -5; ')


def test_hello_goes_on(kind):
    """SEF-05, RS-16: reads in a loop while the driver is updated and crashes: none fails, none is counted twice."""
    script = HELPERS + ('dies() { service fi hello $1 --free; '
                        'until [ "$(stat hello restarts)" -ge $2 ]; do sleep 0.05; done; }; '
                        'service up hello -p; ' + HELLO_LOOP +
                        'for i in 1 2 3 4 5; do service update hello /run/axolotl/service/hello_new; '
                        'dies crash $((2*i-1)); service update hello /run/axolotl/service/hello; '
                        'dies assert $((2*i)); done; ' + HELLO_CHECK +
                        'stat hello updates; grep -c evening /tmp/read | grep -vc "^0"')
    result = guest.execute(script, kind=kind, limit=90)
    guest.expect_output(result, '0\n10\n1\n')


HOW_IT_FAILS = (('sef.lu=fail', 38), ('sef.lu=crash', 5), ('sef.lu=nonsense', 71), ('sef.lu=timeout', 110))


def test_roll_back(kind):
    """RS-17: each way for a new version to fail in its init: the old one goes on within 100 ms; no read fails."""
    script = HELPERS + 'service up hello; ' + HELLO_LOOP
    for how, _ in HOW_IT_FAILS:
        script += (f'a=${{EPOCHREALTIME/./}}; service update hello --args {how} --maxtime 100 2> /dev/null; r=$?; '
                   'b=${EPOCHREALTIME/./}; echo $r $((b-a)); ')
    script += HELLO_CHECK + ('dmesg | grep -o "goes on, after [0-9]*" | cut -d" " -f4; stat hello rollbacks; '
                             'stat hello restarts; service status hello | awk "NR==2 {print \\$4}"')
    result = guest.execute("exec bash << 'end'\n" + script + "\nend\n", kind=kind, limit=90)
    lines = result.out.splitlines()
    guest.expect(lines[4] == '0' and lines[-3:] == ['4', '0', 'running'] and len(lines) == 12, result)
    for (how, status), line in zip(HOW_IT_FAILS, lines):
        took_us = int(line.split()[1])
        # A time-out is waited for; the rest is making the new version and undoing it.
        guest.expect(line.split()[0] == str(status), how, line, result)
        guest.expect(took_us < (1000000 if 'timeout' in how else 500000), how, took_us)
    for (how, _), delay_us in zip(HOW_IT_FAILS, lines[5:9]):
        guest.expect(int(delay_us) < (250000 if 'timeout' in how else 100000), how, delay_us)


def test_not_ready(kind):
    """RS-16, SEF-05: a version that does not come to rest in time goes on; errors of its own choice are told."""
    script = HELPERS
    for how in ('sef.prepare=never', 'sef.prepare=fail', 'sef.valid=none', 'sef.prepare=timeout'):
        script += (f'service up hello --args {how}; service update hello --maxtime 300 2> /dev/null; echo $?; '
                   'cat /dev/hello | cut -c1-5; service down hello; ')
    script += ('service up hello --args sef.prepare=crash; service update hello 2> /dev/null; echo $?; '
               'cat /dev/hello | cut -c1-5; stat hello restarts; service update hello --state 9 2> /dev/null; echo $?')
    result = guest.execute(script, kind=kind, limit=60)
    lines = result.out.splitlines()
    guest.expect(lines[0] == '4' and lines[1] == 'Hello' and lines[3] == 'Hello' and lines[5] == 'Hello', result)
    guest.expect(lines[4] == '22' and lines[6] == '4' and lines[7] == 'Hello', result)
    guest.expect(lines[8:] == ['5', 'Hello', '1', '22'], result)


def test_batch(kind):
    """RS-22: several services as one: all are updated, or none."""
    script = HELPERS + ('n() { for s in tty ds rtc sched hello; do stat $s updates; done | tr "\\n" " "; }; '
                        'service up hello; '
                        'service update tty ds sched rtc hello /run/axolotl/service/hello_new; echo $? $(n); '
                        'cat /dev/hello; service update tty ds sched rtc hello --args sef.lu=fail 2> /dev/null; '
                        'echo $? $(n); cat /dev/hello; '
                        'service update ds vm 2> /dev/null; echo $? $(n); '
                        'service update ds /nowhere hello 2> /dev/null; echo $? $(n); '
                        'service rollback hello; cat /dev/hello')
    result = guest.execute(script, kind=kind)
    guest.expect_output(result, '0 1 1 1 1 1\nGood evening, world! opened 1 read 1\n38 1 1 1 1 1\n'
                        'Good evening, world! opened 2 read 2\n1 1 1 1 1 1\n2 1 1 1 1 1\n'
                        'Hello, world! opened 3 read 3\n')


def test_system_is_updated(kind):
    """RS-16: boot services and drivers are updated while programs use them; the rest says that it cannot."""
    script = HELPERS + ('for s in $(service list); do service update $s 2> /dev/null; echo "$s $?"; done; '
                        'seq 1 1000 > /root/x; sync; md5sum < /root/x; seq 1 1000 | md5sum; '
                        'ls /proc | wc -l | grep -vc "^0$"')
    result = guest.execute(script, kind=kind)
    for name in ('rs', 'ds', 'sched', 'tty', 'pci', 'virtio_blk', 'rtc'):
        guest.expect(f'\n{name} 0\n' in '\n' + result.out, name, result)
    guest.expect('\nvm 1\n' in '\n' + result.out, result)
    sums = re.findall(r'[0-9a-f]{32}', result.out)
    guest.expect(len(sums) == 2 and sums[0] == sums[1] and result.out.endswith('\n1\n'), result)


def test_a_thousand_updates(kind):
    """RS-16: to the same version a thousand times: no page, no process slot and no privilege is lost."""
    script = HELPERS + ('u() { i=0; while [ $i -lt $1 ]; do service update hello || echo failed; i=$((i+1)); done; }; '
                        'free() { awk "/^MemFree/ {f=\\$2} /^Cached/ {c=\\$2} /^Buffers/ {b=\\$2} '
                        'END {print f+b+c}" /proc/meminfo; }; service up hello; u 100; a=$(free); u 900; b=$(free); '
                        'stat hello updates; cat /dev/hello; echo $((a - b < 300)) $a $b')
    result = guest.execute(script, kind=kind, limit=300)
    guest.expect(result.out.startswith('1000\nHello, world! opened 1 read 1\n1 '), result)


# Programs that PM keeps busy until /tmp/stop is there; `bad`: something is not as it should be.
PROCESSES = ("cat > /tmp/catch << 'end'\ntrap 'echo caught' USR1\nwhile [ ! -e /tmp/stop ]; do sleep 0.05; done\nend\n"
             'run() { while [ ! -e /tmp/stop ]; do "$@" || echo bad "$@"; done >> /tmp/said 2>&1 & }; '
             'seven() { sh -c "exit 7"; [ $? = 7 ]; }; late() { timeout 0.05 sleep 5; [ $? = 143 -o $? = 124 ]; }; '
             'piped() { true | cat; }; run seven; run late; run piped; '
             'sh /tmp/catch > /tmp/caught & t=$!; sleep 2 & slept=$!; ')
PROCESSES_CHECK = ('kill -USR1 $t; sleep 0.2; touch /tmp/stop; wait $slept; echo slept $?; wait; '
                   'grep -v "^Terminated$" /tmp/said; cat /tmp/caught; rm /tmp/stop; ')


def test_process_manager(kind):
    """RS-16, PM: a hundred updates of PM under forks, waits, signals, sleeps and timers: no program notices."""
    script = HELPERS + PROCESSES + 'i=0; while [ $i -lt 100 ]; do service update pm || echo failed; i=$((i+1)); done; '
    script += PROCESSES_CHECK + 'stat pm updates; stat pm restarts'
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=180)
    guest.expect_output(result, 'slept 0\ncaught\n100\n0\n')


def test_process_manager_of_another_layout(kind):
    """RS-16, RS-17: a PM whose processes have a member more takes over and recovers; none knows its state's version."""
    script = HELPERS + PROCESSES + ('service update pm /services/pm_careless 2> /dev/null; echo $?; '
                                    'service update pm /services/pm_new; echo $?; '
                                    'service fi pm crash --free --boundary; service rollback pm 2> /dev/null; '
                                    'echo $?; service update pm; echo $?; ') + PROCESSES_CHECK
    script += 'stat pm updates; stat pm rollbacks; dmesg | grep -c "processes come from version 1"'
    result = guest.execute('{ ' + script + '; } 2>&1', '--overlay', services.overlay(kind), kind=kind, limit=60)
    guest.expect_output(result, '71\n0\n71\n0\nslept 0\ncaught\n2\n2\n1\n')


def test_process_manager_rolls_back(kind):
    """RS-17: a new PM fails in its init in each way: the old one has its memory as it was, and has missed nothing."""
    script = HELPERS + PROCESSES
    for how, _ in HOW_IT_FAILS * 2:
        script += f'service update pm --args {how} --maxtime 100 2> /dev/null; echo $?; '
    script += 'service update pm; echo $?; ' + PROCESSES_CHECK + 'stat pm updates; stat pm rollbacks; stat pm restarts'
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=90)
    expected = ''.join(f'{status}\n' for _, status in HOW_IT_FAILS * 2)
    guest.expect_output(result, expected + '0\nslept 0\ncaught\n1\n8\n0\n')


def test_memory_and_files(kind):
    """RS-16, RS-17: ram disks and what tmp holds are there after updates of both, and after those that fail."""
    script = HELPERS + ('free() { awk "/^MemFree/ {f=\\$2} /^Cached/ {c=\\$2} /^Buffers/ {b=\\$2} '
                        'END {print f+b+c}" /proc/meminfo; }; '
                        'same() { dd if=/dev/ram1 bs=64k count=32 2>/dev/null | cmp - /root/x && cmp /mnt/x /root/x && '
                        'cmp /mnt/d/hole /root/hole && echo same; }; '
                        'dd if=/dev/urandom of=/root/x bs=64k count=32 2>/dev/null; ramdisk 4096 /dev/ram1; '
                        'dd if=/root/x of=/dev/ram1 bs=64k 2>/dev/null; mount -t tmpfs none /mnt; cp /root/x /mnt/; '
                        'mkdir /mnt/d; for f in /root/hole /mnt/d/hole; do '
                        'echo end | dd of=$f bs=1k seek=500 2>/dev/null; done; '
                        't=$(service list | grep "^tmp" | tail -n 1); exec 5< /mnt/x; '
                        '(i=0; while [ ! -e /root/stop ]; do i=$((i+1)); echo $i > /mnt/n; [ "$(cat /mnt/n)" = $i ] || '
                        'echo bad; head -c 3000 /dev/zero | wc -c | grep -vx 3000; done > /root/said 2>&1) & '
                        'service update memory; service update $t; same; a=$(free); '
                        'i=0; while [ $i -lt 20 ]; do service update memory; service update $t; i=$((i+1)); done; '
                        'same; for s in memory $t; do for how in fail crash nonsense; do '
                        'service update $s --args sef.lu=$how 2> /dev/null && echo bad; done; done; same; '
                        'service fi $t crash --free; service fi memory crash --free; same; '
                        'service update memory $t; same; b=$(free); '
                        'head -c 2097152 <&5 | cmp - /root/x && echo open; touch /root/stop; wait; cat /root/said; '
                        'rm /mnt/x /mnt/n; exec 5<&-; umount /mnt; echo $((a - b < 1000)) $a $b; '
                        'stat memory updates; stat memory rollbacks')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=90)
    guest.expect(re.fullmatch(r'(same\n){5}open\n1 \d+ \d+\n22\n3\n', result.out), result)
