/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot: VM is the one process that the kernel loads itself. */
#pragma once

/* The other processes of the boot image: slots that wait for VM to load them, and RS to give them
 * privileges. */
void boot_procs_create(void);
/* Load `vm` from the boot archive into the boot address space and make its process. Panics when it
 * cannot. */
void boot_vm_load(void);
