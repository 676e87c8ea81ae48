# SPDX-License-Identifier: BSD-2-Clause
"""Makes root file systems: a directory is filled, and mke2fs -d makes an ext2 image of it.

Nothing here needs to be root: an image that another user made is given to root inode by inode."""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile

from . import host
from .host import UserError

BUSYBOX = '/bin/busybox'
BASH = '/bin/bash-static'
DEFAULT_MIB = 512
SPARE_MIB = 256
MAGIC_OFFSET = 0x438
MAGIC = b'\x53\xef'

DIRECTORIES = {
    'bin': 0o755, 'sbin': 0o755, 'usr': 0o755, 'usr/bin': 0o755, 'usr/sbin': 0o755, 'usr/lib': 0o755,
    'etc': 0o755, 'root': 0o700, 'home': 0o755, 'home/user': 0o755, 'tmp': 0o1777, 'dev': 0o755,
    'proc': 0o555, 'sys': 0o555, 'run': 0o755, 'mnt': 0o755, 'var': 0o755, 'var/log': 0o755,
    'var/tmp': 0o1777,
}
FILES = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n'
                  'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n'
                  'service:x:12:12:system services:/:/usr/sbin/nologin\n'
                  'user:x:1000:1000:a user:/home/user:/bin/sh\n'
                  'nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n',
    'etc/group': 'root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nservice:x:12:\nusers:x:100:\n'
                 'user:x:1000:\nnogroup:x:65534:\n',
    'etc/hostname': 'axolotl\n',
    'etc/hosts': '127.0.0.1 localhost\n',
    'etc/shells': '/bin/sh\n/bin/bash\n',
    'etc/os-release': 'NAME="Axolotl"\nID=axolotl\nPRETTY_NAME="Axolotl 0.1"\nVERSION_ID="0.1"\n',
    'etc/profile': 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/axolotl/bin\n'
                   "export PS1='\\u@\\h:\\w\\$ '\n"
                   'umask 022\n',
}


def run(command, **options):
    """Runs a host program; its failure is the user's to know in full."""
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise UserError(f'{command[0]} failed: {done.stdout.strip()}')
    return done.stdout


def applets():
    """The paths busybox installs itself under, such as usr/bin/awk."""
    return [line for line in run([BUSYBOX, '--list-full']).split() if '/' in line]


def fill_default(directory):
    """Puts the default root's files into an empty directory."""
    for name, mode in DIRECTORIES.items():
        path = os.path.join(directory, name)
        os.mkdir(path)
        os.chmod(path, mode)
    for name, text in FILES.items():
        with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(os.path.join(directory, name), 0o644)
    for source, name in ((BUSYBOX, 'bin/busybox'), (BASH, 'bin/bash')):
        shutil.copyfile(source, os.path.join(directory, name))
        os.chmod(os.path.join(directory, name), 0o755)
    for name in applets():
        path = os.path.join(directory, name)
        if not os.path.lexists(path):
            os.symlink('/bin/busybox', path)
    declarations = os.path.join(host.ROOT, 'etc')
    if os.path.isdir(declarations):
        shutil.copytree(declarations, os.path.join(directory, 'etc'), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('meson.build', '*.md', 'rc'))


def copy_over(source, directory):
    """Adds the files under source to directory, replacing what has the same name."""
    for folder, names, files in os.walk(source):
        target = os.path.normpath(os.path.join(directory, os.path.relpath(folder, source)))
        for name in names + files:
            old, new = os.path.join(folder, name), os.path.join(target, name)
            if os.path.isdir(old) and not os.path.islink(old):
                if not os.path.isdir(new):
                    os.mkdir(new)
                    shutil.copystat(old, new)
                continue
            if os.path.lexists(new):
                os.unlink(new)
            shutil.copy2(old, new, follow_symlinks=False)


def mib_of(directory):
    """The room that the files of a directory take, in MiB, counted by blocks of 4 KiB."""
    total = 0
    for folder, names, files in os.walk(directory):
        for name in names + files:
            size = os.lstat(os.path.join(folder, name)).st_size
            total += 4096 + (size + 4095) // 4096 * 4096
    return total // (1 << 20) + 1


def make(directory, image, mib, owner=None, block=4096):
    """Makes an ext2 image of a directory. Files of the user `owner` become root's."""
    partial = f'{image}.{os.getpid()}.new'
    if os.path.exists(partial):
        os.unlink(partial)
    run(['mke2fs', '-q', '-F', '-t', 'ext2', '-b', str(block), '-m', '0', '-L', 'axolotl',
         '-E', 'root_owner=0:0', '-d', directory, partial, f'{mib}m'])
    if owner:
        give_to_root(partial)
    os.rename(partial, image)


