# SPDX-License-Identifier: BSD-2-Clause
"""gdb commands for the whole system: the kernel's, and the symbols of whichever process is running.

Each service is a position-independent program at the same address of its own address space, so the
symbols of one are loaded at a time: at every stop those of the process that runs."""

import glob
import os

import gdb  # pylint: disable=import-error  # gdb's own module

BASE = 0x555555554000
VM_BASE = 0x400000
USER_END = 1 << 47


class Symbols:
    """The symbol file of a service that gdb has now."""

    def __init__(self, build):
        self.build = build
        self.loaded = None

    def program(self, name):
        """The ELF file of a process: ext2.vda runs ext2."""
        base = name.split('.')[0]
        for folder in ('servers', 'fs', 'drivers', 'commands'):
            for path in glob.glob(os.path.join(self.build, folder, base, base)):
                return path
        return None

    def load(self, name):
        path = self.program(name)
        if path == self.loaded or path is None:
            return path
        if self.loaded:
            gdb.execute(f'remove-symbol-file {self.loaded}', to_string=True)
            self.loaded = None
        address = VM_BASE if name == 'vm' else BASE
        if name != 'init':
            gdb.execute(f'add-symbol-file {path} -o {address:#x}', to_string=True)
        else:
            gdb.execute(f'add-symbol-file {path}', to_string=True)
        self.loaded = path
        return path


def current_name():
    """The name of the process that runs, or None in the idle loop and before there is one."""
    try:
        process = gdb.parse_and_eval('kernel.cpus[0].current')
        return process['name'].string() if int(process) else None
    except gdb.error:
        return None


class SymbolsCommand(gdb.Command):
    """symbols NAME: load the symbols of service NAME (those of the running process are loaded at every stop)."""

    def __init__(self, symbols):
        super().__init__('symbols', gdb.COMMAND_FILES)
        self.symbols = symbols

    def invoke(self, argument, _from_tty):
        path = self.symbols.load(argument.strip())
        print(path or f'no service {argument.strip()} in {self.symbols.build}')


def follow(symbols):
    """Loads the symbols that fit, whenever the machine stops in user mode."""
    def stopped(_event):
        name = current_name()
        if name and int(gdb.parse_and_eval('(unsigned long)$pc')) < USER_END:
            symbols.load(name)
    gdb.events.stop.connect(stopped)


SYMBOLS = Symbols(os.environ['AXO_BUILD'])
SymbolsCommand(SYMBOLS)
follow(SYMBOLS)
