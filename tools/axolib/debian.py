# SPDX-License-Identifier: BSD-2-Clause
"""Programs of the Debian packages that are installed on this machine, put into an overlay with all they need."""

import os
import re
import shutil
import subprocess

from .host import UserError


def copy(path, directory):
    """Copies a file of this machine to the same place under directory, symbolic links and their targets too."""
    target = directory + path
    if os.path.lexists(target):
        return
    real_folder = os.path.realpath(os.path.dirname(path))
    if real_folder != os.path.dirname(path):
        copy(os.path.join(real_folder, os.path.basename(path)), directory)
        link_folder(os.path.dirname(path), directory)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=False)
    if os.path.islink(path):
        copy(os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path))), directory)


def link_folder(folder, directory):
    """A folder that is a link on this machine (/lib) is a folder of links here: the root has its own /bin."""
    real = os.path.realpath(folder)
    os.makedirs(directory + folder, exist_ok=True)
    for name in os.listdir(directory + real):
        path = os.path.join(directory + folder, name)
        if not os.path.lexists(path) and os.path.isfile(directory + os.path.join(real, name)):
            os.symlink(os.path.join(real, name), path)


def libraries(path):
    """The shared libraries and the loader that a program or library needs."""
    done = subprocess.run(['ldd', path], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return re.findall(r'(/\S+) \(0x', done.stdout)


def add_program(path, directory):
    """Adds a program (as /usr/bin/python3) with its libraries."""
    if not os.path.exists(path):
        raise UserError(f'{path} is missing on this machine')
    copy(path, directory)
    for library in libraries(path):
        copy(library, directory)


def add_python(directory):
    """Debian's python3 with its standard library, compiled; without its own tests and what needs a screen."""
    add_program('/usr/bin/python3', directory)
    top = '/usr/lib/' + os.path.basename(os.path.realpath('/usr/bin/python3'))
    left_out = ('test', 'tkinter', 'idlelib', 'lib2to3', 'ensurepip', 'pydoc_data', 'turtledemo', 'config-*')
    shutil.copytree(top, directory + top, symlinks=True, ignore=shutil.ignore_patterns(*left_out),
                    ignore_dangling_symlinks=True)
    for folder, _, files in os.walk(top + '/lib-dynload'):
        for name in files:
            for library in libraries(os.path.join(folder, name)):
                copy(library, directory)
