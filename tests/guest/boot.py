# SPDX-License-Identifier: BSD-2-Clause
"""How the system comes up: the kernel's two parts, machines of several sizes, archives that are not whole."""

import os
import re
import select
import struct
import subprocess
import time

from axolib import guest, host

WINDOW = 0xffffffff80000000
PANIC_LIMIT_S = 30
ARCHIVE_HEADER = struct.Struct('<QIIQ40x')  # abi/bootarch.h
ARCHIVE_ENTRY = struct.Struct('<32sQQ')


def built(kind, *path):
    return os.path.join(host.ROOT, 'build', kind, *path)


def symbols(kind):
    done = subprocess.run(['nm', built(kind, 'kernel', 'axolotl.elf')], text=True, capture_output=True, check=True)
    for line in done.stdout.splitlines():
        address, kind_letter, name = line.split()
        if kind_letter.lower() != 'a':
            yield int(address, 16), name


def test_two_parts_of_the_kernel(kind):
    """Low symbols have the prefix, high ones do not; both parts are there, and nothing between (BOOT-01, BOOT-02)."""
    low = high = 0
    for address, name in symbols(kind):
        is_low = address < 1 << 30
        if name == 'unpaged_kernel_entry':
            continue  # the one gate: where the low part goes on in the high one
        guest.expect(is_low or address >= WINDOW, f'{name} is at {address:#x}')
        guest.expect(name.startswith('unpaged_') == is_low, f'{name} is at {address:#x}')
        low += is_low
        high += not is_low
    guest.expect(low > 10 and high > 100, low, high)


def test_low_part_is_freed(kind):
    """What VM counts as the kernel's is little more than its high part (BOOT-06)."""
    done = subprocess.run(['readelf', '-lW', built(kind, 'kernel', 'axolotl.elf')], text=True, capture_output=True,
                          check=True)
    loads = [line.split() for line in done.stdout.splitlines() if line.split()[:1] == ['LOAD']]
    pages = {True: 0, False: 0}
    for load in loads:
        pages[int(load[2], 16) >= WINDOW] += (int(load[5], 16) + 4095) // 4096
    result = guest.execute("awk '$1 == \"kernel\" {print $2}' /proc/axolotl/memory", kind=kind)
    guest.expect(pages[False] > 8 and 0 <= int(result.out) - pages[True] < pages[False], pages, result)


def test_boot_processes_are_ordinary(kind):
    """Each has regions, a heap and a stack of its own like any program (BOOT-10, BOOT-12)."""
    script = ('for i in pm vfs rs memory sched tty ds; do p=$(pidof $i); echo $i $(grep -c . /proc/$p/maps) '
              "$(awk '{print $2}' /proc/$p/statm) $(grep -c 'stack' /proc/$p/maps); done; dmesg | grep 'vm: loaded'; "
              'head -1 /proc/$(pidof ds)/maps')
    result = guest.execute(script, kind=kind)
    lines = result.out.splitlines()
    guest.expect(len(lines) == 9, result)
    for line in lines[:7]:
        _, regions, resident, stacks = line.split()
        guest.expect(int(regions) >= 4 and int(resident) > 4 and stacks == '1', result)
    loaded = re.search(r'loaded at (\w+)', lines[7]).group(1)
    guest.expect(not lines[8].startswith(loaded.zfill(8)), 'VM and DS are linked at the same address', result)


def test_no_segments(kind):
    """No local descriptor table is ever loaded (BOOT-16, NEG-01)."""
    done = subprocess.run(['objdump', '-d', built(kind, 'kernel', 'axolotl.elf')], text=True, capture_output=True,
                          check=True)
    guest.expect('lldt' not in done.stdout)
    guest.expect('iretq' in done.stdout)


