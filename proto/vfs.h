/* SPDX-License-Identifier: BSD-2-Clause */
/* The VFS protocol, beside programs' LINUX_CALL messages. All of it arrives asynchronously, none is
 * answered by reply. */
#pragma once

#include "abi/message.h"

enum vfs_op {
	/* PM -> VFS. Those marked R are answered with PM_VFS_REPLY. */
	VFS_PM_FORK = VFS_BASE, /* vfs_pm_fork: arrives before the child's first call */
	VFS_PM_EXIT,            /* R vfs_pm_ep: the process is gone: close its files */
	VFS_PM_THREAD_EXIT,     /* vfs_pm_ep: a thread of several is gone; its call in progress is
				   dropped */
	VFS_PM_EXEC,            /* answered with PM_VFS_EXEC_REPLY: vfs_pm_exec */
	VFS_PM_SETIDS,          /* vfs_pm_setids */
	VFS_PM_GROUPS, /* vfs_pm_groups: supplementary groups by copying from PM's memory */
	VFS_PM_CANCEL, /* R vfs_pm_ep: answer the thread's call in progress with EINTR or a restart
			  code, then reply; result 0: answered now or before; the program's answer
			  always goes first */
	VFS_PM_JOBCTL_REPLY, /* vfs_pm_jobctl_reply */
	VFS_PM_SYNC,         /* R: write everything back (reboot): vfs_pm_ep with ep EP_NONE */
	VFS_PM_UNMOUNT_ALL,  /* R: for power-off: unmount what can be, remount the rest read-only */
	VFS_PM_RLIMIT,       /* vfs_pm_rlimit */
	/* VM -> VFS */
	VFS_VM_REQUEST, /* vfs_vm_request: answered with VM_VFS_REPLY */
	/* RS -> VFS */
	VFS_RS_MAPDRIVER, /* vfs_rs_mapdriver: a driver came up (again) or went */
	VFS_RS_FS_REPLY,  /* vfs_rs_fs_reply: answer to RS_FS_START */
	VFS_RS_DEAD,      /* vfs_rs_ep: a file system or driver has died for good */
	VFS_RS_RECOVERED, /* vfs_rs_ep: a file system's process is a new one under the same
			     endpoint: mount it again with FS_MOUNT_RECOVER, rebind, send again what
			     was in flight */
	/* drivers and file systems -> VFS: answers (FS: FS op | PROTO_REPLY, CHR: op |
	   PROTO_REPLY), and */
	VFS_CHR_READY, /* vfs_chr_ready: a watched device became ready */
	/* proc file system -> VFS: answered by an asynchronous message of type (op | PROTO_REPLY)
	 */
	VFS_GETINFO /* vfs_getinfo -> vfs_getinfo_rep */
};

struct vfs_pm_fork {
	endpoint_t parent, child; /* threads */
	int32_t pid;              /* of the child's process */
	uint32_t flags;           /* VFS_FORK_* */
};
#define VFS_FORK_THREAD 1 /* CLONE_THREAD: the child belongs to the parent's process */
#define VFS_FORK_FILES  2 /* CLONE_FILES: shares the descriptor table */
#define VFS_FORK_FS     4 /* CLONE_FS: shares root, working directory, umask */

struct vfs_pm_ep {
	endpoint_t ep;
	uint32_t seq; /* given back in the reply */
	uint32_t flags;
};
#define VFS_EXIT_LEADER 1 /* the process led its session: the terminal is hung up */

struct vfs_pm_exec {
	endpoint_t ep;             /* the calling thread; all others are gone */
	int32_t dirfd;             /* execveat, AT_FDCWD else */
	uint64_t path, argv, envp; /* in the caller's memory */
	int32_t flags;             /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
	uint32_t seq;
	uint64_t stack_limit; /* RLIMIT_STACK, bytes */
};
PROTO_FITS(vfs_pm_exec);

struct vfs_pm_setids {
	endpoint_t ep; /* main thread */
	int32_t pid, pgid, sid;
	uint32_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
};
PROTO_FITS(vfs_pm_setids);

struct vfs_pm_groups {
	endpoint_t ep;
	uint32_t count;
	uint32_t groups[12]; /* all when count <= 12; more: in further messages, `first` says from
				where */
};
PROTO_FITS(vfs_pm_groups);
/* PM allows at most VFS_GROUPS_MAX supplementary groups. */
#define VFS_GROUPS_MAX 12

