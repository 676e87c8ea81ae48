# SPDX-License-Identifier: BSD-2-Clause
"""Hostile services: they get nothing that they were not given, and stop nobody (KRN-03, KRN-05, NEG-11)."""

import re

from axolib import guest, services

MESSAGES = 100000
TARGETS = ('pm', 'vfs', 'vm', 'ds', 'sched', 'rs', 'tty', 'memory', 'pci', 'ext2.vda', 'tmp.5', 'proc.6', 'virtio_blk',
           'rtc')
# up LABEL ARGUMENTS: starts it. await PATTERN: until the diagnostics have a line like that.
HELPERS = ('up() { service up /services/hostile --conf /services/tests.conf --label $1 --args "$2"; }; '
           'await() { while ! dmesg | grep "$1"; do sleep 0.2; done; }; '
           'work() { rm -f /tmp/w*; head -c 300000 /dev/urandom > /tmp/w1 && '
           'cat /tmp/w1 /tmp/w1 | tail -c 300000 > /tmp/w2 && cmp /tmp/w1 /tmp/w2 && ls / | wc -l > /tmp/w3 && '
           'echo works; }; ')
# What of the services that the system is made of is not as it was: nothing.
CHANGED = ('service status | awk "NR > 1 && (\\$4 != \\"running\\" || \\$5 != 0) {print \\"changed:\\", \\$0}"; ')


def run(script, kind, limit=120):
    result = guest.execute('{ ' + HELPERS + script + CHANGED + '} 2>&1', '--overlay', services.overlay(kind), kind=kind,
                           limit=limit)
    guest.expect(result.status == 0 and 'changed:' not in result.out, result)
    return result


def test_no_rights(kind):
    """Each kernel call, message, Linux call and guessed grant of a service without rights is refused."""
    result = run('up norights rights; echo status $?; dmesg | grep norights; work; ', kind)
    guest.expect('status 0\n' in result.out and 'FAILED' not in result.out and 'works\n' in result.out, result)


def test_vfs_only(kind):
    """A service that may talk to VFS alone talks to it 100,000 times, at random."""
    result = run(f'up vfsonly "fuzz vfs {MESSAGES} 11"; await "fuzz vfs: "; work; service down vfsonly; ', kind)
    guest.expect('fuzz vfs: done' in result.out and 'works\n' in result.out, result)


def fuzz(targets, kind):
    script = ''.join(f'up fuzzer "fuzz {name} {MESSAGES} {seed}"; await "fuzz {name}: "; work; service down fuzzer; '
                     for seed, name in enumerate(targets))
    result = run(script, kind, limit=200)
    for name in targets:
        guest.expect(re.search(rf'fuzz {re.escape(name)}: done', result.out), name, result)
    guest.expect(result.out.count('works\n') == len(targets), result)


def test_random_messages_to_servers(kind):
    """100,000 random messages to each server: none dies, the system works on."""
    fuzz(TARGETS[:7], kind)


def test_random_messages_to_drivers(kind):
    """The same for drivers and file systems."""
    fuzz(TARGETS[7:], kind)


def test_flood(kind):
    """Full asynchronous tables and notifications for everybody, over and over: programs go on."""
    result = run('up fuzzer "flood 200"; work; await "flood: "; work; service down fuzzer; ', kind)
    guest.expect(result.out.count('works\n') == 2, result)


def test_never_answers(kind):
    """A driver that answers nobody: who opens it can be killed, and everybody else does not notice."""
    result = run('up silent silent; mknod /dev/silent c 251 0; cat /dev/silent & p=$!; sleep 0.3; work; kill $p; '
                 'wait $p; echo status $?; timeout 1 cat /dev/silent; echo status $?; service down silent; '
                 'cat /dev/silent; echo status $?; ', kind)
    seen = re.findall(r'works|status \d+', result.out)
    guest.expect(seen == ['works', 'status 143', 'status 143', 'status 1'], result)
