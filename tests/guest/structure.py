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
