/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "commands/init/copy.h"
#include "commands/init/devices.h"
#include "commands/init/say.h"
#include "commands/service/client.h"
#include "proto/blk.h"

#define NEW_ROOT "/mnt"
#define OLD_ROOT RUN_DIR "/old"

/* Give a service of the ramdisk to RS. */
static int hand_over(enum axo_service_cmd cmd, const char *name)
{
	char path[64], detail[160];
	struct client_file binary = {0}, conf = {0};
	int r;

	snprintf(path, sizeof(path), "/service/%s", name);
	r = client_read_file(path, &binary);
	if (r == 0) {
		snprintf(path, sizeof(path), "/etc/system.conf.d/%s.conf", name);
		r = client_read_file(path, &conf);
	}
	if (r == 0) {
		snprintf(path, sizeof(path), "RS");
		r = client_hand_over(cmd, name, &binary, &conf, detail, sizeof(detail));
		if (detail[0]) {
			say("init: declaration of %s: line %s", name, detail);
		}
	}
	if (r < 0) {
		say("init: service %s: %s: %s", name, path, strerror(-r));
	}
	free(binary.data);
	free(conf.data);
	return r;
}

static int try_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const char *data)
{
	if (mount(source, target, type, flags, data) < 0) {
		int error = errno;

		say("init: cannot mount %s as %s on %s: %s", source, type, target, strerror(error));
		return -error;
	}
	return 0;
}

void root_prepare(void)
{
	umask(022);
	(void)hand_over(AXO_SERVICE_TEMPLATE, "tmp");
	if (try_mount("dev", "/dev", "tmpfs", MS_NOSUID, "mode=0755") == 0) {
		(void)devices_make("/dev");
	}
	devices_open_console();
	say_open();
}

void root_start_services(void)
{
	static const char *const services[] = {"pci", "virtio_blk", "rtc"};
	static const char *const types[] = {"ext2", "proc", "block"};

	for (size_t i = 0; i < AXO_ARRAY_LEN(services); i++) {
		(void)hand_over(AXO_SERVICE_UP, services[i]);
	}
	for (size_t i = 0; i < AXO_ARRAY_LEN(types); i++) {
		(void)hand_over(AXO_SERVICE_TEMPLATE, types[i]);
	}
}

/* Read-write unless it must not or cannot be. */
static int mount_disk(const struct options *options)
{
	int error;

	if (!options->is_read_only) {
		if (mount(options->root, NEW_ROOT, options->root_type, 0, "") == 0) {
			return 0;
		}
		error = errno;
		if (error != EROFS && error != EACCES) {
			say_aloud("init: cannot mount %s as %s: %s", options->root,
				options->root_type, strerror(error));
			return -error;
		}
	}
	if (mount(options->root, NEW_ROOT, options->root_type, MS_RDONLY, "") < 0) {
		error = errno;
		say_aloud("init: cannot mount %s as %s: %s", options->root, options->root_type,
			strerror(error));
		return -error;
	}
	return 0;
}

/* The directories that the rest is mounted on; a read-only root must have them. */
static void make_directories(void)
{
	static const struct {
		const char *path;
		mode_t mode;
	} directories[] = {
		{NEW_ROOT "/dev", 0755},
		{NEW_ROOT "/proc", 0555},
		{NEW_ROOT "/run", 0755},
		{NEW_ROOT "/tmp", 01777},
		{NEW_ROOT "/root", 0700},
		{NEW_ROOT "/sys", 0555},
	};

	for (size_t i = 0; i < AXO_ARRAY_LEN(directories); i++) {
		struct stat st;

		if (stat(directories[i].path, &st) < 0 &&
			mkdir(directories[i].path, directories[i].mode) == 0) {
			(void)chmod(directories[i].path, directories[i].mode);
		}
	}
}

static bool is_writable(const char *directory)
{
	return access(directory, W_OK) == 0;
}

static void mount_the_rest(void)
{
	if (try_mount("dev", NEW_ROOT "/dev", "tmpfs", MS_NOSUID, "mode=0755") == 0) {
		(void)devices_make(NEW_ROOT "/dev");
	}
	(void)try_mount("proc", NEW_ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
	(void)try_mount("run", NEW_ROOT "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
	if (!is_writable(NEW_ROOT "/tmp")) {
		(void)try_mount("tmp", NEW_ROOT "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	}
}

/* The project's commands, services and declarations move to /run, for the ramdisk will be gone. */
static int copy_all(void)
{
	static const struct {
		const char *from, *to;
	} trees[] = {
		{"/bin", NEW_ROOT RUN_DIR "/bin"},
		{"/service", NEW_ROOT RUN_DIR "/service"},
		{"/etc/system.conf.d", NEW_ROOT RUN_DIR "/etc/system.conf.d"},
	};
	int result = 0;

	(void)mkdir(NEW_ROOT RUN_DIR, 0755);
	(void)mkdir(NEW_ROOT RUN_DIR "/etc", 0755);
	(void)mkdir(NEW_ROOT OLD_ROOT, 0755);
	for (size_t i = 0; i < AXO_ARRAY_LEN(trees); i++) {
		int r = copy_directory(trees[i].from, trees[i].to);

		if (r < 0) {
			say("init: cannot copy %s to %s: %s", trees[i].from, trees[i].to,
				strerror(-r));
			result = r;
		}
	}
	(void)copy_file("/etc/rc", NEW_ROOT RUN_DIR "/etc/rc");
	return result;
}

int root_switch(const struct options *options)
{
	int r = mount_disk(options);

	if (r < 0) {
		return r;
	}
	make_directories();
	mount_the_rest();
	r = copy_all();
	if (r < 0) {
		return r;
	}
	if (chdir(NEW_ROOT) < 0) {
		return -errno;
	}
	if (syscall(SYS_pivot_root, ".", "." OLD_ROOT) < 0) {
		say("init: pivot_root: %s", strerror(errno));
	}
	if (chroot(".") < 0 || chdir("/") < 0) {
		r = -errno;
		say("init: chroot: %s", strerror(-r));
	}
	return r;
}

static void free_ramdisk(void)
{
	uint64_t size = 0;
	int fd = open("/dev/imgrd", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, MIOCRAMSIZE, &size) < 0) {
		say("init: the ramdisk's memory stays: %s", strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
}

void root_leave_ramdisk(void)
{
	if (umount2(OLD_ROOT "/dev", MNT_DETACH) < 0) {
		say("init: the ramdisk's /dev stays: %s", strerror(errno));
	}
	if (umount2(OLD_ROOT, MNT_DETACH) < 0) {
		say("init: the ramdisk stays: %s", strerror(errno));
		return;
	}
	(void)rmdir(OLD_ROOT);
	free_ramdisk();
}
