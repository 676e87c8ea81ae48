# SPDX-License-Identifier: BSD-2-Clause
"""Runs the virtual machine: QEMU's command line, and what the guest says on its two serial lines.

COM1 is the console. COM2 carries the kernel's diagnostics, one line each, when the kernel option
log=com2 is given; a panic is written there in any case, and init writes there the line
`axolotl: exit status N` when the command of --exec has ended."""

import base64
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time

from . import build, host
from .host import UserError

STATUS = re.compile(rb'axolotl: exit status (\d+)')
PANIC = re.compile(rb'(^|\s)panic:')
# After the first line of a panic the rest (registers, stack) may take this long.
PANIC_TAIL_S = 2.0
# After the exit status the guest syncs and powers off; a guest that does not is a hang.
POWER_OFF_S = 30.0


class Configuration:
    """One machine: what ./axo run's options say."""

    def __init__(self, kind='release'):
        self.kind = kind
        self.disk = None
        self.scratch = True
        self.mem = 256
        self.smp = 1
        self.accel = 'tcg'
        self.options = []
        self.command = None
        self.iso = None
        self.display = False
        self.gdb = False
        self.more = []

    def kernel_options(self):
        options = list(self.options)
        options.append('root=/dev/vda')
        options.append('log=com2')
        if self.display:
            options.append('console=vga')
        if self.command is not None:
            options.append('exec=' + base64.b64encode(self.command.encode()).decode())
        return ' '.join(options)

    def qemu(self, console, log):
        """QEMU's command line, with the character devices of the two serial lines."""
        program = shutil.which('qemu-system-x86_64')
        if not program:
            raise UserError('qemu-system-x86_64 is missing (Debian package qemu-system-x86)')
        accel = 'kvm' if self.accel == 'kvm' else 'tcg,thread=single'
        if self.accel == 'tcg' and self.smp > 1:
            accel = 'tcg,thread=multi'
        disk = self.disk.replace(',', ',,')
        snapshot = 'on' if self.scratch else 'off'
        cache = 'unsafe' if self.scratch else 'writeback'
        command = [program, '-nodefaults', '-no-user-config', '-no-reboot', '-machine', 'pc',
                   '-accel', accel, '-cpu', 'host' if self.accel == 'kvm' else 'max',
                   '-m', str(self.mem), '-smp', str(self.smp),
                   '-drive', f'if=none,id=root,format=raw,cache={cache},snapshot={snapshot},file={disk}',
                   '-device', 'virtio-blk-pci,drive=root,disable-legacy=on',
                   *console, '-serial', 'chardev:console', '-serial', log]
        if self.iso:
            iso = self.iso.replace(',', ',,')
            command += ['-drive', f'if=ide,media=cdrom,format=raw,file={iso}', '-boot', 'd']
        else:
            # A comma or a blank in -initrd would separate modules: QEMU runs in the build directory.
            command += ['-kernel', 'kernel/axolotl.elf', '-initrd', 'tools/boot.img',
                        '-append', self.kernel_options()]
        if self.display:
            command += ['-vga', 'std']
        else:
            command += ['-display', 'none', '-vga', 'none']
        if self.gdb:
            command += ['-s', '-S']
        return command + self.more

    def directory(self):
        return build.directory(self.kind)


class Outcome:
    """How a run ended: exit is what axo ends with."""

    def __init__(self, exit_status, reason='', log=b''):
        self.exit = exit_status
        self.reason = reason
        self.log = log


