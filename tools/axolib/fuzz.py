# SPDX-License-Identifier: BSD-2-Clause
"""Builds and runs the fuzzers: each meson target whose name ends in _fuzz is a libFuzzer program."""

import json
import os
import subprocess
import time

from . import build, host
from .host import UserError

SECONDS = int(os.environ.get('AXO_FUZZ_SECONDS', '60'))
AT_ONCE = 2


def targets(kind):
    """{name: (source folder, program)} of the fuzzers that meson knows."""
    build.configure(kind)
    directory = build.directory(kind)
    subprocess.run(['ninja', '--quiet', '-C', directory, 'build.ninja'], stdout=subprocess.DEVNULL, check=False)
    text = subprocess.run(['meson', 'introspect', '--targets', directory], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return {target['name'][:-len('_fuzz')]: (os.path.dirname(target['defined_in']), target['filename'][0])
            for target in json.loads(text) if target['name'].endswith('_fuzz')}


class Running:
    """A fuzzer at work on its corpus, which is kept from run to run."""

    def __init__(self, name, folder, program):
        self.name = name
        work = os.path.join(host.BUILD, 'fuzz')
        corpus = os.path.join(work, f'{name}.corpus')
        os.makedirs(corpus, exist_ok=True)
        seeds = os.path.join(folder, 'fuzz', 'seeds')
        self.log = open(os.path.join(work, f'{name}.log'), 'w+', encoding='utf-8', errors='replace')
        self.process = subprocess.Popen(
            [program, f'-max_total_time={SECONDS}', '-timeout=10', '-rss_limit_mb=2048',
             f'-artifact_prefix={work}/{name}.', corpus] + ([seeds] if os.path.isdir(seeds) else []),
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def problem(self):
        """The end of a failed fuzzer's output; None when it found nothing."""
        if self.process.returncode == 0:
            return None
        self.log.seek(0)
        return '\n'.join(self.log.read().splitlines()[-60:])


def run(kind, result, wanted):
    """Runs the fuzzers that are wanted, two at a time."""
    waiting = {name: where for name, where in targets(kind).items() if wanted(f'fuzz/{name}')}
    running = []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            name = next(iter(waiting))
            folder, program = waiting.pop(name)
            try:
                build.build(kind, [os.path.relpath(program, build.directory(kind))])
                running.append(Running(name, folder, program))
            except UserError as error:
                result(f'fuzz/{name}', str(error))
        for one in [one for one in running if one.process.poll() is not None]:
            result(f'fuzz/{one.name}', one.problem())
            running.remove(one)
        time.sleep(0.2)
