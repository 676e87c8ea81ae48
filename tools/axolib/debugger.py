# SPDX-License-Identifier: BSD-2-Clause
"""./axo gdb: gdb on a system that ./axo run --gdb started (in another terminal)."""

import argparse
import os

from . import build, host
from .host import UserError


def main(arguments):
    parser = argparse.ArgumentParser(prog='./axo gdb', description='Attaches gdb to a system started with '
                                     './axo run --gdb. Symbols of the kernel and of the running service load '
                                     'by themselves; commands: ps, ktrace N, kdiag, symbols NAME.')
    parser.add_argument('--release', action='store_const', dest='kind', const='release', default='debug',
                        help='the system is the optimised build')
    parser.add_argument('--port', type=int, default=1234, help="QEMU's port (1234)")
    parser.add_argument('more', nargs='*', metavar='ARGUMENT', help='for gdb, after --')
    options = parser.parse_args(arguments)
    kernel = build.kernel(options.kind)
    if not os.path.exists(kernel):
        raise UserError(f'{kernel} is not built (./axo run --gdb builds it)')
    os.environ['AXO_BUILD'] = build.directory(options.kind)
    command = ['gdb', '-q', '-x', os.path.join(host.ROOT, 'kernel', 'tools', 'kernel.gdb'),
               '-x', os.path.join(host.ROOT, 'tools', 'gdb', 'axolotl.py'),
               '-ex', f'target remote :{options.port}', *options.more, kernel]
    os.execvp(command[0], command)


if __name__ == '__main__':
    host.main(main)
