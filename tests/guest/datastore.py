# SPDX-License-Identifier: BSD-2-Clause
"""The data store, from services: tests/services/ds (TST-04, DS-01 to DS-13), also over its own crash."""

from axolib import guest, services

UP = ('up() { service up /services/dstest --conf /services/tests.conf --label $1 --args "$2"; }; '
      'try() { up dstest $1 && echo passed $1 && service down dstest; }; ')


def run(script, kind):
    return guest.execute('{ ' + UP + script + '; dmesg | grep -E "ds(test|other|subs):"; } 2>&1',
                         '--overlay', services.overlay(kind), kind=kind)


def test_entries(kind):
    """DS-01 to DS-13: each test is a service whose init runs it; RS tells whether it failed."""
    result = run('up dsother publish; for t in values private ranges watch info; do try $t; done', kind)
    for name in ('values', 'private', 'ranges', 'watch', 'info'):
        guest.expect(f'passed {name}\n' in result.out, name, result)
    guest.expect('FAILED' not in result.out, result)


def test_subscriber(kind):
    """DS-11: a subscriber hears of each change once; of entries of a service that went as well (DS-04)."""
    result = run('up dssubs subscribe; up dsother publish; try kept; try kept', kind)
    guest.expect(result.out.count('changed: sub.n') == 2 and result.out.count('passed kept') == 2, result)


def test_own_crash(kind):
    """RS-08: DS is killed: entries, labels, private flags, mapped ranges and subscriptions are there."""
    result = run('up dssubs subscribe; up dsother publish; '
                 'kill -9 $(service status ds | awk "NR==2 {print \\$3}"); try kept; service status ds', kind)
    guest.expect('passed kept\n' in result.out and result.out.count('changed: sub.n') == 1, result)
    guest.expect('running' in result.out, result)
