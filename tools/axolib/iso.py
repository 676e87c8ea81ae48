# SPDX-License-Identifier: BSD-2-Clause
"""Makes an ISO image that boots Axolotl by GRUB, as a CD does on a PC with a BIOS."""

import os
import shutil

from . import build, image


def make(configuration, work):
    """Writes WORK/axolotl.iso with the kernel options of the configuration; answers its path."""
    tree = os.path.join(work, 'iso')
    os.makedirs(os.path.join(tree, 'boot', 'grub'))
    shutil.copy(build.kernel(configuration.kind), os.path.join(tree, 'boot', 'axolotl'))
    shutil.copy(build.archive(configuration.kind), os.path.join(tree, 'boot', 'boot.img'))
    with open(os.path.join(tree, 'boot', 'grub', 'grub.cfg'), 'w', encoding='ascii') as file:
        file.write('set timeout=0\n'
                   'menuentry Axolotl {\n'
                   f'\tmultiboot /boot/axolotl axolotl {configuration.kernel_options()}\n'
                   '\tmodule /boot/boot.img boot.img\n'
                   '}\n')
    path = os.path.join(work, 'axolotl.iso')
    image.run(['grub-mkrescue', '-d', '/usr/lib/grub/i386-pc', '-o', path, tree])
    return path
