#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The layout of a server's kept state as a number, for sef_keep_heap (lib/sys/sef.h).

    layout.py HEADER MACRO STRUCT... --objects OBJECT... [--set-anew STRUCT.MEMBER...]
              [--sources FILE... [--apart STRUCT...]]

The objects have debugging information. The structures named and all that they lead to, their members, offsets and
types, and the values of enumerations are hashed: HEADER defines MACRO as that. What must not be there is an error: a
pointer to a function, or to a structure whose members are not known; members that the new version sets anew are left
out.

The elements of an intrusive list are not what its head leads to: they are named too. The server's sources tell whether
one was forgotten: a structure that they reach by its link is kept, or it is said to be apart from what is kept.
"""

import argparse
import re
import subprocess
import sys
import zlib

HEAD = re.compile(r'^ <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)')
ATTRIBUTE = re.compile(r'^    <[0-9a-f]+>   DW_AT_(\w+)\s*: (.*)$')
ELEMENT = re.compile(r'\b(?:list_\w+|tree_\w+|container_of)\([^;]*?\bstruct (\w+),\s*[\w.]+\)')
THROUGH = ('typedef', 'const_type', 'volatile_type', 'restrict_type', 'atomic_type')


class Entry:
    """One entry of the debugging information, with what stands below it."""

    def __init__(self, path, tag):
        self.path = path
        self.tag = tag
        self.attributes = {}
        self.children = []

    @property
    def name(self):
        return self.attributes.get('name', '').rsplit('): ', 1)[-1].strip()

    def number(self, attribute, default=None):
        text = self.attributes.get(attribute)
        return default if text is None else int(text.split()[0], 0)

    @property
    def type(self):
        return self.path + self.attributes['type'].split()[0].strip('<>') if 'type' in self.attributes else None


def read(path):
    """All entries by offset (as text, behind the path), as readelf shows them."""
    text = subprocess.run(['readelf', '--debug-dump=info', path], check=True, text=True, stdout=subprocess.PIPE).stdout
    entries, parents, entry = {}, [], None
    for line in text.splitlines():
        head = HEAD.match(line)
        if head:
            depth, offset, tag = int(head[1], 16), path + '0x' + head[2], head[3]
            entry = entries[offset] = Entry(path, tag)
            del parents[depth:]
            if parents:
                parents[-1].children.append(entry)
            parents.append(entry)
        elif entry:
            attribute = ATTRIBUTE.match(line)
            if attribute:
                entry.attributes[attribute[1]] = attribute[2].strip()
    return entries


class Layout:
    def __init__(self, entries, set_anew):
        self.entries = entries
        self.set_anew = set(set_anew)
        self.seen = set()
        self.waiting = []
        self.lines = []
        self.errors = []
        self.complete = {}
        for offset, entry in entries.items():
            if entry.tag in ('structure_type', 'union_type') and 'declaration' not in entry.attributes:
                self.complete.setdefault(entry.name, []).append(offset)

    def describe(self, offset, where):
        """A type in words; structures are named, and wait to be described themselves."""
        if offset is None:
            return 'void'
        entry = self.entries[offset]
        if entry.tag in THROUGH:
            return self.describe(entry.type, where)
        if entry.tag == 'pointer_type':
            return '*' + self.describe(entry.type, where)
        if entry.tag == 'subroutine_type':
            self.errors.append(f'{where}: points to a function')
            return 'function'
        if entry.tag == 'array_type':
            counts = [str(child.number('count', child.number('upper_bound', -1) + 1)) for child in entry.children]
            return f'{self.describe(entry.type, where)}[{"][".join(counts)}]'
        if entry.tag == 'enumeration_type':
            values = ' '.join(f'{child.name}={child.attributes["const_value"]}' for child in entry.children)
            return f'enum {entry.name} {{{values}}}'
        if entry.tag in ('structure_type', 'union_type'):
            if not entry.name:
                return self.members(offset, where)
            if entry.name not in self.complete:
                self.errors.append(f'{where}: struct {entry.name} is not known here')
            elif entry.name not in self.seen:
                self.seen.add(entry.name)
                self.waiting.append(entry.name)
            return f'{entry.tag[:6]} {entry.name}'
        return f'{entry.number("encoding")}:{entry.number("byte_size")}'

    def members(self, offset, where):
        entry = self.entries[offset]
        words = [f'{entry.number("byte_size")} {{']
        for member in entry.children:
            place = f'{where}.{member.name}'
            if member.tag != 'member' or place in self.set_anew:
                continue
            at = [member.attributes.get(a, '0').split()[0]
                  for a in ('data_member_location', 'data_bit_offset', 'bit_offset', 'bit_size')]
            words.append(f'{member.name} {"/".join(at)} {self.describe(member.type, place)};')
        return ' '.join(words + ['}'])

    def hash(self, roots):
        for root in roots:
            if root not in self.complete:
                sys.exit(f'layout.py: there is no struct {root}')
            self.seen.add(root)
            self.waiting.append(root)
        while self.waiting:
            name = self.waiting.pop()
            members = {self.members(offset, name) for offset in self.complete[name]}
            if len(members) > 1:
                self.errors.append(f'there are several structures {name}')
            self.lines += [f'{name} {text}' for text in members]
        return zlib.crc32('\n'.join(sorted(self.lines)).encode())

    def find_forgotten(self, sources, apart):
        """After hash()."""
        for path in sources:
            with open(path, encoding='utf-8') as file:
                for name in ELEMENT.findall(file.read()):
                    if name not in self.seen and name not in apart:
                        self.errors.append(f'{path}: struct {name} is neither kept nor apart')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    for name in ('header', 'macro'):
        parser.add_argument(name)
    parser.add_argument('roots', nargs='+')
    parser.add_argument('--objects', nargs='+', required=True)
    for name in ('--set-anew', '--sources', '--apart'):
        parser.add_argument(name, nargs='+', default=[])
    parser.add_argument('--show', action='store_true', help='print what is hashed')
    args = parser.parse_args()
    entries = {}
    for path in args.objects:
        entries.update(read(path))
    layout = Layout(entries, args.set_anew)
    number = layout.hash(args.roots)
    layout.find_forgotten(args.sources, args.apart)
    if args.show:
        print('\n'.join(layout.lines))
    if layout.errors:
        sys.exit('\n'.join(f'{args.macro}: {error}' for error in dict.fromkeys(layout.errors)))
    with open(args.header, 'w', encoding='utf-8') as file:
        file.write(f'#define {args.macro} {number:#010x}u\n')


if __name__ == '__main__':
    main()
