# SPDX-License-Identifier: BSD-2-Clause
"""PM and VFS crash at any store of a request, and are rolled back to its start (issue 4 item 7; RS-09)."""

import re

from axolib import guest


def test_campaign_within_requests(kind):
    """A wild pointer, an assertion, an exit in the middle of requests, under checksummed work: all go on."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        result = guest.execute('faultcampaign --seed 11 --count 6 --services pm,vfs --kinds pointer,assert,exit',
                               '--root', disk, kind=kind, limit=300)
        guest.expect(result.status == 0 and re.search(r'^all +6 +6', result.out, re.M), result)
        guest.fsck(disk)


def test_programs_of_a_loop(kind):
    """Each program of a loop is started, seen to its end and waited for, with PM crashing within its calls."""
    script = ('for i in $(seq 20); do [ $((i % 5)) = 0 ] && service fi pm crash --free --seed $((i * 37)); '
              'sh -c "exit $i"; echo $?; done')
    result = guest.execute(script, kind=kind, limit=60)
    guest.expect_output(result, ''.join(f'{i}\n' for i in range(1, 21)))
