# SPDX-License-Identifier: BSD-2-Clause
"""The comparison with Linux: cases of tests/abi run in the guest and on this machine, outputs compared.

A case is a shell script, or a case of a test program. All run in one boot; a case that hangs or panics
the guest costs another boot for those after it."""

import glob
import os
import re
import select
import shutil
import subprocess
import tempfile
import termios
import time

from . import host, image, machine
from .host import UserError

HERE = os.path.join(host.ROOT, 'tests', 'abi')
DEFAULT_LIMIT_S = 30
BOOT_LIMIT_S = 60
HOST_LIMIT_S = 300
ESCAPE_PAUSE_S = 0.3
MOST_BOOTS = 25
PROGRAM_FLAGS = ['-static', '-O1', '-g', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
                 '-fno-delete-null-pointer-checks', '-Wno-array-bounds', '-Wno-nonnull',
                 '-Wno-stringop-overread', '-Wno-stringop-overflow', '-Wno-unused-result',
                 '-Wno-infinite-recursion', '-Wno-maybe-uninitialized', '-Wno-unused-but-set-variable']


class Case:
    """One case: its name, the interpreter and the script, and how long it may take in the guest."""

    def __init__(self, name, interpreter, script, limit):
        self.name = name
        self.interpreter = interpreter
        self.script = script
        self.limit = limit


class Answer:
    """What a case printed, and its exit status; or why there is none."""

    def __init__(self, output, status):
        self.output = output
        self.status = status


def scripts():
    """The cases of tests/abi/cases."""
    for path in sorted(glob.glob(os.path.join(HERE, 'cases', '*.sh'))):
        group = os.path.basename(path)[:-3]
        with open(path, encoding='utf-8') as file:
            pieces = re.split(r'^#@ (.*)\n', file.read(), flags=re.M)
        interpreter = re.search(r'^#! (.*)', pieces[0], re.M)
        for title, body in zip(pieces[1::2], pieces[2::2]):
            name, *settings = title.split()
            limit = dict(setting.split('=') for setting in settings).get('timeout', DEFAULT_LIMIT_S)
            yield Case(f'{group}.{name}', interpreter.group(1) if interpreter else '/bin/sh', body, float(limit))


def sources():
    return sorted(glob.glob(os.path.join(HERE, 'programs', '*.c')))


def program_cases():
    """The cases of tests/abi/programs."""
    for path in sources():
        program = os.path.basename(path)[:-2]
        with open(path, encoding='utf-8') as file:
            for name, limit in re.findall(r'^CASE\((\w+)\)(?:\s*/\* timeout (\d+))?', file.read(), re.M):
                script = f'exec /tests/bin/{program} {name}\n'
                yield Case(f'{program}.{name}', '/bin/sh', script, float(limit or DEFAULT_LIMIT_S))


def all_cases():
    return [*scripts(), *program_cases()]


def compile_programs(directory):
    """Builds the test programs into directory, those that are older than their sources."""
    os.makedirs(directory, exist_ok=True)
    headers = max(os.path.getmtime(path) for path in glob.glob(os.path.join(HERE, 'programs', '*.h')))
    for source in sources():
        target = os.path.join(directory, os.path.basename(source)[:-2])
        newest = max(headers, os.path.getmtime(source), os.path.getmtime(__file__))
        if os.path.exists(target) and os.path.getmtime(target) > newest:
            continue
        compile_program(source, target)


