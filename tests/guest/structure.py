# SPDX-License-Identifier: BSD-2-Clause
"""What must not be there: seen in the sources, the declarations and the symbols of what was built."""

import glob
import os
import re
import subprocess

from axolib import guest, host

SERVICES = ('servers', 'fs', 'drivers')


def text(*path):
    with open(os.path.join(host.ROOT, *path), encoding='utf-8') as file:
        return file.read()


def sources(*folders):
    """(path, text) of the C files below the folders, their tests apart."""
    for folder in folders:
        for where, _, names in os.walk(os.path.join(host.ROOT, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(where, name), host.ROOT)
                if name.endswith(('.c', '.h')) and '/test/' not in path:
                    yield path, text(path)


def absent(pattern, *folders, but=()):
    for path, code in sources(*folders):
        found = re.search(pattern, code)
        guest.expect(not found or path in but, f'{path}: {found and found.group(0)!r}')


def declarations():
    """(service, statement, words) of all declarations."""
    for path in glob.glob(os.path.join(host.ROOT, 'etc', 'system.conf.d', '*.conf')):
        code = re.sub(r'#.*', '', text(path))
        for name, body in re.findall(r'service\s+(\S+)\s*\{([^}]*)\}', code):
            for statement in body.split(';'):
                words = statement.split()
                if words:
                    yield name, words[0], words[1:]


def test_services_receive_through_sef(_kind):
    """Nobody but SEF receives messages of a service, so that pings, signals and updates reach it (SEF-10)."""
    absent(r'\bipc_receive\s*\(', *SERVICES)


def test_no_rights_too_many(_kind):
    """Basic calls are in no declaration; copies without a grant in three (NEG-11, NEG-18, GRT-13)."""
    numbered = text('abi', 'kcall.h')
    basic = set(re.findall(r'1ull << KCALL_(\w+)', numbered[numbered.index('#define KCALL_BASIC'):][:1500]))
    guest.expect({'exit', 'safecopyfrom', 'setgrant', 'getinfo'} <= basic, basic)
    copying = set()
    for name, statement, words in declarations():
        if statement == 'kcall':
            guest.expect(not basic & set(words), f'{name} lists {basic & set(words)}')
            if {'vircopy', 'vvircopy', 'physcopy', 'memset', 'all'} & set(words):
                copying.add(name)
        if statement == 'uid':
            is_part = os.path.isdir(os.path.join(host.ROOT, 'servers', name))
            guest.expect(words != ['0'] or is_part, f'{name} runs as root')
    guest.expect(copying <= {'pm', 'rs', 'vfs'}, copying)


def test_no_exec_but_one(_kind):
    """ELF is lib/exec's; VM loads nothing after boot, PM nothing at all (EXE-01, EXE-06, NEG-05, VM-29)."""
    absent(r'Elf64|ELFMAG', 'kernel', *SERVICES, but=('servers/rs/flip.c',))  # which tells text from data
    absent(r'lib/exec', 'servers/pm')
    absent(r'lib/exec', 'servers/vm', but=('servers/vm/boot.c',))
    guest.expect('EXEC' not in ''.join(re.findall(r'^\s+VM_\w+', text('proto', 'vm.h'), re.M)))


def test_no_segments_in_interfaces(_kind):
    """No interface has a segment; one address space a process (KRN-10, KRN-12, BOOT-19, VM-28, NEG-01)."""
    absent(r'(?i)\b(newmap|alloc_segments|seg_t|vir2phys_seg)\b', 'abi', 'proto', 'kernel', *SERVICES)


def test_no_swap_and_no_leftovers(_kind):
    """No swapping to disk; no calls of the cache before this one (VM-31, VM-32, NEG-06); no device-control or unchecked
    vector calls (NEG-09, NEG-10, NEG-12 to NEG-16)."""
    absent(r'(?i)\b(swapon|mkswap|swap_to_disk|devctl|fsdevunmap|virvcopy|physvcopy|allocmem|rescue)\b|'
           r'\b(yield|forget)_?block\b',
           'abi', 'proto', 'kernel', 'lib', 'commands', *SERVICES, but=('abi/linux/calls.h',))


def test_layers(_kind):
    """Lower levels never call higher ones synchronously (architecture, who may wait for whom)."""
    upward = r'ipc_(call|sendrec)\s*\(\s*EP_(PM|VFS|RS)\b'
    absent(upward, *SERVICES, 'lib/fs', 'lib/bdev', 'lib/drv')
    absent(r'ipc_(call|sendrec)\s*\(\s*EP_\w+', 'servers/vm', 'servers/sched')


def test_each_operation_is_served(_kind):
    """No operation of a protocol is declared and not there (NEG-13, DRV-09)."""
    everything = '\n'.join(code for _, code in sources('servers', 'fs', 'drivers', 'lib', 'commands', 'kernel'))
    for header in sorted(glob.glob(os.path.join(host.ROOT, 'proto', '*.h'))):
        for body in re.findall(r'enum \w+_op \{(.*?)\};', text(header), re.S):
            names = re.findall(r'^\s*([A-Z][A-Z0-9_]+)\b', re.sub(r'/\*.*?\*/', '', body, flags=re.S), re.M)
            for name in names:
                guest.expect(re.search(rf'\b{name}\b', everything), f'{header}: {name} is used nowhere')


def test_kernel_calls_are_used(kind):
    """Each kernel call has its function, and no other (KRN-05)."""
    done = subprocess.run(['nm', os.path.join(host.ROOT, 'build', kind, 'kernel', 'axolotl.elf')], text=True,
                          capture_output=True, check=True)
    functions = set(re.findall(r'\bkcall_(\w+)$', done.stdout, re.M))
    names = set(re.findall(r'KCALL\(\s*\d+,\s*(\w+)\)', text('abi', 'kcall.h')))
    guest.expect(names <= functions and len(names) > 40, names - functions)


def test_signal_managers_are_data(_kind):
    """The kernel's signal code does not know PM: who manages whom stands in the privileges (KRN-13, NEG-17)."""
    code = text('kernel', 'proc', 'signal.c')
    guest.expect('sig_mgr' in code and not re.search(r'\bEP_(PM|VFS)\b', code))


def test_sizes_are_not_fixed(_kind):
    """No size of heap or stack in the boot archive, in programs' declarations or beside them (NEG-02, BOOT-15)."""
    absent(r'(?i)\b(chmem|heap_?gap|stack_?gap|heap_bytes|img_size)\b', 'abi', 'proto', 'kernel', 'lib', *SERVICES)
    entry = re.search(r'struct bootarch_entry \{(.*?)\};', text('abi', 'bootarch.h'), re.S).group(1)
    fields = re.findall(r'\b(\w+)(?:\[\w+\])?;', re.sub(r'/\*.*?\*/', '', entry, flags=re.S))
    guest.expect(fields == ['name', 'offset', 'bytes'], fields)
    sized = {statement for _, statement, _ in declarations()} & {'stack', 'heap_size', 'stack_size', 'size'}
    guest.expect(not sized, sized)


def test_pages_are_single(_kind):
    """A region has pages, not blocks of several, and no list of regions; no array of spare pages (NEG-07)."""
    absent(r'(?i)\b(phys_block|phys_region|spare_?pages|next_region|ph_ref)\b', 'servers/vm')
    region = re.search(r'\nstruct region \{(.*?)\n\};', text('servers', 'vm', 'region.h'), re.S).group(1)
    guest.expect('struct tree_node node' in region and not re.search(r'struct region \*', region), region)


def test_one_way_to_unmap(_kind):
    """All that unmaps ranges of a space does it by space_unmap(); no type has a way of its own (NEG-08)."""
    operations = re.search(r'\nstruct memtype \{(.*?)\n\};', text('servers', 'vm', 'region.h'), re.S).group(1)
    guest.expect('low_shrink' in operations and 'unmap' not in operations)
    found = [(path, name) for path, code in sources('servers/vm')
             for name in re.findall(r'^\w[\w ]*[ *](\w*unmap\w*)\(struct vm \*vm, struct space', code, re.M)
             if path != 'servers/vm/safemap.c']  # which undoes grants' mappings, and not of pages
    guest.expect(('servers/vm/space.c', 'space_unmap') in found, found)
    for path, name in found:
        body = re.search(rf'\b{name}\(struct vm \*vm, struct space[^;]*?\n{{(.*?)\n}}', text(path), re.S)
        guest.expect(name == 'space_unmap' or body is None or 'space_unmap(' in body.group(1), path, name)


def test_no_events_of_processes_unasked(_kind):
    """VM keeps no list of exits and signals for somebody (VM-44, which process events replace); PM tells VM of no
    signal (NEG-20)."""
    absent(r'(?i)\b(watch_exit|query_exit|notify_sig)\b', 'abi', 'proto', 'kernel', *SERVICES)
    guest.expect('SIG' not in ''.join(re.findall(r'^\s+VM_\w+', text('proto', 'vm.h'), re.M)))


def test_one_way_to_print(_kind):
    """The kernel writes to the screen or a serial line in one file; others use its buffer (NEG-23, BOOT-18)."""
    writers = {path for path, code in sources('kernel') if re.search(r'\bserial_\w*put\w*\s*\(|\bmb_print', code)}
    guest.expect(writers and writers <= {'kernel/arch/x86_64/serial.c', 'kernel/arch/x86_64/serial.h',
                                         'kernel/arch/x86_64/machine.h'}, writers)


def test_one_loader(_kind):
    """The kernel loads VM, and VM the others, by lib/exec with functions of their own (EXE-08, BOOT-07, BOOT-10)."""
    for path in ('kernel/mem/boot_vm.c', 'servers/vm/boot.c'):
        code = text(path)
        guest.expect('static const struct exec_ops' in code and 'exec_load(' in code, path)


def test_tests_of_the_seed(_kind):
    """What the tests that this system started from were for has its place here (TST-01 to TST-08)."""
    places = {
        'TST-01': ['tests/services/safecopy.c', 'tests/guest/grants.py'],
        'TST-02': ['tests/services/safeperf.c'],
        'TST-03': ['tests/services/safemap.c'],
        'TST-04': ['tests/services/ds/dstest.c', 'tests/guest/datastore.py'],
        'TST-05': ['tests/services/tests.conf'],
        'TST-06': ['servers/vm/test/vm_cache_test.c', 'servers/vm/test/vm_pressure_test.c', 'tests/guest/memory.py',
                   'tests/abi/programs/mapping.c'],
        'TST-07': ['kernel/test/update_test.c', 'servers/rs/test/update_test.c', 'tests/guest/recovery.py',
                   'tests/guest/update.py', 'tests/guest/survival.py'],
        'TST-08': ['tests/guest/boot.py', 'tests/guest/accounting.py'],
    }
    for row, paths in places.items():
        for path in paths:
            code = text(path)
            is_run = re.search(r'\b(main|CASE|(def |void )test_\w+)\s*\(', code) or path.endswith('.conf')
            guest.expect(is_run, row, path)


def test_no_network_server_yet(_kind):
    """There is none: so no protocol of it without grants either (DRV-07, NEG-16)."""
    guest.expect(not any(os.path.isdir(os.path.join(host.ROOT, 'servers', name)) for name in ('inet', 'lwip', 'net')))
    absent(r'(?i)vmd\b|\bNWIO', 'abi', 'proto', *SERVICES)


def test_no_interrupts_between_processors(_kind):
    """One processor: the kernel has no means to interrupt another one (NEG-21)."""
    absent(r'(?i)\b0x(300|310|830)\b|\bICR\b|\bipi\b|interrupt_command', 'kernel')  # the APIC's command registers
