# SPDX-License-Identifier: BSD-2-Clause
"""The root disk: what lasts, what the host reads back, which images serve."""

import hashlib
import os
import subprocess

from axolib import guest, image


def test_image_keeps_changes(kind):
    """debugfs on the host reads what the guest wrote; e2fsck finds nothing; the next boot sees it."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        script = ('mkdir -p /root/new/dir; seq 1 5000 > /root/new/file; ln -s ../file /root/new/dir/link; '
                  'ln /root/new/file /root/new/hard; chmod 4710 /root/new/hard; chown 12:34 /root/new/dir; '
                  'rm /etc/hosts; mv /etc/shells /etc/moved; printf tail >> /etc/motd')
        guest.expect_output(guest.execute(script, '--root', disk, kind=kind), '')
        guest.fsck(disk)
        guest.expect(guest.debugfs(disk, 'cat /root/new/file') == ''.join(f'{i}\n' for i in range(1, 5001)),
                     'the file reads back otherwise')
        status = guest.debugfs(disk, 'stat /root/new/hard')
        guest.expect('Mode:  04710' in status and 'Links: 2' in status, status)
        guest.expect('Fast link dest: "../file"' in guest.debugfs(disk, 'stat /root/new/dir/link'), 'link')
        status = guest.debugfs(disk, 'stat /root/new/dir')
        guest.expect('User:    12   Group:    34' in status, status)
        guest.expect('tail' == guest.debugfs(disk, 'cat /etc/motd'), 'motd')
        listing = guest.debugfs(disk, 'ls -p /etc')
        guest.expect('/hosts/' not in listing and '/moved/' in listing, listing)
        again = guest.execute('md5sum < /root/new/dir/link; cat /etc/motd; ls /root/new | cat', '--root', disk,
                              kind=kind)
        guest.expect(again.status == 0 and again.out.endswith('  -\ntaildir\nfile\nhard\n'), again)
        guest.fsck(disk)


def test_default_root_is_scratch(kind):
    guest.expect_output(guest.execute('echo x > /root/lasting; cat /root/lasting', kind=kind), 'x\n')
    guest.expect_output(guest.execute('ls /root | cat', kind=kind), '')


def test_overlay(kind):
    with guest.Scratch() as scratch:
        os.makedirs(scratch.file('over/etc'))
        os.makedirs(scratch.file('over/opt/new'))
        with open(scratch.file('over/etc/hostname'), 'w', encoding='ascii') as file:
            file.write('overlaid\n')
        with open(scratch.file('over/opt/new/run'), 'w', encoding='ascii') as file:
            file.write('#!/bin/sh\necho ran\n')
        os.chmod(scratch.file('over/opt/new/run'), 0o755)
        result = guest.execute('cat /etc/hostname; /opt/new/run; ls /etc/passwd', '--overlay', scratch.file('over'),
                               kind=kind)
        guest.expect_output(result, 'overlaid\nran\n/etc/passwd\n')


def test_root_directory(kind):
    """A directory of the user's own, with next to nothing in it, is a root."""
    with guest.Scratch() as scratch:
        root = scratch.file('root')
        os.makedirs(os.path.join(root, 'bin'))
        subprocess.run(['cp', '/bin/busybox', os.path.join(root, 'bin', 'busybox')], check=True)
        os.symlink('busybox', os.path.join(root, 'bin', 'sh'))
        result = guest.execute('echo /*; /bin/busybox uname -s', '--root', root, kind=kind)
        guest.expect(result.status == 0 and '/bin' in result.out and result.out.endswith('Linux\n'), result)


def test_block_sizes(kind):
    """File systems with blocks of 1, 2 and 4 KiB serve as roots and stay clean."""
    with guest.Scratch() as scratch:
        root = scratch.file('root')
        os.mkdir(root)
        image.fill_default(root)
        for block in (1024, 2048, 4096):
            disk = scratch.file(f'{block}.img')
            image.make(root, disk, 128, block=block)
            script = ('cd /root; i=0; while [ $i -lt 100 ]; do seq 1 $((i*20)) > f$i; i=$((i+1)); done; '
                      'cat f* | wc -l; dd if=/dev/zero of=big bs=64k count=400 2>/dev/null; '
                      'sha256sum big | cut -c1-8; rm f*5 big; mkdir -p a/b/c; ls | wc -l; stat -f -c %s .')
            result = guest.execute(script, '--root', disk, kind=kind)
            lines = sum(i * 20 for i in range(100))
            guest.expect_output(result, f'{lines}\n{zeros_digest(400 * 65536)}\n91\n{block}\n')
            guest.fsck(disk)


def zeros_digest(count):
    return hashlib.sha256(bytes(count)).hexdigest()[:8]


def test_features_refused(kind):
    """An unknown incompatible feature: no root, and no crash of the system either."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        subprocess.run(['debugfs', '-w', '-R', 'feature +extents', disk], check=True, capture_output=True)
        result = guest.execute('echo mounted', '--root', disk, kind=kind, limit=30)
        guest.expect('mounted' not in result.out and result.status == 3, result)


def test_full_disk(kind):
    with guest.Scratch() as scratch:
        root = scratch.file('root')
        os.mkdir(root)
        image.fill_default(root)
        disk = scratch.file('small.img')
        image.make(root, disk, 24)
        script = ('cd /root; dd if=/dev/zero of=fill bs=64k 2>&1 | grep -c "No space"; echo more > x; echo $?; '
                  'rm fill; echo more > x; cat x')
        result = guest.execute(script, '--root', disk, kind=kind)
        guest.expect(result.status == 0 and result.out.startswith('1\n') and result.out.endswith('more\n'), result)
        guest.fsck(disk)


def test_large_directory(kind):
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        script = ('mkdir /root/d; cd /root/d; seq 1 4000 | xargs touch; ls | wc -l; rm 1*; ls | wc -l; '
                  'seq 5001 6000 | xargs touch; ls | wc -l')
        guest.expect_output(guest.execute(script, '--root', disk, kind=kind, limit=120), '4000\n2889\n3889\n')
        guest.fsck(disk)
        listed = [line for line in guest.debugfs(disk, 'ls -p /root/d').splitlines() if line.startswith('/')]
        guest.expect(len(listed) == 3889 + 2, f'debugfs counts {len(listed)}')


def test_tree_by_host(kind):
    """Directories, holes, large offsets, made by the guest, dumped by debugfs."""
    with guest.Scratch() as scratch:
        disk = scratch.disk()
        script = ('cd /root; cp -a /etc copy; dd if=/dev/urandom of=random bs=64k count=40 2>/dev/null; '
                  'dd if=random of=sparse bs=64k seek=1000 count=5 2>/dev/null; sha256sum random sparse copy/passwd')
        result = guest.execute(script, '--root', disk, kind=kind, limit=120)
        guest.expect(result.status == 0, result)
        guest.fsck(disk)
        for line in result.out.splitlines():
            digest, name = line.split()
            guest.debugfs(disk, f'dump /root/{name} {scratch.file("dumped")}')
            done = subprocess.run(['sha256sum', scratch.file('dumped')], text=True, capture_output=True, check=True)
            guest.expect(done.stdout.split()[0] == digest, f'{name}: {done.stdout} instead of {digest}')
