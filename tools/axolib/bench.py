# SPDX-License-Identifier: BSD-2-Clause
"""./axo bench: boot time, memory, and the micro-benchmark, Axolotl and a Linux guest in turn in one run."""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time

from . import build, host, image, linux, machine
from .host import UserError

OSBENCH = os.path.join(host.ROOT, 'tests', 'bench', 'osbench.c')
PROMPT = re.compile(rb'(~|/) ?[#$] ')
BOOT_LIMIT_S = 60
BENCH_LIMIT_S = 900


def configuration_for(kind, disk, memory):
    configuration = machine.Configuration(kind)
    configuration.disk = disk
    configuration.mem = memory
    return configuration


def seconds_to_prompt(configuration):
    """Boots a machine and tells how long it is from QEMU's start to the first prompt on the console."""
    shown = bytearray()
    began = time.monotonic()
    guest = machine.Machine(configuration, shown.extend)
    try:
        while not PROMPT.search(shown):
            if time.monotonic() - began > BOOT_LIMIT_S or not guest.step(0.05):
                raise UserError(f'no prompt:\n{shown.decode(errors="replace")}')
        return time.monotonic() - began
    finally:
        guest.end()


def boot_times(kind, runs, memory, work):
    """Seconds to the prompt of both systems, interleaved."""
    disk = image.default_root()
    initrd = os.path.join(work, 'prompt.gz')
    linux.initramfs(initrd, linux.PROMPT_INIT)
    times = {'Axolotl': [], 'Linux': []}
    for _ in range(runs):
        times['Axolotl'].append(seconds_to_prompt(configuration_for(kind, disk, memory)))
        guest = linux.Guest(configuration_for(kind, disk, memory), initrd)
        times['Linux'].append(seconds_to_prompt(guest))
    return times


def compile_osbench(directory):
    program = os.path.join(directory, 'osbench')
    done = subprocess.run(['musl-gcc', '-std=c11', '-static', '-O2', '-o', program, OSBENCH], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise UserError(f'osbench does not compile:\n{done.stdout}')


def run_command(configuration, guest=None):
    """What a command prints in a guest that then powers off."""
    output = bytearray()
    outcome = machine.Machine(guest or configuration, output.extend).run(BENCH_LIMIT_S)
    if outcome.reason:
        host.say(f'a guest failed: {outcome.reason[:300]}')
    return output.decode(errors='replace')


def figures(text):
    """{metric: (median, unit) or the reason there is none} of osbench's lines."""
    result = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in ('ns', 'MiB/s', 'op/s'):
            result[words[0]] = (float(words[3]), words[2])
        elif len(words) >= 2 and words[1] in ('unsupported', 'crashed', 'timeout'):
            result[words[0]] = ' '.join(words[1:])
    return result


def osbench(kind, metrics, memory, work):
    """The figures of both systems."""
    root = os.path.join(work, 'root')
    os.mkdir(root)
    os.chmod(root, 0o755)
    image.fill_default(root)
    compile_osbench(os.path.join(root, 'bin'))
    command = 'osbench -t 30 -r 5 -T 30 ' + ' '.join(metrics)
    linux.with_command(root, command)
    disk = os.path.join(work, 'disk.img')
    image.make(root, disk, image.DEFAULT_MIB, owner=os.getuid())
    initrd = os.path.join(work, 'disk.gz')
    linux.initramfs(initrd, linux.DISK_INIT, linux.modules())
    axolotl = configuration_for(kind, disk, memory)
    axolotl.command = command
    ours = figures(run_command(axolotl))
    other = configuration_for(kind, disk, memory)
    other.command = command
    return ours, figures(run_command(other, linux.Guest(other, initrd)))


def text_of(figure):
    if isinstance(figure, tuple):
        return f'{figure[0]:,.0f} {figure[1]}'
    return figure or '-'


def print_table(ours, theirs):
    """Each metric side by side; the ratio is above 1 where Axolotl is slower."""
    print(f'{"metric":20} {"Axolotl":>20} {"Linux":>20} {"ratio":>8}')
    for name in sorted(set(ours) | set(theirs), key=list([*theirs, *ours]).index):
        mine, other = ours.get(name), theirs.get(name)
        ratio = ''
        if isinstance(mine, tuple) and isinstance(other, tuple) and mine[0] and other[0]:
            value = mine[0] / other[0] if mine[1] == 'ns' else other[0] / mine[0]
            ratio = f'{value:.2f}'
        print(f'{name:20} {text_of(mine):>20} {text_of(other):>20} {ratio:>8}')


def main(arguments):
    parser = argparse.ArgumentParser(prog='./axo bench', description='Measures Axolotl and a Linux guest in turn.')
    parser.add_argument('metrics', nargs='*', metavar='METRIC', help='of osbench (all); boot: the boot time only')
    parser.add_argument('--runs', type=int, default=5, help='boots of each system (5)')
    parser.add_argument('--mem', type=int, default=256, help='memory in MiB (256)')
    parser.add_argument('--debug', action='store_const', dest='kind', const='debug', default='release',
                        help='measure the debug build')
    options = parser.parse_args(arguments)
    build.build(options.kind)
    linux.kernel()
    with tempfile.TemporaryDirectory(prefix='axo-bench.') as work:
        os.chmod(work, 0o755)
        if not options.metrics or 'boot' in options.metrics:
            times = boot_times(options.kind, options.runs, options.mem, work)
            print("seconds from QEMU's start to the shell's prompt: median (least to most)")
            for system, values in times.items():
                print(f'{system:10} {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})')
        metrics = [metric for metric in options.metrics if metric != 'boot']
        if metrics or not options.metrics:
            print_table(*osbench(options.kind, metrics, options.mem, work))
    return 0


if __name__ == '__main__':
    host.main(main)
