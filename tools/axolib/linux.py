# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest to measure against: Debian's cloud kernel in the same QEMU on the same kind of disk.

The kernel is downloaded once by apt into build/linux."""

import gzip
import os
import re
import shutil
import stat
import tempfile

from . import host, image
from .host import UserError

PACKAGE = 'linux-image-cloud-amd64'
MODULES = ['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk']

# The smallest way to a prompt: what a boot is compared with.
PROMPT_INIT = '''#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s
exec /bin/busybox setsid /bin/busybox cttyhack /bin/sh -i
'''

# The disk becomes the root, and a command runs on the console; its status goes to the second serial line.
DISK_INIT = '''#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs dev /dev
for module in @MODULES@; do
	busybox insmod /$module || busybox poweroff -f
done
busybox mount -t ext2 /dev/vda /root || busybox poweroff -f
busybox mount --move /dev /root/dev
exec busybox switch_root /root /bin/busybox sh /.command
'''
COMMAND = '''export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
ip link set lo up
stty -F /dev/ttyS0 -onlcr -echo
setsid -c sh -c '@COMMAND@' < /dev/ttyS0 > /dev/ttyS0 2>&1
echo "axolotl: exit status $?" > /dev/ttyS1
sync
echo 0 > /proc/sys/kernel/printk
poweroff -f
'''


def kernel():
    """The directory of the unpacked kernel package."""
    top = os.path.join(host.BUILD, 'linux')
    if os.path.isdir(os.path.join(top, 'boot')):
        return top
    depends = image.run(['apt-cache', 'depends', PACKAGE])
    found = re.search(r'Depends: (linux-image-\S+)', depends)
    if not found:
        raise UserError(f'apt knows no {PACKAGE} (apt-get update?)')
    host.say(f'downloading {found[1]} to compare with')
    os.makedirs(host.BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=host.BUILD) as work:
        os.chmod(work, 0o755)
        image.run(['apt-get', '-q', 'download', found[1]], cwd=work)
        package = next(name for name in os.listdir(work) if name.endswith('.deb'))
        image.run(['dpkg-deb', '-x', os.path.join(work, package), os.path.join(work, 'x')])
        os.rename(os.path.join(work, 'x'), top)
    return top


def image_path():
    boot = os.path.join(kernel(), 'boot')
    return os.path.join(boot, next(name for name in os.listdir(boot) if name.startswith('vmlinuz-')))


def archive(directory, path):
    """Writes a directory as an initramfs: a cpio archive in the newc format, compressed."""
    out = bytearray()

    def add(name, mode, data, inode):
        encoded = name.encode() + b'\0'
        fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
        entry = b'070701' + b''.join(b'%08X' % field for field in fields) + encoded
        out.extend(entry.ljust((len(entry) + 3) & ~3, b'\0'))
        out.extend(data.ljust((len(data) + 3) & ~3, b'\0'))

    inode = 1
    for folder, names, files in os.walk(directory):
        for name in sorted(names + files):
            full = os.path.join(folder, name)
            mode = os.lstat(full).st_mode
            data = b''
            if stat.S_ISREG(mode):
                with open(full, 'rb') as file:
                    data = file.read()
            inode += 1
            add(os.path.relpath(full, directory), mode, data, inode)
    add('TRAILER!!!', 0, b'', 0)
    with gzip.open(path, 'wb', compresslevel=1) as file:
        file.write(bytes(out))


def initramfs(path, init, modules=()):
    with tempfile.TemporaryDirectory() as tree:
        for name in ('bin', 'sbin', 'usr/bin', 'usr/sbin', 'dev', 'proc', 'root'):
            os.makedirs(os.path.join(tree, name))
        shutil.copy(image.BUSYBOX, os.path.join(tree, 'bin', 'busybox'))
        for module in modules:
            shutil.copy(module, tree)
        with open(os.path.join(tree, 'init'), 'w', encoding='ascii') as file:
            file.write(init.replace('@MODULES@', ' '.join(os.path.basename(module) for module in modules)))
        os.chmod(os.path.join(tree, 'init'), 0o755)
        archive(tree, path)


def modules():
    """The disk driver and what it needs, where they are not part of the kernel itself."""
    files = image.run(['find', kernel(), '-name', 'virtio*.ko*']).split()
    found = []
    for name in MODULES:
        found += [file for file in files if re.fullmatch(rf'{name}\.ko(\..*)?', os.path.basename(file))]
    return found


class Guest:
    """Changes a machine.Configuration's QEMU command line into one that boots Linux."""

    def __init__(self, configuration, initrd):
        self.configuration = configuration
        self.initrd = initrd

    def __getattr__(self, name):
        return getattr(self.configuration, name)

    def qemu(self, console, log):
        command = self.configuration.qemu(console, log)
        for option, value in (('-kernel', image_path()), ('-initrd', self.initrd),
                              ('-append', 'console=ttyS0 quiet panic=-1')):
            command[command.index(option) + 1] = value
        return command


def with_command(directory, command):
    """Puts the command of DISK_INIT into a root directory."""
    with open(os.path.join(directory, '.command'), 'w', encoding='utf-8') as file:
        file.write(COMMAND.replace('@COMMAND@', command.replace("'", "'\\''")))
