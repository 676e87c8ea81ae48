# SPDX-License-Identifier: BSD-2-Clause
"""Where memory is: it adds up to the page, /proc agrees with itself, ram disks give theirs back."""

from axolib import guest

PARTS = 'kernel boot page_tables service program cached free reserve'.split()


def numbers(text):
    """The 'name value' lines of a text as a dictionary."""
    words = [line.split() for line in text.splitlines()]
    return {word[-2]: int(word[-1]) for word in words if len(word) > 1 and word[-1].isdigit()}


def test_adds_up(kind):
    """RAM = kernel + boot + page tables + services + programs + cache + free (BOOT-17, VM-40)."""
    script = ('show() { cat /proc/axolotl/memory; echo ==; }; show; dd if=/dev/zero of=/root/big bs=1M count=8; show; '
              'rm /root/big; service restart hello; show; cat /proc/axolotl/memory | (read x; cat) | wc; show')
    result = guest.execute(script + ' 2>&1', kind=kind)
    pieces = [piece for piece in result.out.split('==\n') if 'page_tables' in piece]
    guest.expect(len(pieces) == 4, result)
    for piece in pieces:
        memory = numbers(piece)
        guest.expect(sum(memory[part] for part in PARTS) == memory['total'], result)
        guest.expect(memory['boot'] < 2000 and memory['kernel'] < 1000, result)


def test_meminfo(kind):
    """/proc/meminfo and vmstat say the same as VM (VM-40)."""
    result = guest.execute('cat /proc/axolotl/memory; sed "s/://; s/ kB//" /proc/meminfo; cat /proc/vmstat', kind=kind)
    memory = numbers(result.out)
    guest.expect(memory['MemTotal'] == 4 * memory['total'], result)
    guest.expect(abs(memory['MemFree'] - 4 * memory['free']) < 400, result)
    guest.expect(memory['MemAvailable'] >= memory['MemFree'], result)
    for name in 'Buffers Cached Dirty Writeback Active Inactive Mapped Shmem PageTables AnonPages CommitLimit'.split():
        guest.expect(name in memory, result)
    guest.expect(memory['pgfault'] > 0 and memory['nr_free_pages'] > 0, result)


def test_process_memory(kind):
    """maps, smaps, smaps_rollup, statm, pagemap and status of a process agree (VM-40, VM-41)."""
    script = ('sleep 100 & cd /proc/$!; sleep 0.2; grep -c . maps; grep -c VmFlags smaps; '
              "awk '$1 == \"Rss:\" {r += $2} END {print r}' smaps; awk '$1 == \"Rss:\" {print $2}' smaps_rollup; "
              "awk '{print $2 * 4}' statm; awk '$1 == \"VmRSS:\" {print $2}' status; "
              "awk '{print ($12 + $10 > 0), $24 * 4}' stat; "
              'start=0x$(head -1 maps | cut -d- -f1); '
              'dd if=pagemap bs=8 skip=$((start / 4096)) count=1 2>/dev/null | od -An -tx1 | cut -c22-25; kill $!')
    result = guest.execute(script, kind=kind)
    words = result.out.split()
    guest.expect(len(words) == 9 and words[0] == words[1], result)
    rss = words[2]
    guest.expect(int(rss) > 0 and words[3:6] == [rss, rss, rss] and words[6:8] == ['1', rss], result)
    guest.expect(words[8] in ('a0', 'a1'), result)


def test_ram_disks(kind):
    """A ram disk is made, used, and its memory comes back; refusals (DRV-01, DRV-02, DRV-03)."""
    pages = "awk '$1 == \"free\" {print $2}' /proc/axolotl/memory"
    script = ('mkdir /tmp/m; blockdev --getsize64 /dev/ram1; dd if=/dev/ram1 bs=512 count=1 2>/dev/null | wc -c; '
              f'a=$({pages}); ramdisk 8M /dev/ram1; blockdev --getsize64 /dev/ram1; b=$({pages}); '
              'mke2fs /dev/ram1 > /dev/null 2>&1; mount -t ext2 /dev/ram1 /tmp/m; cp /bin/busybox /tmp/m; '
              'ramdisk 0 /dev/ram1 2>/dev/null; echo busy $?; umount /tmp/m; mount -t ext2 /dev/ram1 /tmp/m; '
              'cmp /bin/busybox /tmp/m/busybox && echo same; umount /tmp/m; '
              'ramdisk 8192 /dev/ram1; mount -t ext2 /dev/ram1 /tmp/m; cmp /bin/busybox /tmp/m/busybox && echo same; '
              'umount /tmp/m; ramdisk 9M /dev/ram1; dd if=/dev/ram1 bs=1M 2>/dev/null | tr -d "\\0" | wc -c; '
              f'ramdisk 0 /dev/ram1; c=$({pages}); '
              'ramdisk 9000M /dev/ram2 2>/dev/null; echo $?; ramdisk -1 /dev/ram2 2>/dev/null; echo $?; '
              'ramdisk 1 /dev/null 2>/dev/null; echo $?; ramdisk 5 /dev/imgrd; blockdev --getsize64 /dev/imgrd; '
              'echo $((a - b)) $((a - c))')
    result = guest.execute(script, kind=kind)
    lines = result.out.split('\n')
    guest.expect(lines[:11] == ['0', '0', '8388608', 'busy 1', 'same', 'same', '0', '1', '2', '1', '0'], result)
    taken, lost = (int(word) for word in lines[11].split())
    guest.expect(2048 <= taken < 2300 and lost < 400, result)


def test_boot_image_is_freed(kind):
    """The boot ramdisk's memory is free once the disk is the root (BOOT-08, DRV-03)."""
    result = guest.execute('dmesg | grep "boot ramdisk freed"; cat /proc/axolotl/memory', kind=kind)
    guest.expect('boot ramdisk freed' in result.out and numbers(result.out)['boot'] < 2000, result)
