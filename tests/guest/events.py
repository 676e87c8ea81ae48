# SPDX-License-Identifier: BSD-2-Clause
"""Events of processes for services that ask PM (PM-10; IPC-02 to IPC-04, NEG-20)."""

from axolib import guest, services

# A shell that counts its USR1, and one that is nobody's business.
HELPERS = ('up() { service up /services/watcher --conf /services/tests.conf --label watcher --args "$1"; }; '
           'events() { dmesg | grep -c "watcher: event $1"; }; '
           'await() { until dmesg | grep "watcher: $1" > /dev/null; do sleep 0.05; done; }; '
           'mkfifo /tmp/f; exec 3<>/tmp/f; touch /tmp/caught; '
           'sh -c "trap \\"echo caught >> /tmp/caught\\" USR1; echo up; while :; do read x <&3; done" > /tmp/p & p=$!; '
           'sh -c "trap : USR1; echo up; while :; do read x <&3; done" > /tmp/q & q=$!; '
           'until grep -q up /tmp/p && grep -q up /tmp/q; do sleep 0.05; done; ')


def run(script, kind):
    result = guest.execute('{ ' + HELPERS + script + '; } 2>&1', '--overlay', services.overlay(kind), kind=kind,
                           limit=120)
    guest.expect(result.status == 0, result)
    return result.out.split()


def test_watched(kind):
    """Each signal and the end of a process that was asked for, and nothing of another's 10,000 signals."""
    out = run('up $p; await "watch: 0"; kill -USR1 $p; await "event 1 of $p"; until grep -q caught /tmp/caught; do '
              'sleep 0.05; done; events; i=0; while [ $i -lt 10000 ]; do kill -USR1 $q; i=$((i + 1)); done; events; '
              'kill $p; wait $p 2>/dev/null; await "event 2 of $p"; events "2 of"; events "[12] of $q"; kill $q', kind)
    guest.expect(out[0] == out[1] and int(out[0]) >= 1 and out[2:4] == ['1', '0'], out)


def test_no_answer(kind):
    """A service that never answers holds a process up for two seconds, once; one that ends does not at all."""
    out = run('up "$p $q mute"; await "watch: 0"; kill -USR1 $p; until grep -q caught /tmp/caught; do sleep 0.1; done; '
              'dmesg | grep -c "does not answer events"; kill $q; wait $q 2>/dev/null; echo $?; events "2 of"; '
              'service down watcher; up "$p mute"; until [ $(dmesg | grep -c "watch: 0") = 3 ]; do sleep 0.1; done; '
              'kill $p; await "event 2 of $p"; service down watcher; wait $p 2>/dev/null; echo $?', kind)
    guest.expect(out == ['1', '143', '0', '143'], out)


def test_nobody(kind):
    """What is not a living program cannot be watched."""
    out = run('up "1 2 999"; await "watch: -3"; dmesg | grep "watcher: watch:" | sed "s/.*watch: //" | sort | '
              'uniq -c | tr -s " "; kill $p $q', kind)
    guest.expect(out == ['2', '-3', '1', '0'], out)
