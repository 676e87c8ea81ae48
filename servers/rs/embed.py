#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes a C file that holds the declarations of the boot services.

usage: embed.py OUT DECLARATION..."""

import sys


def main(out, paths):
    text = ''
    for path in paths:
        with open(path, encoding='ascii') as file:
            text += file.read()
    lines = []
    for line in text.splitlines():
        escaped = line.replace('\\', '\\\\').replace('"', '\\"').replace('\t', '\\t')
        lines.append(f'\t"{escaped}\\n"')
    with open(out, 'w', encoding='ascii') as file:
        file.write('/* SPDX-License-Identifier: BSD-2-Clause */\n'
                   '/* Made by servers/rs/embed.py from etc/system.conf.d. */\n'
                   '#include "servers/rs/boot.h"\n\n'
                   'const char boot_declarations[] =\n' + '\n'.join(lines) + ';\n'
                   'const size_t boot_declarations_len = sizeof(boot_declarations) - 1;\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