def test_machines_of_all_sizes(kind):
    """What VM counts is what the machine has, be it small, above 4 GiB, or odd (BOOT-04, BOOT-17)."""
    for mebibytes in (40, 67, 512, 5000):
        result = guest.execute("awk '$2 == \"total\" {print $3 / 256}' /proc/axolotl/memory; dmesg | grep 'of memory'",
                               '--mem', str(mebibytes), kind=kind)
        counted = float(result.out.split()[0])
        # The machine's firmware keeps less than one MiB.
        guest.expect(mebibytes - 1 < counted <= mebibytes, mebibytes, result)


def test_early_messages(kind):
    """What the kernel said before there was a console can be read afterwards (BOOT-05, BOOT-18)."""
    result = guest.execute('dmesg', kind=kind)
    guest.expect(re.search(r'cpu: nx.*\n(.*\n)*.*command line: .*\n(.*\n)*.*vm: loaded at', result.out), result)


def test_layout_of_a_process(kind):
    """Stack at the very top, mappings below it, the break above the image; nothing in the kernel's half (BOOT-13,
    BOOT-14, NEG-03)."""
    result = guest.execute('for i in /proc/[0-9]*/maps; do cat $i; done 2>/dev/null; echo ==; cat /proc/self/maps',
                           kind=kind)
    everyone, own = result.out.split('==\n')
    ranges = [[int(part, 16) for part in line.split()[0].split('-')] for line in everyone.splitlines()]
    guest.expect(len(ranges) > 40 and all(end <= 0x7ffffffff000 for _, end in ranges), result)
    names = {line.split()[-1]: int(line.split('-')[0], 16) for line in own.splitlines()}
    guest.expect(names['[heap]'] < names['[stack]'] and names['[stack]'] > 0x7f0000000000, result)


class Archive:
    """The boot archive, to be changed."""

    def __init__(self, kind):
        with open(built(kind, 'tools', 'boot.img'), 'rb') as file:
            self.data = bytearray(file.read())
        self.count = ARCHIVE_HEADER.unpack_from(self.data)[2]

    def entry(self, name):
        """Where the named entry stands in the header."""
        for index in range(self.count):
            at = ARCHIVE_HEADER.size + index * ARCHIVE_ENTRY.size
            if ARCHIVE_ENTRY.unpack_from(self.data, at)[0].rstrip(b'\0').decode() == name:
                return at
        raise AssertionError(f'{name} is not in the archive')

    def boot(self, kind):
        """What the console shows until the machine halts."""
        with guest.Scratch() as scratch:
            path = scratch.file('boot.img')
            with open(path, 'wb') as file:
                file.write(self.data)
            command = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-no-reboot', '-accel', 'tcg',
                       '-m', '128', '-display', 'none', '-serial', 'stdio',
                       '-kernel', built(kind, 'kernel', 'axolotl.elf'), '-initrd', path]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
                shown = b''
                deadline = time.monotonic() + PANIC_LIMIT_S
                while b'halted' not in shown and time.monotonic() < deadline:
                    if select.select([machine.stdout], [], [], 1)[0]:
                        data = os.read(machine.stdout.fileno(), 4096)
                        shown += data
                        if not data:
                            break
                machine.kill()
                return shown.decode('latin-1')


def test_archive_not_whole(kind):
    """An archive without VM or RS, cut short, or of another kind ends in a clear panic (BOOT-07)."""
    def rename(archive):
        at = archive.entry('vm')
        archive.data[at:at + 2] = b'vx'

    def lose_rs(archive):
        at = archive.entry('rs')
        archive.data[at:at + 2] = b'rx'

    def cut(archive):
        del archive.data[100000:]

    def other(archive):
        archive.data[0] ^= 1

    def nothing(archive):
        del archive.data[16:]

    for damage in (rename, lose_rs, cut, other, nothing):
        archive = Archive(kind)
        damage(archive)
        shown = archive.boot(kind)
        guest.expect('panic' in shown and 'halted' in shown, damage.__name__, shown[-1500:])