struct vfs_pm_jobctl_reply {
	endpoint_t ep;
	int32_t result; /* 0: go ahead; -EIO; -ERESTARTSYS: the signal is on its way */
	uint32_t seq;
};

struct vfs_pm_rlimit {
	endpoint_t ep;
	int32_t which; /* RLIMIT_NOFILE 7, RLIMIT_FSIZE 1 */
	uint64_t cur, max;
};

/* What VM wants of VFS. VFS serves them in order of arrival for each file. */
enum vfs_vm_what {
	VFS_VM_LOOKUP = 1, /* descriptor fd of ep: handle, dev, ino, size; a reference on the file
			      for VM. len: mmap's prot, offset: its flags */
	VFS_VM_DROP,       /* VM gives its reference back; not answered */
	VFS_VM_PEEK, /* len bytes at offset of `file` into the page cache: the reply's size says how
			many bytes there are (short at the end of file); -ENOSYS: cannot be mapped
		      */
	VFS_VM_MKWRITE, /* a shared mapping of `file` is about to be written at offset, len: dirty
			   and with its blocks when answered */
	VFS_VM_SYNC     /* msync(MS_SYNC): write `file` back */
};
struct vfs_vm_request {
	uint32_t id; /* given back */
	int32_t what;
	endpoint_t ep; /* LOOKUP: whose descriptor */
	int32_t fd;
	int32_t file; /* handle */
	uint64_t offset, len;
};
PROTO_FITS(vfs_vm_request);

#define VFS_MAJOR_CHR 0
#define VFS_MAJOR_BLK 1
struct vfs_rs_mapdriver {
	endpoint_t ep; /* EP_NONE: nobody serves these any more */
	uint32_t kind; /* VFS_MAJOR_* */
	uint32_t majors[8];
	uint32_t count;
	uint32_t restarted; /* the driver was restarted: requests in flight are lost, re-issue or
			       fail */
};
PROTO_FITS(vfs_rs_mapdriver);

struct vfs_rs_fs_reply {
	uint32_t seq;
	int32_t result; /* 0, -ENODEV: no such type */
	endpoint_t ep;
};

struct vfs_rs_ep {
	endpoint_t ep;
};

struct vfs_chr_ready {
	uint32_t minor;
	uint32_t major;
	uint32_t events; /* POLLIN ... */
};

enum vfs_info_what {
	VFS_INFO_FDS = 1,     /* struct vfs_fd_info[] of process pid, from descriptor `next` on */
	VFS_INFO_PROC,        /* struct vfs_proc_info of pid */
	VFS_INFO_MOUNTS,      /* struct vfs_mount_info[] */
	VFS_INFO_FD_PATH,     /* path of descriptor `next` of pid (string) */
	VFS_INFO_CWD,         /* path */
	VFS_INFO_ROOT,        /* path */
	VFS_INFO_EXE,         /* path */
	VFS_INFO_FILE,        /* path of VM's file handle `next` */
	VFS_INFO_FILESYSTEMS, /* names of types, one a line */
	VFS_INFO_CMDLINE,     /* the argument strings as they lie in the program's memory, from byte
				 `next` on */
	VFS_INFO_ENVIRON      /* the environment strings likewise */
};
struct vfs_getinfo {
	int32_t what;
	int32_t pid;
	uint64_t next;
	grant_t grant; /* to VFS, writable */
	uint32_t bytes;
	uint32_t seq;
};
struct vfs_getinfo_rep {
	int32_t result; /* bytes stored, or negative errno */
	uint32_t seq;
	uint64_t next; /* 0: no more */
};
struct vfs_fd_info {
	int32_t fd;
	uint32_t flags; /* O_* */
	uint32_t cloexec;
	uint32_t mode; /* st_mode of the file */
	uint64_t pos, dev, ino;
};
struct vfs_proc_info {
	uint32_t umask;
	uint32_t fd_count, fd_table;
	uint32_t tty_dev; /* controlling terminal as in stat, 0: none */
	int32_t tty_pgrp;
	uint32_t pad;
	uint64_t read_bytes, write_bytes, read_calls, write_calls;
};
struct vfs_mount_info {
	uint64_t dev;
	uint64_t flags; /* MS_* */
	int32_t id, parent_id;
	char type[16], source[64], target[256];
};
