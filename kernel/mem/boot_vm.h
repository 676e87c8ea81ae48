/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot: VM is the one process that the kernel loads itself. */
#pragma once

/* Load `vm` from the boot archive into the boot address space and make its process. Panics when it cannot. */
void boot_vm_load(void);
