# SPDX-License-Identifier: BSD-2-Clause
"""Grants between services: tests/services/ grantor and requestor (GRT-01 to GRT-12, TST-01 to TST-03, TST-05)."""

import re

from axolib import guest, services

START = ('up() { service up /services/$1 --conf /services/tests.conf --label $2 --args "$3"; }; '
         'up grantor grantor x && up grantor passer x || exit 1; ')


def run(tests, *arguments, kind, limit=60):
    script = START + (f'for t in {tests}; do up requestor requestor $t && echo passed $t && service down requestor; '
                      'done; dmesg | grep requestor:; service down passer; service down grantor; '
                      'service list | grep -c requestor')
    return guest.execute(script, '--overlay', services.overlay(kind), *arguments, kind=kind, limit=limit)


def test_safecopy_and_safemap(kind):
    """TST-01, TST-03 as the system is; each test's init runs it and RS tells whether it failed."""
    result = run('safecopy safemap', kind=kind)
    guest.expect('passed safecopy\npassed safemap\n' in result.out and 'FAILED' not in result.out, result)


def test_sharing_always_and_never(kind):
    """GRT-07: the same with every copy that can share pages doing so, and with none."""
    for option in ('share=always', 'share=never'):
        result = run('safecopy safemap', '--append', option, kind=kind)
        guest.expect('passed safecopy\npassed safemap\n' in result.out and 'FAILED' not in result.out, option, result)


def test_safeperf(kind):
    """TST-02: runs to its end and gives a line for each size, from 4 bytes to 4 MiB."""
    result = run('safeperf', kind=kind)
    lines = re.findall(r'requestor: +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$', result.out, re.M)
    guest.expect([int(line[0]) for line in lines] == [4 ** n for n in range(1, 12)], result)
