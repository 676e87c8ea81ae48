# SPDX-License-Identifier: BSD-2-Clause
"""Services from outside: the command, declarations and their refusals, crashes and what comes after (RS rows)."""

import re

from axolib import guest

# pid NAME: the process id of a service; state NAME: what status calls it.
HELPERS = ('pid() { service status $1 | awk "NR==2 {print \\$3}"; }; '
           'state() { service status $1 | awk "NR==2 {print \\$4, \\$5}"; }; ')


def test_up_down_restart(kind):
    """RS-02, RS-03: a driver comes, works, is started anew, and goes."""
    script = HELPERS + ('service up hello && cat /dev/hello; state hello; service up hello; echo $?; '
                        'service restart hello && state hello; cat /dev/hello; service down hello; echo $?; '
                        'service status hello; echo $?; cat /dev/hello; echo $?')
    result = guest.execute(script + ' 2>&1', kind=kind)
    lines = result.out.splitlines()
    guest.expect(lines[0].startswith('Hello') and lines[1] == 'running 0', result)
    guest.expect('there already' in lines[2] and lines[3] == '1' and lines[4] == 'running 1', result)
    guest.expect(lines[5].startswith('Hello') and lines[6] == '0', result)
    guest.expect('no such service' in lines[7] and lines[8] == '1' and lines[-1] == '1', result)


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
    for words in ('nothing: no such service program', 'nobody: there is no such service', 'vm: it is part of the core',
                  'usage: service', r'bad.conf:3: .*no call .fly', 'sh: not a static', 't: not a static',
                  'hello: only root may start', 'done'):
        guest.expect(re.search(words, result.out), f'{words}: not there', result)


def test_block_driver_crashes_under_load(kind):
    """RS-08: the disk's driver is killed three times under writes: nothing is lost, nobody notices."""
    script = HELPERS + ('head -c 20000000 /dev/urandom > /tmp/src; sync; '
                        '(for i in 1 2 3 4; do cp /tmp/src /tmp/copy$i; done; sync) & '
                        'for i in 1 2 3; do sleep 0.5; '
                        'while ! kill -9 $(pid virtio_blk) 2>/dev/null; do sleep 0.2; done; done; wait; sync; '
                        'sha256sum /tmp/src /tmp/copy* | cut -d" " -f1 | sort -u | wc -l; state virtio_blk; '
                        'ls /tmp | wc -l; rm /tmp/copy*')
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        result = guest.execute(script, '--root', disk, kind=kind, limit=150)
        guest.expect_output(result, '1\nrunning 3\n5\n')
        guest.fsck(disk)


def test_backoff_and_limit(kind):
    """RS-13: the first crash is repaired at once, later ones wait; five in a minute are the end; restart helps."""
    script = HELPERS + ('service up hello; for i in 1 2 3 4 5 6; do while [ $(pid hello) = - ]; do sleep 0.2; done; '
                        'kill -9 $(pid hello); done; state hello; cat /dev/hello; echo $?; '
                        'service restart hello; cat /dev/hello; service status hello | wc -l')
    result = guest.execute('{ ' + script + '; } 2>&1', kind=kind, limit=90)
    lines = result.out.splitlines()
    guest.expect(lines[0] == 'failed 5' and lines[2] == '1' and lines[3].startswith('Hello'), result)


def test_every_service_may_die(kind):
    """Whatever is not the core dies alone: programs get errors, and the system shuts down in order."""
    for name in ('ds', 'sched', 'rtc', 'pci', 'memory', 'proc'):
        script = HELPERS + (f's=$(service list | grep "^{name}"); kill -9 $(pid $s); sleep 0.3; ls / > /tmp/x; '
                            'echo alive; (i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo counted)')
        result = guest.execute(script, kind=kind)
        guest.expect('alive\ncounted\n' in result.out, name, result)


def test_core_death_is_a_panic(kind):
    """A dead server of the core ends the system with its name, at once."""
    for name in ('vm', 'pm', 'vfs'):
        result = guest.execute(HELPERS + f'kill -9 $(pid {name}); sleep 5; echo still there', kind=kind)
        guest.expect(result.status == 3 and 'still there' not in result.out, name, result)
