/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS -> file system. VFS sends each request asynchronously with a transaction number and waits in
 * a coroutine for the answer: a message of type (op | PROTO_REPLY) that begins with struct
 * fs_reply_head. A file system serves one request at a time or several, as it likes. Buffers and
 * names come by grant (VFS is the granter).
 *
 * VFS holds counted references to inodes: LOOKUP, CREATE, ... each give one; PUTNODE gives `count`
 * back. VFS walks paths itself, one component by LOOKUP; "." and ".." and mount points are VFS's
 * (".." of a directory is asked with LOOKUP of ".."). VFS checks permissions; the file system
 * checks what depends on its own structures (ENOTDIR, EEXIST, ENOTEMPTY, EMLINK, ENOSPC, EROFS,
 * ENAMETOOLONG, EFBIG).
 */
#pragma once

#include "abi/message.h"

enum fs_op {
	FS_MOUNT = FS_BASE_OP, /* fs_mount_req -> fs_mount_rep */
	FS_UNMOUNT,  /* fs_dev_req: everything written back, superblock clean; then RS stops the
			process */
	FS_LOOKUP,   /* fs_name_req -> fs_node_rep */
	FS_PUTNODE,  /* fs_putnode_req */
	FS_CREATE,   /* fs_create_req -> fs_node_rep: regular file; -EEXIST if there */
	FS_MKDIR,    /* fs_create_req -> fs_node_rep */
	FS_MKNOD,    /* fs_create_req -> fs_node_rep */
	FS_SYMLINK,  /* fs_symlink_req -> fs_node_rep */
	FS_LINK,     /* fs_link_req */
	FS_UNLINK,   /* fs_name_req: -EISDIR for a directory */
	FS_RMDIR,    /* fs_name_req */
	FS_RENAME,   /* fs_rename_req */
	FS_READLINK, /* fs_io_req (offset 0) -> fs_io_rep */
	FS_READ,     /* fs_io_req -> fs_io_rep: short only at the end of file */
	FS_WRITE,    /* fs_io_req -> fs_io_rep */
	FS_TRUNCATE, /* fs_truncate_req */
	FS_STAT, /* fs_ino_req -> struct stat by grant: fs_io_req with len = sizeof(struct stat) */
	FS_SETATTR,   /* fs_setattr_req -> fs_attr_rep */
	FS_GETDENTS,  /* fs_io_req -> fs_io_rep: struct linux_dirent64 records; offset is a cookie
			 (0: start), d_off of a record: the next one's */
	FS_SYNC,      /* fs_dev_req: whole file system */
	FS_FSYNC,     /* fs_ino_req */
	FS_STATFS,    /* fs_io_req: struct statfs by grant */
	FS_PEEK,      /* fs_io_req without a grant -> fs_io_rep: bring [offset, offset + len) into
			 VM's cache, as far as the file goes; -ENOSYS: files of this file system cannot
			 be mapped */
	FS_REMOUNT,   /* fs_mount_req: flags only */
	FS_NEWDRIVER, /* fs_newdriver_req: the block driver has (a new) endpoint */
	FS_MKWRITE,   /* fs_io_req without a grant -> fs_io_rep: a shared mapping is about to be
			 written: the pages are cached, have their blocks, and are dirty from now on.
			 -ENOSPC, -EIO, -EROFS; beyond the end -EFAULT */
	FS_REBIND,    /* fs_putnode_req: after FS_MOUNT with FS_MOUNT_RECOVER: VFS holds `count`
			 references of the inode -> fs_node_rep */
	FS_RECOVERED, /* fs_dev_req: all inodes are bound again: what nobody holds may go */
	FS_ALLOCATE, /* fs_allocate_req -> fs_attr_rep: fallocate(2) of a regular file; -EOPNOTSUPP:
			the file system, or not in this mode */
};

/* First in each reply. */
struct fs_reply_head {
	uint32_t seq;
	int32_t result; /* 0 or negative errno */
};

/* First in each request. */
struct fs_req_head {
	uint32_t seq;
	uint32_t pad;
	uint64_t ino; /* inode the request is about; directory for names */
};

#define FS_MOUNT_RDONLY 1
#define FS_MOUNT_ROOT   2
#define FS_MOUNT_RECOVER                                                                          \
	4 /* the process before died: its cached pages, dirty ones too, are in VM; inodes without \
	     a name stay until FS_RECOVERED */
struct fs_mount_req {
	struct fs_req_head head;
	uint64_t dev;      /* device number (Linux encoding in 64 bits), also st_dev of its files */
	endpoint_t driver; /* block driver, EP_NONE for file systems without a device */
	uint32_t flags;    /* FS_MOUNT_* */
	grant_t data;      /* mount options string, GRANT_INVALID if none */
	uint32_t data_len;
};
PROTO_FITS(fs_mount_req);

/* What VFS keeps of an inode; it stays true until VFS itself asks for a change (VFS is the only
 * client). */
struct fs_node {
	uint64_t ino;
	uint64_t size;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t nlink;
	uint64_t rdev;
};
struct fs_node_rep {
	struct fs_reply_head head;
	struct fs_node node;
};
PROTO_FITS(fs_node_rep);

struct fs_mount_rep {
	struct fs_reply_head head;
	struct fs_node root;
	uint32_t flags; /* FS_FLAG_* */
};
#define FS_FLAG_RDONLY 1 /* came up read-only (unknown ro_compat features, errors) */
#define FS_FLAG_NOCACHE                                                                           \
	2 /* names and attributes change by themselves (proc): VFS caches nothing, asks STAT each \
	     time */
