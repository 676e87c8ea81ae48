/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of /proc/sys: constants of this system, and what PM and the kernel say. All are
 * read-only. */
#pragma once

#include "fs/proc/tree.h"

node_text_fn sysctl_osrelease, sysctl_ostype, sysctl_version;
node_text_fn sysctl_hostname, sysctl_domainname, sysctl_pid_max, sysctl_threads_max;
node_text_fn sysctl_ngroups_max, sysctl_cap_last_cap;
node_text_fn sysctl_boot_id, sysctl_uuid;
node_text_fn sysctl_zero, sysctl_256, sysctl_mmap_min_addr, sysctl_max_map_count,
	sysctl_pipe_max_size;
