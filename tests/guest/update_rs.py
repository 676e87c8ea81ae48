# SPDX-License-Identifier: BSD-2-Clause
"""RS's own live update: what it is asked meanwhile is not lost, a failure brings the old one back (RS-21, RS-22)."""

from axolib import guest, services

HELPERS = ('stat() { service stats $1 | awk -v w=$2 "\\$1 == w {print \\$2}"; }; '
           'pid() { service status $1 | awk "NR==2 {print \\$3}"; }; ')

# Until /tmp/stop is there: commands to RS, a driver that crashes, one that is read; `bad`: something went wrong.
LOAD = ('service up hello -p; '
        '(while [ ! -e /tmp/stop ]; do service status hello > /dev/null || echo bad status; '
        'service ping tty > /dev/null || echo bad ping; done > /tmp/asked 2>&1) & '
        '(i=0; while [ ! -e /tmp/stop ]; do i=$((i+1)); service fi rtc kill --free || echo bad crash; '
        'until [ $(stat rtc restarts) -ge $i ]; do sleep 0.05; done; done > /tmp/crashed 2>&1) & '
        '(while [ ! -e /tmp/stop ]; do cat /dev/hello > /dev/null || echo bad read; done > /tmp/read 2>&1) & ')
LOAD_CHECK = 'touch /tmp/stop; wait; cat /tmp/asked /tmp/crashed /tmp/read; rm /tmp/stop; '

HOW_IT_FAILS = (('sef.lu=fail', 38), ('sef.lu=crash', 5), ('sef.lu=timeout', 110), ('sef.lu=loop', 110))


def execute(script, kind, *arguments, limit=60):
    return guest.execute('{ ' + HELPERS + script + '; } 2>&1', *arguments, kind=kind, limit=limit)


def test_under_load(kind):
    """RS-22: twenty updates in a row under commands and crashes; the standby of the last one takes over."""
    result = execute(LOAD + 'i=0; while [ $i -lt 20 ]; do service update rs || echo failed $?; i=$((i+1)); done; ' +
                     LOAD_CHECK + 'stat rs updates; stat rs rollbacks; stat rs restarts; '
                     '[ $(stat rtc restarts) -ge 1 ]; echo $?; service fi rs kill --free; '
                     'service status hello > /dev/null; '
                     'stat rs restarts; '
                     'service update rs; service fi rs kill --free; stat rs restarts; stat rs updates; '
                     'service fi hello crash --free; cat /dev/hello > /dev/null; echo $?; '
                     'service status rs | grep -o "updates [0-9]*"', kind, limit=120)
    guest.expect_output(result, '20\n0\n0\n0\n1\n2\n21\n0\nupdates 21\n')


def test_roll_back(kind):
    """RS-17, RS-22: a new RS fails in its init in each way: the old one says so, and has missed nothing."""
    script = LOAD
    for how, _ in HOW_IT_FAILS * 2:
        script += f'service update rs --args {how} --maxtime 300 2> /dev/null; echo $?; '
    script += ('service update rs /run/axolotl/service/hello --maxtime 300 2> /dev/null; echo $?; service update rs; '
               'echo $?; ' + LOAD_CHECK + 'stat rs updates; stat rs rollbacks; stat rs restarts; '
               'service fi rs kill --free; service status hello > /dev/null; stat rs restarts')
    result = execute(script, kind, limit=90)
    expected = ''.join(f'{status}\n' for _, status in HOW_IT_FAILS * 2)
    guest.expect_output(result, expected + '5\n0\n1\n9\n0\n1\n')


def test_another_layout(kind):
    """RS-22: an RS whose structure has a member more takes over; one that does not know it is refused."""
    script = LOAD + ('service update rs /services/rs_new; echo $?; service fi rs kill --free; '
                     'service status rs > /dev/null; service rollback rs 2> /dev/null; echo $?; '
                     'service update rs; echo $?; ') + LOAD_CHECK
    script += ('stat rs updates; stat rs rollbacks; stat rs restarts; dmesg | grep -c "state comes from version 1"')
    result = execute(script, kind, '--overlay', services.overlay(kind))
    guest.expect_output(result, '0\n71\n0\n2\n1\n1\n1\n')