#define FS_FLAG_MEMORY 4 /* no device behind */
#define FS_FLAG_PEEK   8 /* FS_PEEK and FS_MKWRITE work: files are in VM's cache by (dev, ino) */
PROTO_FITS(fs_mount_rep);

struct fs_dev_req {
	struct fs_req_head head;
};
struct fs_ino_req {
	struct fs_req_head head;
};

/* A name in directory head.ino. */
struct fs_name_req {
	struct fs_req_head head;
	grant_t name;
	uint32_t name_len;   /* without NUL; 1..255, else -ENAMETOOLONG / -ENOENT */
	char short_name[32]; /* the name itself when name_len <= 32: no grant then (GRANT_INVALID)
			      */
};
PROTO_FITS(fs_name_req);

struct fs_putnode_req {
	struct fs_req_head head;
	uint64_t count;
};

struct fs_create_req {
	struct fs_req_head head;
	grant_t name;
	uint32_t name_len;
	uint32_t mode; /* type and permission bits, umask applied */
	uint32_t uid, gid;
	uint32_t pad;
	uint64_t rdev; /* MKNOD */
};
PROTO_FITS(fs_create_req);

struct fs_symlink_req {
	struct fs_req_head head;
	grant_t name;
	uint32_t name_len;
	grant_t target;
	uint32_t target_len;
	uint32_t uid, gid;
};
PROTO_FITS(fs_symlink_req);

struct fs_link_req {
	struct fs_req_head head; /* ino: directory */
	grant_t name;
	uint32_t name_len;
	uint64_t target_ino;
};

struct fs_rename_req {
	struct fs_req_head head; /* ino: old directory */
	uint64_t new_dir;
	grant_t old_name;
	uint32_t old_len;
	grant_t new_name;
	uint32_t new_len;
	uint32_t flags; /* RENAME_NOREPLACE 1, RENAME_EXCHANGE 2 */
};
PROTO_FITS(fs_rename_req);

struct fs_io_req {
	struct fs_req_head head;
	grant_t grant;   /* magic grant to the program's buffer, or direct to VFS's, or indirect */
	endpoint_t user; /* whose call it is for; EP_NONE: no program's */
	uint64_t offset; /* file position or cookie */
	uint64_t len;    /* bytes */
};
struct fs_io_rep {
	struct fs_reply_head head;
	uint64_t done;   /* bytes */
	uint64_t offset; /* next position or cookie */
	uint64_t size;   /* WRITE: the file's size now */
};
PROTO_FITS(fs_io_req);

struct fs_truncate_req {
	struct fs_req_head head;
	uint64_t size;
};

struct fs_allocate_req {
	struct fs_req_head head;
	uint64_t offset, len; /* their sum fits 63 bits */
	uint32_t mode;        /* FS_ALLOCATE_*, Linux's values */
	uint32_t pad;
};
#define FS_ALLOCATE_KEEP_SIZE  1
#define FS_ALLOCATE_PUNCH_HOLE 2 /* with KEEP_SIZE */

#define FS_ATTR_MODE      1
#define FS_ATTR_UID       2
#define FS_ATTR_GID       4
#define FS_ATTR_ATIME     8
#define FS_ATTR_MTIME     16
#define FS_ATTR_CTIME     32 /* implied by every change */
#define FS_ATTR_ATIME_NOW 64
#define FS_ATTR_MTIME_NOW 128
#define FS_ATTR_ATIME_READ                                                                         \
	256 /* alone: the file has been read from the cache: its access time becomes now where the \
	     rules (relatime) want that; nothing else changes */
struct fs_setattr_req {
	struct fs_req_head head;
	uint32_t mask;
	uint32_t mode;
	uint32_t uid, gid;
	int64_t atime_ns, mtime_ns; /* since the epoch */
};
PROTO_FITS(fs_setattr_req);
struct fs_attr_rep {
	struct fs_reply_head head;
	struct fs_node node;
};

struct fs_newdriver_req {
	struct fs_req_head head;
	endpoint_t driver;
};

/*
 * Magic links of the proc file system: symbolic links that lead to an object and not to a name.
 * fs_node.rdev of such a link is FS_MAGIC(kind, pid, number); VFS follows it, and answers readlink,
 * without asking the file system.
 */
enum fs_magic {
	FS_MAGIC_FD = 1,     /* /proc/PID/fd/N: the open file itself */
	FS_MAGIC_CWD,        /* /proc/PID/cwd */
	FS_MAGIC_ROOT,       /* /proc/PID/root */
	FS_MAGIC_EXE,        /* /proc/PID/exe */
	FS_MAGIC_SELF,       /* /proc/self: the caller's "PID" (pid and number 0) */
	FS_MAGIC_THREAD_SELF /* /proc/thread-self: the caller's "PID/task/TID" */
};
#define FS_MAGIC(kind, pid, number)                                                \
	((uint64_t)(kind) << 56 | (uint64_t)((uint32_t)(number)&0xfffffff) << 28 | \
		((uint32_t)(pid)&0xfffffff))
#define FS_MAGIC_KIND(rdev)   ((int)((rdev) >> 56))
#define FS_MAGIC_PID(rdev)    ((int32_t)((rdev)&0xfffffff))
#define FS_MAGIC_NUMBER(rdev) ((int32_t)((rdev) >> 28 & 0xfffffff))
