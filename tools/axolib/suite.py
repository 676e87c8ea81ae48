# SPDX-License-Identifier: BSD-2-Clause
"""./axo test: runs every test, or those whose names are given, one line each, and a last line
`N passed, N failed`."""

import argparse
import difflib
import fnmatch
import importlib.util
import json
import os
import subprocess
import sys
import time
import traceback

from . import abi, build, fuzz, host, image
from .host import UserError

GUEST_TESTS = os.path.join(host.ROOT, 'tests', 'guest')


class Report:
    """Counts and prints results."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.began = self.last = time.monotonic()

    def result(self, name, problem):
        """One test's result; `problem` is None when it passed, else a text that tells what is wrong."""
        now = time.monotonic()
        took, self.last = now - self.last, now
        if problem is None:
            self.passed += 1
            print(f'ok     {name} ({took:.1f} s)', flush=True)
            return
        self.failed.append(name)
        print(f'FAILED {name} ({took:.1f} s)', flush=True)
        for line in problem.rstrip('\n').split('\n'):
            print(f'       | {line}', flush=True)

    def end(self):
        if self.failed:
            print('failed:', *self.failed, sep='\n  ')
        print(f'{self.passed} passed, {len(self.failed)} failed', flush=True)
        return 1 if self.failed else 0


class Selection:
    """Which tests were asked for: a name, a pattern, a group (its names begin with GROUP/), or all."""

    def __init__(self, patterns):
        self.patterns = patterns
        self.used = set()

    def __contains__(self, name):
        found = [pattern for pattern in self.patterns
                 if name == pattern or name.startswith((pattern.rstrip('/') + '/', pattern + '.'))
                 or fnmatch.fnmatch(name, pattern)
                 or pattern == name.split('/')[-1] or pattern == name.split('.')[-1]]
        self.used.update(found)
        return bool(found) or not self.patterns


def difference(reference, answer):
    """A diff of two answers, or None when they are the same."""
    if answer.status == reference.status and answer.output == reference.output:
        return None
    left = reference.output.decode(errors='backslashreplace').split('\n') + [f'[exit status {reference.status}]']
    right = answer.output.decode(errors='backslashreplace').split('\n') + [f'[exit status {answer.status}]']
    lines = list(difflib.unified_diff(left, right, 'Linux', 'Axolotl', lineterm='', n=2))
    return '\n'.join(lines[:80] + (['...'] if len(lines) > 80 else []))


def lint_tests(report, selection, _kind):
    if 'lint' in selection:
        done = subprocess.run([os.path.join(host.ROOT, 'tools', 'lint')], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        report.result('lint', None if done.returncode == 0 else done.stdout)


def build_tests(report, selection, kind):
    """Both compilers, both kinds: all that is built builds."""
    for other in ('clang', 'release', kind):
        name = f'build/{other}'
        if name not in selection:
            continue
        try:
            build.build(other, targets=[])
            report.result(name, None)
        except UserError as error:
            report.result(name, str(error))


def host_tests(report, selection, kind):
    """The unit tests that stand beside the code, by meson's own list."""
    build.configure(kind)
    listed = subprocess.run(['meson', 'introspect', '--tests', build.directory(kind)], text=True, check=True,
                            stdout=subprocess.PIPE).stdout
    names = sorted(test['name'] for test in json.loads(listed))
    wanted = [name for name in names if f'host/{name}' in selection]
    if not wanted:
        return
    build.build(kind, targets=[])
    for name in wanted:
        done = subprocess.run(['meson', 'test', '-C', build.directory(kind), '--no-rebuild', '--print-errorlogs',
                               name], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        report.result(f'host/{name}', None if done.returncode == 0 else done.stdout)


def abi_tests(report, selection, kind):
    """Linux and Axolotl side by side, in one boot."""
    cases = [case for case in abi.all_cases() if f'abi/{case.name}' in selection]
    clean = 'abi/file-system-clean' in selection
    if not cases:
        return
    build.build(kind)
    references = abi.on_host(cases)
    disk = os.path.join(host.BUILD, 'abi-disk.img')
    abi.make_disk(disk, cases)
    report.last = time.monotonic()

    def done(case, answer):
        reference = references.get(case.name)
        problem = difference(reference, answer) if reference else 'no reference: this machine did not come to it'
        report.result(f'abi/{case.name}', problem)

    ended = abi.GuestRun(kind, cases, done).run(disk)
    if clean:
        report.result('abi/file-system-clean',
                      check_file_system(disk) if ended else 'the last guest did not power off normally')


def check_file_system(disk):
    """What e2fsck has against an image; None when nothing."""
    done = subprocess.run(['e2fsck', '-fn', disk], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return None if done.returncode == 0 else done.stdout


def guest_tests(report, selection, kind):
    """The functions test_* of tests/guest: each boots as it likes and raises AssertionError when it failed."""
    for file in sorted(os.listdir(GUEST_TESTS)):
        if not file.endswith('.py'):
            continue
        group = file[:-3]
        spec = importlib.util.spec_from_file_location(group, os.path.join(GUEST_TESTS, file))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        tests = [name for name in vars(module) if name.startswith('test_')]
        for test in tests:
            name = f'guest/{group}.{test[5:]}'
            if name not in selection:
                continue
            try:
                vars(module)[test](kind)
                report.result(name, None)
            except (AssertionError, UserError) as error:
                report.result(name, str(error) or 'assertion failed')
            except Exception:  # pylint: disable=broad-except  # a test's own fault is its failure
                report.result(name, traceback.format_exc())


def fuzz_tests(report, selection, kind):
    fuzz.run(kind, report.result, lambda name: name in selection)


GROUPS = [lint_tests, build_tests, host_tests, abi_tests, guest_tests, fuzz_tests]


def main(arguments):
    parser = argparse.ArgumentParser(prog='./axo test', description='Runs the tests, or those named: '
                                     'lint, build/..., host/..., abi/..., guest/..., fuzz/...')
    parser.add_argument('names', nargs='*', metavar='NAME', help='a name, a group (abi), or a pattern (abi/shell.*)')
    parser.add_argument('--release', action='store_const', dest='kind', const='release', default='debug',
                        help='test the optimised build instead of the debug build')
    options = parser.parse_args(arguments)
    selection = Selection(options.names)
    report = Report()
    image.default_root()
    for group in GROUPS:
        try:
            group(report, selection, options.kind)
        except UserError as error:
            report.result(f'{group.__name__}: all of them', str(error))
    unknown = [name for name in options.names if name not in selection.used]
    for name in unknown:
        report.result(name, 'no test has this name')
    return report.end()


if __name__ == '__main__':
    host.main(main)