def compile_program(source, target):
    """Builds one static program for the guest."""
    done = subprocess.run(['musl-gcc', *PROGRAM_FLAGS, '-o', target, source, '-pthread'], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise UserError(f'{source} does not compile:\n{done.stdout}')


def make_overlay(directory, cases):
    """Lays out /tests and /work as guest and host see them."""
    tests = os.path.join(directory, 'tests')
    os.makedirs(os.path.join(tests, 'cases'))
    os.makedirs(os.path.join(directory, 'work'))
    built = os.path.join(host.BUILD, 'abi')
    compile_programs(built)
    shutil.copytree(built, os.path.join(tests, 'bin'))
    for name in ('run-cases', 'keys'):
        shutil.copy(os.path.join(HERE, name), tests)
    with open(os.path.join(tests, 'list'), 'w', encoding='utf-8') as names:
        for case in cases:
            names.write(f'{case.name} {case.interpreter}\n')
            with open(os.path.join(tests, 'cases', case.name), 'w', encoding='utf-8') as file:
                file.write(case.script)


KEYS = re.compile(rb'\x01keys ([^\n]*)\n')
KEYS_BEGUN = re.compile(rb'\x01k[^\n]*$')
ESCAPE = re.compile(rb'\\([0-7]{1,3}|[rnt\\])')


def typed(text):
    """What a keys marker asks for, its escapes read as printf reads them."""
    named = {b'r': b'\r', b'n': b'\n', b't': b'\t', b'\\': b'\\'}
    return ESCAPE.sub(lambda found: named.get(found[1]) or bytes([int(found[1], 8)]), text)


def make_disk(path, cases):
    """Makes the guest's root disk: the default root, and /tests."""
    with tempfile.TemporaryDirectory(prefix='axo-abi.') as directory:
        overlay = os.path.join(directory, 'overlay')
        make_overlay(overlay, cases)
        root = os.path.join(directory, 'root')
        os.mkdir(root)
        os.chmod(root, 0o755)
        image.fill_default(root)
        image.copy_over(overlay, root)
        image.make(root, path, image.DEFAULT_MIB, owner=os.getuid())


class Reader:
    """Takes the marked stream of run-cases apart, and types on the terminal what a case asks for."""

    def __init__(self, keyboard=None):
        self.keyboard = keyboard
        self.pending = b''
        self.current = None
        self.since = time.monotonic()
        self.body = []
        self.answers = {}

    def feed(self, data):
        self.pending += data
        while (found := KEYS.search(self.pending)) is not None:
            self.pending = self.pending[:found.start()] + self.pending[found.end():]
            self.type(typed(found[1]))
        while b'\n' in self.pending and not KEYS_BEGUN.search(self.pending):
            line, self.pending = self.pending.split(b'\n', 1)
            self.line(line + b'\n')

    def type(self, text):
        """Types as a person does: an escape key is not yet the start of a function key's sequence."""
        for piece in re.findall(rb'[^\x1b]*\x1b|[^\x1b]+', text):
            os.write(self.keyboard, piece)
            if piece.endswith(b'\x1b'):
                time.sleep(ESCAPE_PAUSE_S)

    def line(self, line):
        if line.startswith(b'\1begin '):
            self.current = line.split()[1].decode()
            self.since = time.monotonic()
            self.body = []
        elif line.startswith(b'\1end '):
            _, name, status = line.decode().split()
            output = b''.join(self.body)
            self.answers[name] = Answer(output[:-1], int(status))
            self.current = None
            self.since = time.monotonic()
        elif self.current:
            self.body.append(line)

    def so_far(self):
        return b''.join(self.body) + self.pending


def on_host(cases):
    """Runs the cases on this machine, in a chroot that looks as the guest does."""
    reader = Reader()
    with tempfile.TemporaryDirectory(prefix='axo-host.') as top:
        root = os.path.join(top, 'root')
        os.mkdir(root)
        os.chmod(top, 0o755)
        os.chmod(root, 0o755)
        image.fill_default(root)
        overlay = os.path.join(top, 'overlay')
        make_overlay(overlay, cases)
        image.copy_over(overlay, root)
        command = ['unshare', '--mount', '--pid', '--fork', '--kill-child']
        if os.getuid() != 0:
            command.append('--map-root-user')
        script = (f'mount --bind {root} {root} && mount --rbind /dev {root}/dev && mount -t proc proc {root}/proc && '
                  f'chroot {root} /bin/busybox setsid -c '
                  f'/bin/sh -c "sh /tests/run-cases 1"; exit')
        command += ['sh', '-c', script]
        limit = sum(case.limit for case in cases) + 60
        run_on_terminal(command, reader, min(limit, HOST_LIMIT_S))
        if reader.current:
            reader.answers[reader.current] = Answer(reader.so_far() + b'\n[this machine hangs in it]\n', None)
    return reader.answers


def run_on_terminal(command, reader, limit):
    """Runs a command on a terminal of its own, set as the guest's console is for --exec."""
    master, slave = os.openpty()
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.ONLCR
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    reader.keyboard = master
    deadline = time.monotonic() + limit
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            reader.feed(data)
        else:
            process.kill()
    finally:
        process.wait()
        os.close(master)


class GuestRun:
    """The cases in the guest: boots until each has an answer, and calls `done` for each as it comes."""

    def __init__(self, kind, cases, done):
        self.kind = kind
        self.cases = cases
        self.done = done
        self.boots = 0
        self.lost = None

    def run(self, disk):
        """Runs all, on the disk image `disk`; True if the last guest powered off normally."""
        start = 0
        clean = False
        while start < len(self.cases):
            self.boots += 1
            if self.boots > MOST_BOOTS:
                for case in self.cases[start:]:
                    self.done(case, Answer(b'not run: too many boots were lost before it\n', None))
                return False
            start, clean = self.boot(disk, start)
        return clean

    def boot(self, disk, start):
        """One boot from case number `start` on; answers where to go on."""
        configuration = machine.Configuration(self.kind)
        configuration.disk = disk
        configuration.scratch = False
        configuration.command = f'sh /tests/run-cases {start + 1}'
        keys_read, keys_write = os.pipe()
        reader = Reader(keys_write)
        told = start

        def feed(data):
            nonlocal told
            reader.feed(data)
            while told < len(self.cases) and self.cases[told].name in reader.answers:
                self.done(self.cases[told], reader.answers[self.cases[told].name])
                told += 1

        guest = machine.Machine(configuration, feed, stdin=keys_read)
        reason = None
        try:
            while reason is None and guest.step(0.5):
                reason = guest.overdue(None)
                limit = BOOT_LIMIT_S
                if reader.current and told < len(self.cases):
                    limit = self.cases[told].limit
                if reason is None and guest.status is None and time.monotonic() - reader.since > limit:
                    reason = 'timeout'
        finally:
            guest.end()
            os.close(keys_write)
        if told == len(self.cases):
            return told, reason is None and guest.status == 0
        text = reader.so_far() + f'\n[{self.ended(guest, reason)}]\n'.encode()
        self.done(self.cases[told], Answer(text, None))
        return told + 1, False

    @staticmethod
    def ended(guest, reason):
        panic = guest.panic_text()
        if panic:
            return 'the guest panicked: ' + panic
        log = bytes(guest.log[-1500:]).decode(errors='replace')
        if reason == 'timeout':
            return 'the guest hangs; the end of its log:\n' + log
        return 'the guest ended too early; the end of its log:\n' + log

