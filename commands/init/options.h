/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel options that init obeys (docs/boot.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_PATH_MAX 256

struct options {
	char root[OPTIONS_PATH_MAX]; /* block device, "/dev/vda" unless root= */
	char root_type[16];          /* "ext2" unless rootfstype= */
	bool is_read_only;           /* ro */
	bool is_vga;                 /* console=vga */
	char *command;               /* exec=: what to run, or NULL */
};

/* Read the options out of the kernel command line. 0; -EINVAL: exec= is no base64; -ENOMEM. */
int options_parse(struct options *options, const char *line);

/* Decode base64 (padding may be missing): malloc()ed text with a NUL, or NULL when it is wrong. */
char *options_decode(const char *text, size_t len);
