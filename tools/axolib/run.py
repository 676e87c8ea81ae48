# SPDX-License-Identifier: BSD-2-Clause
"""./axo run: builds, makes the root image, boots."""

import argparse
import os
import sys
import tempfile
import termios

from . import build, host, image, iso, machine
from .host import UserError

LEAST_MIB = 32


class Parser(argparse.ArgumentParser):
    """argparse's own errors, in one line."""

    def error(self, message):
        raise UserError(f'{message} (try ./axo run --help)')


def parser():
    result = Parser(prog='./axo run', description='Boots Axolotl in QEMU. Without --exec this '
                    'terminal is its console; `poweroff` ends it, and so does ctrl-a x.')
    result.add_argument('--exec', dest='command', metavar='COMMAND',
                        help='run COMMAND with /bin/sh -c; standard output has its output and '
                             'nothing else, and its exit status is that of axo')
    result.add_argument('--root', metavar='DIR|IMAGE',
                        help='root file system: a directory (copied) or an ext2 image (changed)')
    result.add_argument('--overlay', metavar='DIR', action='append', default=[],
                        help='add the files under DIR to the default root')
    result.add_argument('--keep', action='store_true',
                        help='keep the changes to the default root in build/kept.img, and go on from there')
    result.add_argument('--mem', metavar='MiB', type=int, default=256, help='memory (256)')
    result.add_argument('--smp', metavar='N', type=int, default=1, help='processors (1)')
    result.add_argument('--append', metavar='OPTIONS', default='', help='more kernel options')
    result.add_argument('--timeout', metavar='S', type=float, help='a guest that runs longer hangs: status 3')
    result.add_argument('--gdb', action='store_true', help='wait for gdb before the first instruction')
    result.add_argument('--iso', action='store_true', help='boot by GRUB from an ISO image')
    result.add_argument('--display', action='store_true',
                        help='a screen and a keyboard as the console, instead of the serial line')
    result.add_argument('--accel', choices=['tcg', 'kvm'], default='tcg', help='how QEMU executes (tcg)')
    result.add_argument('--debug', action='store_const', dest='kind', const='debug', default=None,
                        help='the build with assertions and sanity checks')
    result.add_argument('--release', action='store_const', dest='kind', const='release',
                        help='the optimised build (the default)')
    result.add_argument('--qemu', metavar='ARGUMENTS', default='', help='more arguments for QEMU')
    result.add_argument('--verbose', action='store_true',
                        help="the kernel's messages on standard error too")
    return result


def check(options):
    """Refuses what cannot work, before anything is built."""
    if options.display and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise UserError('--display: there is no graphical display here (DISPLAY is not set)')
    if options.smp < 1:
        raise UserError('--smp: at least 1')
    if options.smp > 1:
        raise UserError(f'--smp {options.smp}: Axolotl runs on one processor so far')
    if options.mem < LEAST_MIB:
        raise UserError(f'--mem {options.mem}: too little memory, at least {LEAST_MIB} (MiB)')
    if options.timeout is not None and options.timeout <= 0:
        raise UserError('--timeout: more than 0 seconds')
    if options.root and (options.overlay or options.keep):
        raise UserError('--overlay and --keep are for the default root, not for --root')
    if options.root and not os.path.exists(options.root):
        raise UserError(f'{options.root}: no such directory or image')
    for overlay in options.overlay:
        if not os.path.isdir(overlay):
            raise UserError(f'{overlay}: no such directory')
    if options.display and options.command is not None:
        raise UserError('--exec uses the serial console, so not with --display')
    if options.accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise UserError('--accel kvm: /dev/kvm is not there, or not yours')
    if options.command is not None and '\0' in options.command:
        raise UserError('--exec: a command cannot hold a NUL')


def kept_root(options):
    kept = os.path.join(host.BUILD, 'kept.img')
    if not os.path.exists(kept):
        image.copy(image.default_root(options.overlay, root_name(options)), kept)
    elif options.overlay:
        raise UserError(f'--overlay: {kept} was made already; remove it to begin anew')
    return kept


def root_name(options):
    return 'root-overlaid' if options.overlay else 'root'


def choose_root(options, configuration, work):
    """Sets the machine's disk, and whether changes to it last."""
    if options.root is None:
        if options.keep:
            configuration.disk, configuration.scratch = kept_root(options), False
        else:
            configuration.disk = image.default_root(options.overlay, root_name(options))
    elif os.path.isdir(options.root):
        configuration.disk = os.path.join(work, 'root.img')
        image.of_directory(os.path.realpath(options.root), configuration.disk)
    else:
        image.check_image(options.root)
        configuration.disk, configuration.scratch = os.path.abspath(options.root), False


def write_out(data):
    """The guest's console, unchanged, on standard output."""
    while data:
        data = data[os.write(1, data):]


def boot(options, configuration):
    """Runs the machine with this terminal, or with standard output only, and tells how it ended."""
    if options.gdb:
        host.say('waiting for gdb: ./axo gdb' + (' --release' if configuration.kind == 'release' else ''))
    path = os.path.join(configuration.directory(), 'boot.log')
    saved = termios.tcgetattr(0) if sys.stdin.isatty() else None
    interactive = options.command is None
    try:
        with open(path, 'wb') as log:
            guest = machine.Machine(configuration, None if interactive else write_out,
                                    terminal=interactive, log_file=sys.stderr.buffer if options.verbose else log)
            outcome = guest.run(options.timeout)
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
    if outcome.reason:
        if options.command is not None and not outcome.reason.startswith('panic'):
            for line in outcome.log.decode(errors='replace').splitlines()[-10:]:
                print(line, file=sys.stderr)
        host.say(outcome.reason)
    return outcome.exit


def main(arguments):
    options = parser().parse_args(arguments)
    check(options)
    configuration = machine.Configuration(options.kind or ('debug' if options.gdb else 'release'))
    configuration.mem, configuration.smp = options.mem, options.smp
    configuration.accel, configuration.gdb = options.accel, options.gdb
    configuration.display, configuration.command = options.display, options.command
    configuration.options = options.append.split()
    if options.command is None and not options.display and sys.stdout.isatty():
        size = os.get_terminal_size(sys.stdout.fileno())
        configuration.options.append(f'winsize={size.lines}x{size.columns}')
    configuration.more = options.qemu.split()
    build.build(configuration.kind)
    with tempfile.TemporaryDirectory(prefix='axo.') as work:
        choose_root(options, configuration, work)
        if options.iso:
            configuration.iso = iso.make(configuration, work)
        return boot(options, configuration)


if __name__ == '__main__':
    host.main(main)
