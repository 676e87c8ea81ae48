#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the kernel with test/payload.c in VM's place under QEMU and judges its diagnostics.

usage: run_payload.py KERNEL PAYLOAD MKBOOTARCHIVE [QEMU OPTION...]"""
import os
import subprocess
import sys
import tempfile

TIMEOUT_S = 60


def main():
    kernel, payload, mkbootarchive, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        archive, log, panic = (os.path.join(work, n) for n in ('archive', 'log', 'com1'))
        subprocess.run([sys.executable, mkbootarchive, archive, 'vm=' + payload], check=True)
        command = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-m', '32', '-display', 'none', '-no-reboot',
                   '-serial', 'file:' + panic, '-serial', 'file:' + log, '-kernel', kernel, '-initrd', archive,
                   '-append', 'log=com2'] + options
        try:
            subprocess.run(command, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            print('not ok: the guest did not switch itself off')
        with open(log, encoding='utf-8', errors='replace') as file:
            text = file.read()
    print(text)
    if 'KERNEL TEST PASSED' not in text or 'not ok' in text or 'panic' in text:
        sys.exit(1)


main()
