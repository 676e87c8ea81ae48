/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF loader: one for the kernel (which loads VM), VM (boot processes), RS and VFS (exec).
 *
 * Order of use: fill header, header_len, file_size, low and high; exec_parse() checks all that can
 * be checked; exec_place() gives the image its base; exec_load() maps it through the callbacks.
 * Everything before exec_load() has no effect on the target, so that a bad file fails cleanly.
 *
 * The library allocates nothing, keeps nothing, and reads only the header bytes it is given.
 */
#pragma once

#include "abi/types.h"

/* Protections, with the values of PROT_READ, PROT_WRITE and PROT_EXEC. */
#define EXEC_PROT_READ  1
#define EXEC_PROT_WRITE 2
#define EXEC_PROT_EXEC  4

#define EXEC_INTERP_MAX 4096 /* bytes of a PT_INTERP path, its NUL included */

/*
 * How the loader changes the target. Addresses and lengths of map_* and protect are whole pages,
 * those of copy and clear are bytes. Each returns 0 or a negative errno, which ends the load.
 */
struct exec_ops {
	/* Drop all that the target maps: the point of no return. May be NULL (nothing to drop). */
	int (*clear_process)(void *opaque);
	/* Zeroed private memory at exactly this address; it replaces what is there. */
	int (*map_anon)(void *opaque, vaddr_t addr, uint64_t len, int prot);
	/* Private mapping of the file; -ENOSYS: the loader copies instead. May be NULL (always
	 * copy). */
	int (*map_file)(void *opaque, vaddr_t addr, uint64_t len, uint64_t offset, int prot);
	/* Copy bytes of the file to mapped, writable memory. */
	int (*copy)(void *opaque, vaddr_t addr, uint64_t offset, uint64_t len);
	/* Zero mapped, writable memory. */
	int (*clear)(void *opaque, vaddr_t addr, uint64_t len);
	/* Change the protection of mapped memory. May be NULL (it stays writable). */
	int (*protect)(void *opaque, vaddr_t addr, uint64_t len, int prot);
};

struct exec_image {
	/* In: */
	const void *header;  /* first bytes of the file, any alignment */
	uint64_t header_len; /* bytes at header; must reach past the program headers */
	uint64_t file_size;  /* bytes in the file */
	vaddr_t low;         /* lowest address that the target may use */
	vaddr_t high;        /* end of the addresses that the target may use */

	/* Out, by exec_parse(), before placement (addresses as in the file): */
	bool is_dyn;              /* ET_DYN: the base is the caller's choice */
	bool has_interp;          /* wants the interpreter named in the file at interp_offset */
	bool is_stack_executable; /* by PT_GNU_STACK; true when there is none, as on Linux */
	uint16_t phnum;
	uint64_t phoff;
	uint64_t interp_offset;
	uint64_t interp_len; /* bytes, the NUL included: 2 ... EXEC_INTERP_MAX */
	vaddr_t start;       /* page of the lowest PT_LOAD address */
	vaddr_t end;         /* end of the last page of any PT_LOAD */
	uint64_t align;      /* largest alignment asked for; at least a page */

	/* Out, by exec_place(): */
	uint64_t bias;     /* what is added to each address in the file */
	vaddr_t base;      /* address of the first byte mapped: start + bias */
	vaddr_t entry;     /* initial program counter of this image */
	vaddr_t phdr_addr; /* AT_PHDR, or 0 when the headers are not mapped */
	vaddr_t brk;       /* end of the image: where the heap may begin */
};

/*
 * Check the file and fill in the first group of results. -ENOEXEC: not an ELF program for this
 * machine, or damaged, or with addresses outside low ... high.
 */
int exec_parse(struct exec_image *image);

/*
 * Give the image its place: ET_DYN at `base` (whole pages; the page of its lowest address goes
 * there), ET_EXEC where the file says (base is ignored). -ENOMEM: it would leave low ... high.
 */
int exec_place(struct exec_image *image, vaddr_t base);

/*
 * As exec_place(), at a base chosen by the random number `random` between first and last (the end
 * of the window); -ENOMEM when the image does not fit in the window.
 */
int exec_place_random(struct exec_image *image, vaddr_t first, vaddr_t last, uint64_t random);

/* Map and fill the target. A failure leaves the target half made. */
int exec_load(const struct exec_image *image, const struct exec_ops *ops, void *opaque);

/* Whether interp_len bytes read from the file are a path: one NUL, at the end, and not empty. */
bool exec_is_interp_path(const char *bytes, uint64_t len);
