#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Links the kernel image: prefixes the unpaged part, links, makes the symbol table of that link, links again with it,
and checks that the file can be loaded by the multiboot header's address fields alone."""
import argparse
import os
import struct
import subprocess
import sys


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout


def text_symbols(nm, image):
    """(address, name) of the functions of the high part, sorted, one name an address."""
    found = {}
    start = end = 0
    for line in run(nm, '-n', image).splitlines():
        fields = line.split()
        if len(fields) != 3:
            continue
        address, kind, name = int(fields[0], 16), fields[1], fields[2]
        if name == 'kernel_text':
            start = address
        elif name == 'kernel_text_end':
            end = address
        elif kind in 'tT' and address >= 1 << 63 and not name.startswith('stub_'):
            found.setdefault(address, name)
    return start, sorted((a, n) for a, n in found.items() if start <= a < end)


def write_table(path, start, symbols):
    names = bytearray()
    with open(path, 'w', encoding='ascii') as out:
        out.write('.section .symbols, "a"\n.balign 8\n.globl symbol_count, symbol_table, symbol_names\n')
        out.write(f'symbol_count: .long {len(symbols)}\n.balign 8\nsymbol_table:\n')
        for address, name in symbols:
            out.write(f'.long {address - start}, {len(names)}\n')
            names += name.encode() + b'\0'
        out.write('symbol_names:\n')
        for _, name in symbols:
            out.write(f'.asciz "{name}"\n')
        out.write('.section .note.GNU-stack, "", @progbits\n')


def check_layout(image):
    """File offset minus physical address must be the same for every loaded segment."""
    with open(image, 'rb') as file:
        data = file.read()
    phoff, = struct.unpack_from('<Q', data, 32)
    size, count = struct.unpack_from('<HH', data, 54)
    deltas = set()
    for i in range(count):
        kind, _, offset, _, paddr, filesz = struct.unpack_from('<IIQQQQ', data, phoff + i * size)
        if kind == 1 and filesz > 0:
            deltas.add(offset - paddr)
    if len(deltas) != 1:
        sys.exit(f'{image}: segments do not lie in the file as in memory: {deltas}')


def main():
    parser = argparse.ArgumentParser()
    for name in ('cc', 'ld', 'nm', 'objcopy', 'script', 'unpaged', 'kernel', 'output'):
        parser.add_argument('--' + name, required=True)
    args = parser.parse_args()
    work = args.output + '.parts'
    os.makedirs(work, exist_ok=True)
    low, table, table_o = (os.path.join(work, n) for n in ('unpaged.o', 'symbols.S', 'symbols.o'))
    first = os.path.join(work, 'first')
    run(args.ld, '-r', '--whole-archive', args.unpaged, '-o', low)
    run(args.objcopy, '--prefix-symbols=unpaged_', '--prefix-alloc-sections=.unpaged', low)
    link = [args.ld, '-T', args.script, '-z', 'max-page-size=4096', '-z', 'noexecstack', '--no-warn-rwx-segments',
            '--build-id=none', low, '--whole-archive', args.kernel, '--no-whole-archive']
    run(*link, '-o', first)
    start, symbols = text_symbols(args.nm, first)
    write_table(table, start, symbols)
    run(args.cc, '-c', table, '-o', table_o)
    run(*link, table_o, '-o', args.output)
    check_layout(args.output)


main()
