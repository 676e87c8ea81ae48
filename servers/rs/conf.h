/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Declarations of services: what a service may do, as text. docs/services.md describes the
 * language.
 *
 * The parser keeps nothing and allocates nothing; RS uses it for files that programs hand in, so
 * every byte is untrusted.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/types.h"

#define CONF_NAME_MAX    24    /* bytes with NUL; also of labels */
#define CONF_IPC_MAX     24    /* targets in an ipc list */
#define CONF_MAJORS_MAX  8     /* device numbers of a kind */
#define CONF_PCI_MAX     12    /* devices */
#define CONF_CONTROL_MAX 8     /* users that may control it */
#define CONF_PATH_MAX    64    /* bytes of a script's path with NUL */
#define CONF_TEXT_MAX    16384 /* bytes of a declaration that RS accepts */

enum conf_class {
	CONF_CLASS_DRIVER, /* a device driver (the default) */
	CONF_CLASS_FS,     /* a file system */
	CONF_CLASS_SERVER  /* one of the servers of the core */
};

enum conf_restart {
	CONF_RESTART_YES, /* from the kept binary after a crash (the default) */
	CONF_RESTART_NO   /* a crash is the end of it */
};

struct conf_service {
	char name[CONF_NAME_MAX];
	uint32_t line; /* of the word `service`, from 1 */
	enum conf_class class;
	enum conf_restart restart;
	uint32_t uid;
	bool is_core;      /* the system cannot go on without it */
	bool ipc_all;      /* may send to every service */
	bool io_all;       /* any port */
	bool magic_grants; /* may grant a third process's memory */
	bool heap;         /* may have memory of VM by brk and mmap (default: yes) */
	uint32_t ipc_count;
	char ipc[CONF_IPC_MAX][CONF_NAME_MAX]; /* labels, or @driver, @fs, @server */
	uint64_t kcalls;                       /* bit: kernel call; the basic set is not in it */
	uint64_t vm_calls;                     /* bit: operation of VM, from VM_BASE */
	uint32_t chr_count, blk_count, pci_count;
	uint32_t chr[CONF_MAJORS_MAX];
	uint32_t blk[CONF_MAJORS_MAX];
	uint32_t pci[CONF_PCI_MAX]; /* vendor << 16 | device */
	uint32_t io_count, mem_count, irq_count;
	struct priv_range io[PRIV_RANGES];
	struct priv_range mem[PRIV_RANGES];
	int32_t irq[PRIV_IRQS];
	int32_t priority;                   /* of the scheduler; the class's when not declared */
	uint64_t quantum_ns;                /* 0: the scheduler's default */
	uint64_t memory_max;                /* quota: bytes of address space; 0: no limit */
	uint32_t grants_max;                /* quota: grants at a time; 0: no limit */
	char signal_manager[CONF_NAME_MAX]; /* label, "self", or "rs" (the default) */
	uint64_t period_ns;                 /* of heartbeats; 0: not declared */
	bool replica;                       /* one is kept ready */
	char script[CONF_PATH_MAX];         /* recovery script; "": none */
	uint32_t control_count;
	uint32_t control[CONF_CONTROL_MAX]; /* user ids that may control it, beside root */
};

struct conf_error {
	uint32_t line;  /* from 1 */
	char text[104]; /* what is wrong there, one line without newline */
};

/* Where the parser stands in a text. */
struct conf_text {
	const char *text;
	size_t len;
	size_t pos;
	uint32_t line; /* starts at 1 */
};

/* Begin to read `len` bytes at `text`, which must stay while it is read. */
void conf_open(struct conf_text *in, const char *text, size_t len);

/*
 * Read the next declaration. 1: `out` has it; 0: the text has no more; -EINVAL: it is wrong, and
 * `error` says where and how.
 */
int conf_next(struct conf_text *in, struct conf_service *out, struct conf_error *error);

/*
 * Find the declaration for `name` in a text: the one of this name, or the only one there is. 0,
 * -ENOENT (error says so), or -EINVAL. The whole text must be right.
 */
int conf_find(const char *text, size_t len, const char *name, struct conf_service *out,
	struct conf_error *error);

/* Whether `name` can be the name of a service: letters, digits, '_', '-', '.'; begins with a
 * letter; fits. */
bool conf_is_name(const char *name);

/* The name of a class, as declarations write it. */
const char *conf_class_name(enum conf_class class);
