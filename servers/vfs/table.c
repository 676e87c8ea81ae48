/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/table.h"

#include "abi/linux/calls.h"
#include "lib/core/util.h"
#include "servers/vfs/access.h"
#include "servers/vfs/attr.h"
#include "servers/vfs/dir.h"
#include "servers/vfs/dirs.h"
#include "servers/vfs/entries.h"
#include "servers/vfs/fcntl.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/filesync.h"
#include "servers/vfs/ioctl.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/mountcalls.h"
#include "servers/vfs/open.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/poll.h"
#include "servers/vfs/rw.h"
#include "servers/vfs/stat.h"
#include "servers/vfs/tty.h"

#define FAST(name, fn) [LINUX_NR_##name] = {fn, CALL_FAST}
#define WORKER(name, fn) [LINUX_NR_##name] = {fn, CALL_WORKER}

static const struct call_entry entries[] = {
	FAST(read, sys_read),
	FAST(write, sys_write),
	WORKER(open, sys_open),
	FAST(close, sys_close),
	WORKER(stat, sys_stat),
	FAST(fstat, sys_fstat),
	WORKER(lstat, sys_lstat),
	FAST(poll, sys_poll),
	FAST(lseek, sys_lseek),
	FAST(ioctl, sys_ioctl),
	FAST(pread64, sys_pread64),
	FAST(pwrite64, sys_pwrite64),
	FAST(readv, sys_readv),
	FAST(writev, sys_writev),
	WORKER(access, sys_access),
	FAST(pipe, sys_pipe),
	FAST(select, sys_select),
	FAST(dup, sys_dup),
	FAST(dup2, sys_dup2),
	WORKER(sendfile, sys_sendfile),
	FAST(fcntl, sys_fcntl),
	FAST(flock, sys_flock),
	WORKER(fsync, sys_fsync),
	WORKER(fdatasync, sys_fsync),
	WORKER(truncate, sys_truncate),
	WORKER(ftruncate, sys_ftruncate),
	WORKER(getdents, sys_getdents),
	FAST(getcwd, sys_getcwd),
	WORKER(chdir, sys_chdir),
	FAST(fchdir, sys_fchdir),
	WORKER(rename, sys_rename),
	WORKER(mkdir, sys_mkdir),
	WORKER(rmdir, sys_rmdir),
	WORKER(creat, sys_creat),
	WORKER(link, sys_link),
	WORKER(unlink, sys_unlink),
	WORKER(symlink, sys_symlink),
	WORKER(readlink, sys_readlink),
	WORKER(chmod, sys_chmod),
	WORKER(fchmod, sys_fchmod),
	WORKER(chown, sys_chown),
	WORKER(fchown, sys_fchown),
	WORKER(lchown, sys_lchown),
	FAST(umask, sys_umask),
	WORKER(utime, sys_utime),
	WORKER(mknod, sys_mknod),
	WORKER(ustat, sys_ustat),
	WORKER(statfs, sys_statfs),
	WORKER(fstatfs, sys_fstatfs),
	FAST(vhangup, sys_vhangup),
	WORKER(pivot_root, sys_pivot_root),
	WORKER(chroot, sys_chroot),
	WORKER(sync, sys_sync),
	WORKER(mount, sys_mount),
	WORKER(umount2, sys_umount2),
	FAST(readahead, sys_readahead),
	WORKER(setxattr, sys_xattr_path),
	WORKER(lsetxattr, sys_xattr_link),
	FAST(fsetxattr, sys_xattr_fd),
	WORKER(getxattr, sys_xattr_path),
	WORKER(lgetxattr, sys_xattr_link),
	FAST(fgetxattr, sys_xattr_fd),
	WORKER(listxattr, sys_xattr_path),
	WORKER(llistxattr, sys_xattr_link),
	FAST(flistxattr, sys_xattr_fd),
	WORKER(removexattr, sys_xattr_path),
	WORKER(lremovexattr, sys_xattr_link),
	FAST(fremovexattr, sys_xattr_fd),
	WORKER(getdents64, sys_getdents64),
	FAST(fadvise64, sys_fadvise64),
	WORKER(utimes, sys_utimes),
	WORKER(openat, sys_openat),
	WORKER(mkdirat, sys_mkdirat),
	WORKER(mknodat, sys_mknodat),
	WORKER(fchownat, sys_fchownat),
	WORKER(futimesat, sys_futimesat),
	FAST(newfstatat, sys_newfstatat),
	WORKER(unlinkat, sys_unlinkat),
	WORKER(renameat, sys_renameat),
	WORKER(linkat, sys_linkat),
	WORKER(symlinkat, sys_symlinkat),
	WORKER(readlinkat, sys_readlinkat),
	WORKER(fchmodat, sys_fchmodat),
	WORKER(faccessat, sys_faccessat),
	FAST(pselect6, sys_pselect6),
	FAST(ppoll, sys_ppoll),
	FAST(sync_file_range, sys_sync_file_range),
	WORKER(utimensat, sys_utimensat),
	WORKER(fallocate, sys_fallocate),
	FAST(dup3, sys_dup3),
	FAST(pipe2, sys_pipe2),
	FAST(preadv, sys_preadv),
	FAST(pwritev, sys_pwritev),
	WORKER(syncfs, sys_syncfs),
	WORKER(renameat2, sys_renameat2),
	WORKER(copy_file_range, sys_copy_file_range),
	FAST(preadv2, sys_preadv2),
	FAST(pwritev2, sys_pwritev2),
	WORKER(statx, sys_statx),
	FAST(close_range, sys_close_range),
	WORKER(openat2, sys_openat2),
	WORKER(faccessat2, sys_faccessat2),
};

const struct call_entry *call_entry(int nr)
{
	if (nr < 0 || (size_t)nr >= ARRAY_LEN(entries) || !entries[nr].handler) {
		return NULL;
	}
	return &entries[nr];
}
