# SPDX-License-Identifier: BSD-2-Clause
"""How the system comes up: the kernel's two parts, machines of several sizes, archives that are not whole."""

import os
import re
import select
import socket
import struct
import subprocess
import time

from axolib import guest, host

WINDOW = 0xffffffff80000000
PANIC_LIMIT_S = 30
PAGE = 4096
BOOTS = 4
MEBIBYTES = 128  # of the machines that do not come up
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

    def rearrange(self, gap, more):
        """The files in reverse order with `gap` empty pages before each, and `more` bytes of a file that nobody
        knows."""
        magic, version, count, _ = ARCHIVE_HEADER.unpack_from(self.data)
        files = []
        for index in range(count):
            name, offset, size = ARCHIVE_ENTRY.unpack_from(self.data, ARCHIVE_HEADER.size + index * ARCHIVE_ENTRY.size)
            files.append((name, bytes(self.data[offset:offset + size])))
        files = [(b'unknown', bytes(more)), *reversed(files)]
        body, table = bytearray(PAGE), bytearray()
        for name, content in files:
            body += bytes(gap * PAGE)
            table += ARCHIVE_ENTRY.pack(name, len(body), len(content))
            body += content + bytes(-len(content) % PAGE)
        header = ARCHIVE_HEADER.pack(magic, version, len(files), len(body)) + table
        body[:len(header)] = header
        self.data, self.count = body, len(files)

    def save(self, path):
        with open(path, 'wb') as file:
            file.write(self.data)

    def boot(self, kind, memory=None):
        """What the console shows until the machine halts; `memory`: a file for the contents of its memory then."""
        with guest.Scratch() as scratch:
            path, monitor = scratch.file('boot.img'), scratch.file('monitor')
            self.save(path)
            command = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-no-reboot', '-accel', 'tcg',
                       '-m', str(MEBIBYTES), '-display', 'none', '-serial', 'stdio',
                       '-monitor', f'unix:{monitor},server,nowait',
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
                if memory:
                    self.dump(monitor, memory)
                machine.kill()
                return shown.decode('latin-1')

    @staticmethod
    def dump(monitor, path):
        """Has QEMU write the machine's memory into a file."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PANIC_LIMIT_S)
            line.connect(monitor)
            said = b''
            for request in (b'', f'pmemsave 0 {MEBIBYTES << 20} "{path}"\n'.encode()):
                line.sendall(request)
                said = said[-1:]
                while not said.endswith(b'(qemu) '):
                    data = line.recv(4096)
                    guest.expect(data, 'QEMU has ended:', said)
                    said += data


def read_only_segments(kind):
    """(physical address, contents) of what the kernel never writes of itself, its high part."""
    path = built(kind, 'kernel', 'axolotl.elf')
    with open(path, 'rb') as file:
        elf = file.read()
    done = subprocess.run(['readelf', '-lW', path], text=True, capture_output=True, check=True)
    for line in done.stdout.splitlines():
        words = line.split()
        if words[:1] == ['LOAD'] and 'W' not in ''.join(words[6:-1]) and int(words[2], 16) >= WINDOW:
            offset, size = int(words[1], 16), int(words[4], 16)
            yield int(words[3], 16), elf[offset:offset + size]


def test_nothing_is_moved(kind):
    """Kernel and module are where the loader put them, to the last byte, when the first part has ended (BOOT-03)."""
    archive = Archive(kind)
    archive.data[0] ^= 1  # which the second part notices
    with guest.Scratch() as scratch:
        dump = scratch.file('memory')
        shown = archive.boot(kind, dump)
        guest.expect('archive' in shown and 'halted' in shown, shown[-1500:])
        with open(dump, 'rb') as file:
            memory = file.read()
    guest.expect(len(memory) == MEBIBYTES << 20, len(memory))
    at = memory.find(archive.data)
    guest.expect(at >= 0 and at % PAGE == 0, at)
    segments = list(read_only_segments(kind))
    guest.expect(sum(len(contents) for _, contents in segments) > 50000, segments)
    for address, contents in segments:
        guest.expect(memory[address:address + len(contents)] == contents, f'{address:#x}')


def test_other_modules(kind):
    """Files of other sizes, in another order, at other places: it boots; nothing of them is lost (BOOT-08, BOOT-17,
    NEG-22)."""
    script = ("awk '/total|boot/ {print}' /proc/axolotl/memory; "
              "awk '/^MemTotal|^MemFree/ {print $2 / 4}' /proc/meminfo; cat /bin/busybox | wc -c")
    plain = guest.execute(script, kind=kind)
    guest.expect(plain.status == 0 and len(plain.out.splitlines()) >= 4, plain)
    archive = Archive(kind)
    archive.rearrange(3, 40 << 20)
    with guest.Scratch() as scratch:
        path = scratch.file('boot.img')
        archive.save(path)
        other = guest.execute(script, '--qemu', f'-initrd {path}', kind=kind)
        archive.data[0] ^= 1  # it is this one that is booted
        archive.save(path)
        guest.expect(guest.execute('true', '--qemu', f'-initrd {path}', kind=kind).status == 3)
    guest.expect(len(other.out.splitlines()) == len(plain.out.splitlines()), plain, other)
    for before, after in zip(plain.out.splitlines(), other.out.splitlines()):
        before, after = int(before.split()[-1]), int(after.split()[-1])
        guest.expect(abs(before - after) < 500, 'pages', plain, other)  # far less than the 10,240 of the new file


def test_vm_runs_first(kind):
    """A VM that ends with its first instruction: nobody else has run (BOOT-09)."""
    archive = Archive(kind)
    _, offset, size = ARCHIVE_ENTRY.unpack_from(archive.data, archive.entry('vm'))
    program = archive.data[offset:offset + size]
    entry, headers = struct.unpack_from('<QQ', program, 24)
    for index in range(struct.unpack_from('<H', program, 56)[0]):
        kind_of, _, at, address, _, in_file = struct.unpack_from('<IIQQQQ', program, headers + 56 * index)
        if kind_of == 1 and address <= entry < address + in_file:
            where = offset + at + entry - address
            archive.data[where:where + 2] = b'\x0f\x0b'  # ud2
    shown = archive.boot(kind)
    events = shown[shown.index('last events:'):].splitlines()[1:]
    events = [line.split()[2] for line in events if len(line.split()) == 6]
    guest.expect('VM: exception 6' in shown and events and set(events) == {'vm'}, events, shown[-1500:])


def test_boots_again_and_again(kind):
    """RS and VM wait for each other in no order of events (BOOT-11): VM has its privileges by RS, and is pinged."""
    for number in range(BOOTS):
        result = guest.execute('service rights vm | head -1; service ping vm; service list | wc -l', kind=kind)
        guest.expect(result.status == 0 and len(result.out.splitlines()) >= 2, number, result)


def test_nothing_preallocated(kind):
    """A service that takes 100 MiB, for a ram disk, needs no declaration for that (BOOT-15, NEG-02)."""
    script = ('ramdisk 100M /dev/ram1 && head -c 50000000 /dev/zero | dd of=/dev/ram1 bs=64k 2>/dev/null; '
              'blockdev --getsize64 /dev/ram1; ramdisk 0 /dev/ram1 && echo freed')
    guest.expect_output(guest.execute(script, kind=kind, limit=90), '104857600\nfreed\n')


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
