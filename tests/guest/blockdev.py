# SPDX-License-Identifier: BSD-2-Clause
"""Block devices and the file systems on them share one cache (VM-34, VM-36, VM-37)."""

import re

from axolib import guest

MAKE = ('ramdisk 4096 /dev/ram1; mke2fs -q -b %d /dev/ram1 > /dev/null; mkdir -p /tmp/m; '
        'mount -t ext2 /dev/ram1 /tmp/m; ')


def test_mounted(kind):
    """Dirty pages, mappings and metadata are the same seen by file and by device, and what the device shows at last is
    what lies on it (VM-33, VM-34)."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('blockmap')])
        script = (MAKE % 4096 + '/root/blockmap mounted /dev/ram1 /tmp/m/f; mount -o remount,ro /tmp/m; '
                  'a=$(md5sum < /dev/ram1); umount /tmp/m; [ "$(md5sum < /dev/ram1)" = "$a" ] && echo same; ' +
                  MAKE % 1024 + 'echo one-kib-words > /tmp/m/f; tr -d "\\0" < /dev/ram1 | grep -c one-kib-words; '
                  'echo other-words > /tmp/m/f; tr -d "\\0" < /dev/ram1 | grep -c other-words')
        guest.expect_output(guest.execute(script, '--root', disk, kind=kind), 'ok\nsame\n1\n1\n')


def test_alone(kind):
    """A device without a file system is read, written, mapped and flushed through the cache (VM-33, VM-35)."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('blockmap')])
        script = 'ramdisk 513 /dev/ram1; /root/blockmap alone /dev/ram1; ramdisk 0 /dev/ram1; echo $?'
        guest.expect_output(guest.execute(script, '--root', disk, kind=kind), 'ok\n0\n')


def test_exclusive(kind):
    """Nobody writes to a device under its file system; an open reader changes over with mount and umount; what was
    written before the mount is there after it (VM-36)."""
    script = ('exec 2> /dev/null; ' + MAKE % 4096 + '(echo x > /dev/ram1); echo $?; umount /tmp/m; '
              'exec 5<> /dev/ram1; mount -t ext2 /dev/ram1 /tmp/m; echo $?; exec 5<&-; '
              'exec 5< /dev/ram1; head -c 4096 <&5 | wc -c; mount -t ext2 /dev/ram1 /tmp/m; echo $?; '
              'head -c 4096 <&5 | wc -c; umount /tmp/m; echo $?; head -c 4096 <&5 | wc -c; '
              'mke2fs -q -b 1024 /dev/ram1 > /dev/null; mount -t ext2 /dev/ram1 /tmp/m; ls /tmp/m; exec 5<&-')
    result = guest.execute(script, kind=kind)
    guest.expect(result.out.split() == ['1', '255', '4096', '0', '4096', '0', '4096', 'lost+found'], result)


def test_recovery(kind):
    """The cache of a device outlives its process with what is dirty (VM-35, RS-09)."""
    script = ('ramdisk 2048 /dev/ram1; head -c 1000000 /dev/urandom > /tmp/x; exec 5<> /dev/ram1; cat /tmp/x >&5; '
              's=$(service list | grep ^block); service fi $s kill --free; head -c 1000000 /dev/ram1 | cmp - /tmp/x && '
              'echo same; cat /tmp/x >&5; exec 5<&-; sync; tail -c +1000001 /dev/ram1 | head -c 1000000 | cmp - /tmp/x '
              '&& echo again')
    guest.expect_output(guest.execute(script, kind=kind), 'same\nagain\n')


def test_full_and_read_only(kind):
    """A store to a hole that no block is left for is a SIGBUS and costs nothing else; a volume that is read-only is
    mapped for reading, and not for writing (VM-33)."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('mapfull')])
        script = ('ramdisk 1024 /dev/ram1; mke2fs -q -b 4096 /dev/ram1 > /dev/null; mkdir /tmp/m; '
                  'mount -t ext2 /dev/ram1 /tmp/m; head -c 400000 /dev/zero > /tmp/m/other; '
                  '/root/mapfull /tmp/m/f /tmp/m/other; a=$(md5sum < /tmp/m/f); umount /tmp/m; '
                  'mount -t ext2 -o ro /dev/ram1 /tmp/m; [ "$(md5sum < /tmp/m/f)" = "$a" ] && echo same; '
                  '/root/mapfull /tmp/m/f /tmp/m/other')
        result = guest.execute(script, '--root', disk, kind=kind)
        guest.expect(re.fullmatch(r'ok\nsame\nline \d+: .*Read-only file system\n', result.out), result)