class Machine:
    """A running QEMU. Its console's output goes to the function `output`; or the console is this terminal."""

    def __init__(self, configuration, output=None, terminal=False, stdin=None, log_file=None):
        self.configuration = configuration
        self.output = output
        self.log = bytearray()
        self.log_file = log_file
        self.status = None
        self.panic_at = None
        self.status_at = None
        self.selector = selectors.DefaultSelector()
        log_read, log_write = os.pipe()
        ours = [log_write]
        streams = {}
        if terminal:
            mux = 'on' if sys.stdin.isatty() else 'off'
            console = ['-chardev', f'stdio,id=console,signal=off,mux={mux}']
            if configuration.display:
                console = ['-chardev', 'null,id=console', *self.display()]
        else:
            out_read, out_write = os.pipe()
            streams = {'stdin': subprocess.DEVNULL if stdin is None else stdin, 'stdout': out_write}
            ours += [out_write] if stdin is None else [out_write, stdin]
            console = ['-chardev', 'stdio,id=console,signal=off,mux=off']
            self.selector.register(out_read, selectors.EVENT_READ, self.console_bytes)
        self.selector.register(log_read, selectors.EVENT_READ, self.log_bytes)
        command = configuration.qemu(console, f'file:/dev/fd/{log_write}')
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, cwd=configuration.directory(), pass_fds=[log_write], **streams)
        for descriptor in ours:
            os.close(descriptor)

    @staticmethod
    def display():
        if os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'):
            return ['-display', 'gtk']
        return ['-display', 'curses']

    def console_bytes(self, data):
        if self.output:
            self.output(data)

    def log_bytes(self, data):
        seen = max(0, len(self.log) - 64)
        self.log += data
        if self.log_file:
            self.log_file.write(data)
            self.log_file.flush()
        found = STATUS.search(self.log, seen)
        if found and self.log.find(b'\n', found.end()) >= 0 and self.status is None:
            self.status = int(found.group(1))
            self.status_at = time.monotonic()
        if self.panic_at is None and PANIC.search(self.log, seen):
            self.panic_at = time.monotonic()

    def step(self, limit):
        """Waits up to `limit` seconds for output and handles it. False once QEMU has closed its lines."""
        if not self.selector.get_map():
            return False
        for key, _ in self.selector.select(limit):
            data = os.read(key.fd, 65536)
            if data:
                key.data(data)
            else:
                self.selector.unregister(key.fd)
                os.close(key.fd)
        return bool(self.selector.get_map())

    def overdue(self, deadline):
        """Why the machine must be ended now, or None."""
        now = time.monotonic()
        if self.panic_at is not None and now - self.panic_at > PANIC_TAIL_S:
            return 'panic'
        if self.status_at is not None and now - self.status_at > POWER_OFF_S:
            return 'the guest did not power off'
        if deadline is not None and now > deadline:
            return 'timeout'
        return None

    def run(self, timeout=None):
        """Runs to the end: the guest powers off, panics, or is out of time."""
        deadline = None if timeout is None else self.began + timeout
        reason = None
        try:
            while reason is None and self.step(0.25 if deadline or self.panic_at else 1.0):
                reason = self.overdue(deadline)
        finally:
            self.end()
        return self.outcome(reason, timeout)

    def end(self):
        """Stops QEMU, if it still runs, and takes what is left in the pipes."""
        if self.process.poll() is None:
            try:
                self.process.wait(0 if self.selector.get_map() else 5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        while self.step(0):
            pass

    def panic_text(self):
        found = PANIC.search(self.log)
        return self.log[found.start():].decode(errors='replace').strip() if found else None

    def outcome(self, reason, timeout):
        log = bytes(self.log)
        last = STATUS.search(log)
        if self.status is None and last:
            self.status = int(last.group(1))
        text = self.panic_text()
        if text is not None:
            return Outcome(host.EXIT_GUEST_FAILED, text, log)
        if reason == 'timeout':
            return Outcome(host.EXIT_GUEST_FAILED, f'the guest hangs: nothing after {timeout} s', log)
        if reason:
            return Outcome(host.EXIT_GUEST_FAILED, reason, log)
        if self.process.returncode not in (0, -signal.SIGKILL):
            return Outcome(host.EXIT_WRONG_INPUT, f'QEMU ended with status {self.process.returncode}', log)
        if self.configuration.command is not None:
            if self.status is None:
                return Outcome(host.EXIT_GUEST_FAILED, 'the guest ended without an exit status', log)
            return Outcome(self.status, '', log)
        return Outcome(0, '', log)
