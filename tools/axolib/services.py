# SPDX-License-Identifier: BSD-2-Clause
"""The services that run only in tests (tests/services): built, and laid out as an overlay for the root."""

import os
import shutil
import subprocess

from . import build, host

NAMES = ('grantor', 'requestor', 'hostile', 'refused', 'ds/dstest', 'watcher', 'pm_new', 'pm_careless',
         'vfs_careless', 'rs_new')
SOURCES = os.path.join(host.ROOT, 'tests', 'services')


def is_older(path, than):
    return not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(than)


def overlay(kind):
    """The directory of an overlay that has them, stripped, and their declarations in /services."""
    build.build(kind, ['test_services'])
    top = os.path.join(build.directory(kind), 'tests', 'overlay')
    directory = os.path.join(top, 'services')
    os.makedirs(directory, exist_ok=True)
    for name in NAMES:
        folder, file = os.path.split(name)
        built = os.path.join(build.directory(kind), 'tests', 'services', folder, f'test_{file}')
        copied = os.path.join(directory, file)
        if is_older(copied, built):
            subprocess.run(['strip', '-o', copied, built], check=True)
    declarations = os.path.join(directory, 'tests.conf')
    if is_older(declarations, os.path.join(SOURCES, 'tests.conf')):
        shutil.copyfile(os.path.join(SOURCES, 'tests.conf'), declarations)
    return top
