# SPDX-License-Identifier: BSD-2-Clause
"""Memory that is short: files larger than it, programs beside it, and nothing lost in the end (VM rows)."""

from axolib import guest

FREE = ('pages() { sync; awk \'$1 == "free" || $1 == "cached" {n += $2} END {print n}\' /proc/axolotl/memory; }; ')


def test_sparse_file(kind):
    """A hole of 2 GiB mapped shared in 128 MiB (VM-33, VM-35)."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('pressure')])
        result = guest.execute('cd /root; ./pressure sparse hole 2000; rm hole', '--root', disk, '--mem', '128',
                               kind=kind, limit=120)
        guest.expect_output(result, 'sparse 2000 MiB, ok\n')
        guest.fsck(disk)


def test_mapped_file_larger_than_memory(kind):
    """80 MiB written through a shared mapping in 48 MiB: dirty pages go to the disk as others come."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('pressure')])
        script = './pressure fill big 80; ./pressure fill small 12; ./pressure private small; rm big small'
        result = guest.execute('cd /root; ' + script, '--root', disk, '--mem', '48', kind=kind, limit=200)
        guest.expect_output(result, 'filled 80 MiB, ok\nfilled 12 MiB, ok\nprivate 3072 pages, ok\n')
        guest.fsck(disk)


def test_exec_under_pressure(kind):
    """Programs start while most of the memory is in use, their text evicted again and again (EXE-05, VM-13)."""
    with guest.Scratch() as scratch:
        disk = scratch.disk([scratch.program('pressure')])
        command = ('i=0; while [ $i -lt 60 ]; do i=$((i+1)); [ "$(/bin/busybox echo $i)" = $i ] || exit 1; '
                   'cat /bin/bash /bin/busybox | md5sum > /tmp/x; done; grep -c . /tmp/x')
        result = guest.execute(f"cd /root; ./pressure hold 24 sh -c '{command}'", '--root', disk, '--mem', '48',
                               kind=kind, limit=120)
        guest.expect_output(result, '1\nheld 24 MiB, ok\n')


def test_largest_is_killed(kind):
    """Memory runs out: the largest program is killed, the one beside it and all services go on, the log tells."""
    with guest.Scratch() as scratch:
        command = './pressure hold 40 true; echo status $?'
        script = (f"cd /root; a=$(pidof pm vfs rs ds memory); ./pressure hold 6 sh -c '{command}' 2> /dev/null; "
                  'dmesg | grep -c "out of memory: killing"; [ "$a" = "$(pidof pm vfs rs ds memory)" ] && echo same')
        result = guest.execute(script, '--overlay', scratch.program('pressure'), '--mem', '48', kind=kind)
        guest.expect(result.status == 0 and result.out.endswith('status 137\nheld 6 MiB, ok\n1\nsame\n'), result)


def test_fragmented(kind):
    """Half of memory free in single pages: nine tenths of that can be mapped and used (VM-09)."""
    with guest.Scratch() as scratch:
        result = guest.execute('/root/pressure fragment 90', '--overlay', scratch.program('pressure'), '--mem', '64',
                               kind=kind)
        guest.expect_output(result, 'fragment, ok\n')


def test_nothing_is_lost(kind):
    """After a hundred rounds of everything as many pages are free, or cached copies, as before (VM-11, VM-24)."""
    with guest.Scratch() as scratch:
        script = FREE + ('cd /root; round() { ./pressure rounds 1; echo x > f; cat f | cat > g; (exec 3< f; : | cat); '
                         'mkdir -p a/b; ln -s g a/l; mv g a; rm -r a f; sh -c "sleep 0 & wait"; '
                         'service up hello; cat /dev/hello; service restart hello; service down hello; '
                         'dd if=/dev/zero of=/tmp/z bs=16k count=4; rm /tmp/z; ls /proc/1 /dev; }; '
                         'rounds() { i=0; while [ $i -lt $1 ]; do i=$((i+1)); round; done > /dev/null 2>&1; }; '
                         'rounds 10; a=$(pages); rounds 50; b=$(pages); rounds 50; c=$(pages); echo $a $b $c')
        result = guest.execute(script, '--overlay', scratch.program('pressure'), kind=kind, limit=200)
        counts = [int(word) for word in result.out.split()]
        # Each of the two may find a server's heap somewhat larger for once, but not in proportion to the rounds.
        guest.expect(len(counts) == 3 and counts[0] - counts[1] < 60 and counts[1] - counts[2] < 25, result)


def test_copies_as_the_process_dies(kind):
    """The kernel waits for VM in the middle of a copy, and the process ends by a signal, by exec or exit of another
    thread: everybody goes on, and in the end as many pages are free as before (KRN-22, VM-24, VM-26)."""
    with guest.Scratch() as scratch:
        script = FREE + ('cd /root; ./copies 5; a=$(pages); ./copies 20; b=$(pages); ./copies 20; c=$(pages); '
                         'echo $a $b $c')
        result = guest.execute(script, '--overlay', scratch.program('copies'), kind=kind, limit=120)
        words = result.out.split()
        guest.expect(result.status == 0 and words[:3] == ['ok'] * 3 and len(words) == 6, result)
        counts = [int(word) for word in words[3:]]
        guest.expect(counts[0] - counts[1] < 60 and counts[1] - counts[2] < 25, result)


def test_checked_after_each_request(kind):
    """VM walks everything it keeps after every request, under a load of all kinds, and finds no fault (VM-15)."""
    script = ('cp /bin/busybox /root/b; for i in 1 2 3; do seq 1 3000 | sort -rn | gzip | zcat | md5sum; (:); done; '
              'dd if=/dev/zero of=/root/big bs=1M count=12 2>/dev/null; cmp /bin/busybox /root/b && echo same; '
              'rm /root/big; service restart ext2.vda; kill -9 $(pidof vfs); cmp /bin/busybox /root/b && echo same')
    result = guest.execute(script, '--mem', '40', '--append', 'vmcheck', kind=kind, limit=150)
    guest.expect(result.status == 0 and result.out.count('same\n') == 2, result)
