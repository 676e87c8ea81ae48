# SPDX-License-Identifier: BSD-2-Clause
"""Configures and runs the build. Each kind of build has a directory of its own under build/."""

import argparse
import fcntl
import os
import subprocess

from . import host
from .host import UserError

KINDS = {
    'debug': ['--buildtype=debugoptimized', '-Dchecks=true'],
    'release': ['--buildtype=release', '-Doptimization=2', '-Dchecks=false'],
    'clang': ['--buildtype=debugoptimized', '-Dchecks=true'],
}
SYSTEM = ['kernel/axolotl.elf', 'tools/boot.img']


def directory(kind):
    return os.path.join(host.BUILD, kind)


def kernel(kind):
    return os.path.join(directory(kind), 'kernel', 'axolotl.elf')


def archive(kind):
    return os.path.join(directory(kind), 'tools', 'boot.img')


def configure(kind):
    """Makes the build directory, if it is not there yet."""
    path = directory(kind)
    if os.path.exists(os.path.join(path, 'build.ninja')):
        return
    crosses = ['--cross-file', 'tools/meson/x86_64.ini']
    if kind == 'clang':
        crosses += ['--cross-file', 'tools/meson/clang.ini']
    host.say(f'configuring build/{kind}')
    command = ['meson', 'setup', path, *crosses, *KINDS[kind]]
    done = subprocess.run(command, cwd=host.ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise UserError(f'meson failed:\n{done.stdout}')
    link = os.path.join(host.ROOT, 'compile_commands.json')
    if not os.path.lexists(link):
        os.symlink(os.path.join('build', kind, 'compile_commands.json'), link)


def build(kind, targets=SYSTEM):
    """Brings the targets up to date; quick and silent when they are. One build at a time in a directory."""
    os.makedirs(host.BUILD, exist_ok=True)
    with open(os.path.join(host.BUILD, f'{kind}.lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_locked(kind, targets)


def build_locked(kind, targets):
    configure(kind)
    command = ['ninja', '--quiet', '-C', directory(kind), *targets]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        begin = max(done.stdout.find('FAILED'), 0)
        raise UserError(f'the build failed:\n{done.stdout[begin:].strip()}')


def main(arguments):
    parser = argparse.ArgumentParser(prog='./axo build', description='Builds everything.')
    parser.add_argument('--debug', action='append_const', dest='kinds', const='debug',
                        help='with assertions and sanity checks (the default)')
    parser.add_argument('--release', action='append_const', dest='kinds', const='release',
                        help='optimised, without them')
    parser.add_argument('--clang', action='append_const', dest='kinds', const='clang',
                        help='the debug build, by clang')
    options = parser.parse_args(arguments)
    for kind in options.kinds or ['debug']:
        build(kind, targets=[])
    return 0


if __name__ == '__main__':
    host.main(main)
