# SPDX-License-Identifier: BSD-2-Clause
"""Services that fail under work: the file system killed while it writes, and a short campaign of faults."""

import hashlib
import re

from axolib import guest

PID = 'pid() { service status $1 | awk "NR==2 {print \\$3}"; }; '
SIZE = 100000000


def pattern_digest():
    line = b'0123456789abcdef\n'
    return hashlib.sha256((line * (SIZE // len(line) + 1))[:SIZE]).hexdigest()


def test_file_system_killed_while_writing(kind):
    """SIGKILL for ext2 in the middle of a write of 100 MB, thrice: the file is whole, the disk clean (RS-08, VM-35)."""
    script = PID + ('cd /root; : > big; (yes 0123456789abcdef | head -c 100000000 > big; echo "status $?") & '
                    'for size in 20 50 80; do while [ $(stat -c %s big) -lt ${size}000000 ]; do sleep 0.05; done; '
                    'kill -9 $(pid ext2.vda); done; wait; sha256sum big | cut -d" " -f1; '
                    'service status ext2.vda | awk "NR==2 {print \\$4, \\$5}"; '
                    'mkdir new; echo x > new/file; cat new/file')
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        result = guest.execute(script, '--root', disk, kind=kind, limit=150)
        guest.expect_output(result, f'status 0\n{pattern_digest()}\nrunning 3\nx\n')
        guest.fsck(disk)


def campaign(kind, arguments, limit=150):
    """Runs faultcampaign; the disk is clean afterwards."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        result = guest.execute(f'faultcampaign {arguments}', '--root', disk, kind=kind, limit=limit)
        guest.expect(result.status == 0 and re.search(r'^all +\d+', result.out, re.M), result)
        guest.fsck(disk)


def test_campaign(kind):
    """Crashes of drivers, file system, DS, SCHED and tty under checksummed work; docs/reliability.md (RS-08, RS-09)."""
    campaign(kind, '--seed 7 --count 40 --services virtio_blk,ext2,ds,sched,tty,memory')


def test_campaign_at_boundaries(kind):
    """VFS and PM crash between two requests: descriptors and processes are all there afterwards."""
    campaign(kind, '--seed 7 --count 10 --services vfs,pm --boundary')
