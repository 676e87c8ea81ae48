# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of tests/guest use: ./axo run as a person uses it, and a console to talk to."""

import os
import re
import shutil
import subprocess
import tempfile
import time

from . import abi, host, image, machine

AXO = os.path.join(host.ROOT, 'axo')
DEFAULT_LIMIT_S = 60
# Limits only end what hangs. They are in seconds of a machine that has time; a slow or busy one may take longer.
PATIENCE = 3


class Result:
    """What a run of axo gave."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def __str__(self):
        return f'exit status {self.status}\noutput: {self.out[-2000:]!r}\nerrors: {self.err[-3000:]}'


def run(*arguments, kind='debug', limit=DEFAULT_LIMIT_S, stdin=subprocess.DEVNULL):
    """Runs ./axo run with the arguments; the output is kept as bytes are, decoded as Latin-1."""
    limit *= PATIENCE
    command = [AXO, 'run', f'--{kind}', *arguments]
    if '--timeout' not in arguments:
        command += ['--timeout', str(limit)]
    done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=limit + 60, check=False,
                          encoding='latin-1')
    return Result(done)


def execute(command, *arguments, kind='debug', limit=DEFAULT_LIMIT_S):
    return run('--exec', command, *arguments, kind=kind, limit=limit)


def expect(condition, *facts):
    """A test's claim; the facts tell why it does not hold."""
    if not condition:
        raise AssertionError('\n'.join(str(fact) for fact in facts) or 'not so')


def expect_output(result, out, status=0):
    expect(result.out == out and result.status == status, f'expected {out!r} and status {status}', result)


def fsck(disk):
    """e2fsck finds the image clean."""
    done = subprocess.run(['e2fsck', '-fn', disk], text=True, capture_output=True, check=False)
    expect(done.returncode == 0, 'e2fsck:', done.stdout, done.stderr)


def debugfs(disk, request):
    return subprocess.run(['debugfs', '-R', request, disk], text=True, capture_output=True, check=True).stdout


class Scratch:
    """A directory that is gone after the test."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix='axo-test.')
        os.chmod(self.path, 0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def file(self, name):
        return os.path.join(self.path, name)

    def program(self, name):
        """An overlay that has the program tests/guest/programs/NAME.c in /root."""
        overlay = self.file(f'{name}.overlay')
        os.makedirs(os.path.join(overlay, 'root'), mode=0o700)
        abi.compile_program(os.path.join(host.ROOT, 'tests', 'guest', 'programs', f'{name}.c'),
                            os.path.join(overlay, 'root', name))
        return overlay

    def disk(self, overlays=()):
        """A copy of the default root image."""
        disk = self.file('disk.img')
        image.copy(image.default_root(overlays, 'root-test' if overlays else 'root'), disk)
        return disk


class Console:
    """An interactive machine: type, and wait for what it shows."""

    def __init__(self, kind, disk, **settings):
        configuration = machine.Configuration(kind)
        configuration.disk = disk
        configuration.scratch = False
        for name, value in settings.items():
            setattr(configuration, name, value)
        self.shown = b''
        self.taken = 0
        keys, self.keyboard = os.pipe()
        self.machine = machine.Machine(configuration, self.take, stdin=keys)

    def take(self, data):
        self.shown += data

    def type(self, text):
        os.write(self.keyboard, text.encode())

    def wait_for(self, pattern, limit=30):
        """Waits until the console shows a match, after the last one; answers the text up to it."""
        deadline = time.monotonic() + PATIENCE * limit
        expression = re.compile(pattern.encode())
        while not (found := expression.search(self.shown, self.taken)):
            problem = self.machine.overdue(deadline)
            expect(problem is None and self.machine.step(0.2), f'waiting for {pattern!r}: {problem or "QEMU ended"}',
                   'the console showed:', self.shown[-2000:].decode(errors='replace'),
                   'the log ends:', bytes(self.machine.log[-1500:]).decode(errors='replace'))
        text = self.shown[self.taken:found.start()]
        self.taken = found.end()
        return text.decode(errors='replace')

    def prompt(self, limit=30):
        return self.wait_for(r'[#$] (\x1b\[6n)?$', limit)

    def command(self, text, limit=30):
        """Types a line at the prompt; answers what it printed."""
        self.type(text + '\n')
        self.wait_for(re.escape(text) + r'\r?\n', limit)
        return self.prompt(limit).replace('\r\n', '\n')

    def ends(self, limit=30):
        """Waits until the machine is off."""
        deadline = time.monotonic() + PATIENCE * limit
        while self.machine.step(0.2):
            problem = self.machine.overdue(deadline)
            expect(problem is None, f'waiting for power-off: {problem}', self.shown[-1000:].decode(errors='replace'))
        self.machine.process.wait(10)
        expect(self.machine.process.returncode == 0, f'QEMU ended with {self.machine.process.returncode}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.machine.end()
        os.close(self.keyboard)