def give_to_root(image):
    """Makes uid 0 and gid 0 the owner of every inode in use."""
    fields = dict(line.split(':', 1) for line in run(['dumpe2fs', '-h', image]).splitlines()
                  if ':' in line)
    used = int(fields['Inode count']) - int(fields['Free inodes'])
    lines = []
    for inode in [2, *range(11, used + 1)]:
        lines += [f'sif <{inode}> uid 0', f'sif <{inode}> gid 0']
    with tempfile.NamedTemporaryFile('w', suffix='.debugfs') as script:
        script.write('\n'.join(lines) + '\n')
        script.flush()
        run(['debugfs', '-w', '-f', script.name, image])


def fingerprint(overlays):
    """Changes when anything changes that the default root is made of."""
    digest = hashlib.sha256()
    watched = [__file__, BUSYBOX, BASH]
    for top in [os.path.join(host.ROOT, 'etc'), *overlays]:
        for folder, names, files in os.walk(top):
            watched += [os.path.join(folder, name) for name in sorted(names + files)]
    for path in watched:
        status = os.lstat(path)
        digest.update(f'{path} {status.st_size} {status.st_mtime_ns} {status.st_mode}\n'.encode())
    return digest.hexdigest()


def default_root(overlays=(), name='root'):
    """The path of an up-to-date default root image, with the files of the overlays in it."""
    image = os.path.join(host.BUILD, f'{name}.img')
    key = f'{image}.key'
    for path, package in ((BUSYBOX, 'busybox-static'), (BASH, 'bash-static')):
        if not os.path.exists(path):
            raise UserError(f'{path} is missing (Debian package {package})')
    wanted = fingerprint(overlays)
    if os.path.exists(image) and os.path.exists(key):
        with open(key, encoding='ascii') as file:
            if file.read() == wanted:
                return image
    os.makedirs(host.BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=host.BUILD, prefix='stage.') as directory:
        os.chmod(directory, 0o755)
        fill_default(directory)
        for overlay in overlays:
            copy_over(overlay, directory)
        make(directory, image, max(DEFAULT_MIB, mib_of(directory) + SPARE_MIB), owner=os.getuid())
    with open(key, 'w', encoding='ascii') as file:
        file.write(wanted)
    return image


def of_directory(directory, image):
    """Makes an image of the user's directory; on a machine where axo is not root, root owns it all."""
    if not within(directory, '/bin/sh'):
        raise UserError(f'{directory}: no /bin/sh in it, so it cannot be a root')
    make(directory, image, mib_of(directory) * 5 // 4 + SPARE_MIB, owner=os.getuid())


def within(directory, path, depth=0):
    """The host's path of a guest path, its symbolic links read as in the guest; None if it is not there."""
    current = directory
    parts = [part for part in path.split('/') if part]
    while parts:
        part = parts.pop(0)
        if part == '..':
            if current != directory:
                current = os.path.dirname(current)
            continue
        current = os.path.join(current, part)
        if os.path.islink(current):
            if depth > 40:
                return None
            target = os.readlink(current)
            base = '' if target.startswith('/') else os.path.relpath(os.path.dirname(current), directory)
            return within(directory, '/'.join(['', base, target, *parts]).replace('/./', '/'), depth + 1)
    return current if os.path.exists(current) else None


def check_image(image):
    """Refuses a file that is not an ext2 file system with a shell in it."""
    try:
        if not stat.S_ISREG(os.stat(image).st_mode) and not stat.S_ISBLK(os.stat(image).st_mode):
            raise UserError(f'{image}: neither a directory nor an image')
        with open(image, 'rb') as file:
            file.seek(MAGIC_OFFSET)
            magic = file.read(2)
    except OSError as error:
        raise UserError(f'{image}: {error.strerror}') from error
    if magic != MAGIC:
        raise UserError(f'{image}: not an ext2 file system')
    if not os.access(image, os.W_OK):
        raise UserError(f'{image}: not writable (changes to an image last)')
    found = subprocess.run(['debugfs', '-R', 'stat /bin/sh', image], text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if 'Inode:' not in found.stdout:
        raise UserError(f'{image}: no /bin/sh in it, so it cannot be a root')


def copy(source, target):
    """Copies an image, holes kept."""
    run(['cp', '--reflink=auto', '--sparse=always', source, target])
