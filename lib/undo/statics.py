#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No static variable of a service escapes its roll-back (lib/undo).

    statics.py STAMP OBJECT... [--but NAME...]

The objects are those with hooks. A variable of theirs that can be written and is not UNDO_STATIC is an error, but those
that are named: they are reached through pointers only, for which the compiler does call the hooks.
"""

import argparse
import re
import subprocess
import sys

WRITABLE = re.compile(r'\.(data|bss|tdata|tbss)(?!\.rel\.ro)|\*COM\*|COMMON')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('stamp')
    parser.add_argument('objects', nargs='+')
    parser.add_argument('--but', nargs='*', default=[])
    args = parser.parse_args()
    text = subprocess.run(['objdump', '-t'] + args.objects, check=True, capture_output=True, text=True).stdout
    found = []
    for line in text.splitlines():
        match = re.match(r'[0-9a-f]+ .{6}O (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$', line)
        if match and WRITABLE.match(match[1]) and match[2] not in args.but:
            found.append(match[2])
    for name in found:
        print(f'{name}: static and not UNDO_STATIC', file=sys.stderr)
    if not found:
        with open(args.stamp, 'w', encoding='utf-8'):
            pass
    return 1 if found else 0


sys.exit(main())
