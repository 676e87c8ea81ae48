/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/exec/exec.h"

#include "abi/linux/errno.h"
#include "lib/core/util.h"
#include "lib/exec/arch/x86_64/machine.h"
#include "lib/exec/elf64.h"

/* Alignments above this are not worth the address space; ELF asks for no more than huge pages. */
#define ALIGN_MAX (1ull << 30)

/* Program header number i; it lies within the header bytes (checked by check_header). */
static struct elf64_phdr phdr_of(const struct exec_image *image, unsigned i)
{
	struct elf64_phdr phdr;

	__builtin_memcpy(
		&phdr, (const char *)image->header + image->phoff + i * sizeof(phdr), sizeof(phdr));
	return phdr;
}

static int prot_of(const struct elf64_phdr *phdr)
{
	return ((phdr->flags & ELF64_PF_R) ? EXEC_PROT_READ : 0) |
		((phdr->flags & ELF64_PF_W) ? EXEC_PROT_WRITE : 0) |
		((phdr->flags & ELF64_PF_X) ? EXEC_PROT_EXEC : 0);
}

static int check_header(struct exec_image *image, struct elf64_header *header)
{
	uint64_t phdrs_end;

	if (image->header_len < sizeof(*header) || image->file_size < image->header_len) {
		return -ENOEXEC;
	}
	__builtin_memcpy(header, image->header, sizeof(*header));
	if (__builtin_memcmp(header->ident, "\177ELF", 4) != 0 ||
		header->ident[4] != ELF64_CLASS_64 || header->ident[5] != ELF64_DATA_LITTLE ||
		header->ident[6] != ELF64_VERSION || header->version != ELF64_VERSION) {
		return -ENOEXEC;
	}
	if (header->machine != EXEC_MACHINE ||
		(header->type != ELF64_TYPE_EXEC && header->type != ELF64_TYPE_DYN)) {
		return -ENOEXEC;
	}
	if (header->phnum == 0 || header->phentsize != sizeof(struct elf64_phdr) ||
		!checked_add(
			header->phoff, header->phnum * sizeof(struct elf64_phdr), &phdrs_end) ||
		phdrs_end > image->header_len) {
		return -ENOEXEC;
	}
	image->is_dyn = header->type == ELF64_TYPE_DYN;
	image->phoff = header->phoff;
	image->phnum = header->phnum;
	return 0;
}

/* Check one PT_LOAD; *end is the end of the one before it, in bytes, and becomes the end of this.
 */
static int check_load(struct exec_image *image, const struct elf64_phdr *phdr, uint64_t *end)
{
	uint64_t mem_end, file_end, page_end;

	if (phdr->filesz > phdr->memsz || !checked_add(phdr->vaddr, phdr->memsz, &mem_end) ||
		!checked_align_up(mem_end, AXO_PAGE_SIZE, &page_end) ||
		!checked_add(phdr->offset, phdr->filesz, &file_end) ||
		file_end > image->file_size) {
		return -ENOEXEC;
	}
	if (phdr->align > 1) {
		if ((phdr->align & (phdr->align - 1)) != 0 || phdr->align > ALIGN_MAX) {
			return -ENOEXEC;
		}
		image->align = u64_max(image->align, phdr->align);
	}
	if (*end == 0) {
		image->start = AXO_PAGE_DOWN(phdr->vaddr);
	} else if (phdr->vaddr < *end) {
		return -ENOEXEC; /* segments ascend and do not overlap */
	}
	if (page_end - image->start > image->high - image->low) {
		return -ENOEXEC;
	}
	image->end = page_end;
	*end = mem_end;
	return 0;
}

int exec_parse(struct exec_image *image)
{
	struct elf64_header header;
	uint64_t end = 0;
	int result = check_header(image, &header);

	if (result != 0) {
		return result;
	}
	image->has_interp = false;
	image->is_stack_executable = true;
	image->align = AXO_PAGE_SIZE;
	for (unsigned i = 0; i < image->phnum; i++) {
		struct elf64_phdr phdr = phdr_of(image, i);
		uint64_t interp_end;

		if (phdr.type == ELF64_PT_LOAD && phdr.memsz != 0) {
			result = check_load(image, &phdr, &end);
			if (result != 0) {
				return result;
			}
		} else if (phdr.type == ELF64_PT_GNU_STACK) {
			image->is_stack_executable = (phdr.flags & ELF64_PF_X) != 0;
		} else if (phdr.type == ELF64_PT_INTERP && !image->has_interp) {
			if (phdr.filesz < 2 || phdr.filesz > EXEC_INTERP_MAX ||
				!checked_add(phdr.offset, phdr.filesz, &interp_end) ||
				interp_end > image->file_size) {
				return -ENOEXEC;
			}
			image->has_interp = true;
			image->interp_offset = phdr.offset;
			image->interp_len = phdr.filesz;
		}
	}
	if (end == 0) {
		return -ENOEXEC;
	}
	if (!image->is_dyn && (image->start < image->low || image->end > image->high)) {
		return -ENOEXEC;
	}
	/* The entry point must lie in the image: anything else could only fault. */
	if (header.entry < image->start || header.entry >= image->end) {
		return -ENOEXEC;
	}
	image->entry = header.entry;
	return 0;
}

/* Where the program headers appear in memory once loaded, or 0. */
static vaddr_t find_phdr_addr(const struct exec_image *image)
{
	uint64_t len = (uint64_t)image->phnum * sizeof(struct elf64_phdr);

	for (unsigned i = 0; i < image->phnum; i++) {
		struct elf64_phdr phdr = phdr_of(image, i);

		if (phdr.type == ELF64_PT_LOAD && image->phoff >= phdr.offset &&
			image->phoff + len <= phdr.offset + phdr.filesz) {
			return image->phoff - phdr.offset + phdr.vaddr + image->bias;
		}
	}
	return 0;
}

int exec_place(struct exec_image *image, vaddr_t base)
{
	struct elf64_header header;

	if (image->is_dyn) {
		if (!is_aligned(base, AXO_PAGE_SIZE) ||
			!range_within(base, image->end - image->start, image->low, image->high)) {
			return -ENOMEM;
		}
		image->bias = base - image->start;
	} else {
		image->bias = 0;
	}
	__builtin_memcpy(&header, image->header, sizeof(header));
	image->base = image->start + image->bias;
	image->entry = header.entry + image->bias;
	image->brk = image->end + image->bias;
	image->phdr_addr = find_phdr_addr(image);
	return 0;
}

int exec_place_random(struct exec_image *image, vaddr_t first, vaddr_t last, uint64_t random)
{
	uint64_t span = image->end - image->start;
	uint64_t places;

	if (!image->is_dyn) {
		return exec_place(image, 0);
	}
	if (!checked_align_up(first, image->align, &first) || first >= last ||
		last - first < span) {
		return -ENOMEM;
	}
	places = (last - first - span) / image->align + 1;
	/* start need not be aligned to more than a page: the bias is what must be. */
	first += image->start & (image->align - 1);
	if (first + span > last) {
		return -ENOMEM;
	}
	if (first + (places - 1) * image->align + span > last) {
		places--;
	}
	return exec_place(image, first + (random % places) * image->align);
}

/* A segment's bytes and pages once placed. */
struct segment {
	vaddr_t addr;       /* first byte */
	vaddr_t file_end;   /* end of the bytes that the file gives */
	vaddr_t mem_end;    /* end of all bytes */
	vaddr_t first_page; /* first page not yet mapped for an earlier segment */
	vaddr_t page_end;
	uint64_t offset;
	int prot;
};

/* Fill a segment by copying; pages from first_page on are mapped here. */
static int load_by_copy(const struct segment *seg, const struct exec_ops *ops, void *opaque)
{
	uint64_t len = seg->page_end - seg->first_page;
	int result;

	if (len > 0) {
		result = ops->map_anon(
			opaque, seg->first_page, len, seg->prot | EXEC_PROT_READ | EXEC_PROT_WRITE);
		if (result != 0) {
			return result;
		}
	}
	if (seg->file_end > seg->addr) {
		result = ops->copy(opaque, seg->addr, seg->offset, seg->file_end - seg->addr);
		if (result != 0) {
			return result;
		}
	}
	if (len > 0 && ops->protect != NULL && !(seg->prot & EXEC_PROT_WRITE)) {
		return ops->protect(opaque, seg->first_page, len, seg->prot);
	}
	return 0;
}

/* Map a segment; -ENOSYS, with nothing mapped, when the file cannot be mapped. */
static int load_by_mapping(const struct segment *seg, const struct exec_ops *ops, void *opaque)
{
	vaddr_t start = AXO_PAGE_DOWN(seg->addr);
	vaddr_t file_page_end = AXO_PAGE_UP(seg->file_end);
	int result;

	if (ops->map_file == NULL || seg->first_page != start || seg->file_end == seg->addr ||
		(seg->offset & AXO_PAGE_MASK) != (seg->addr & AXO_PAGE_MASK) ||
		(seg->mem_end > seg->file_end && !(seg->prot & EXEC_PROT_WRITE))) {
		return -ENOSYS;
	}
	result = ops->map_file(
		opaque, start, file_page_end - start, AXO_PAGE_DOWN(seg->offset), seg->prot);
	if (result != 0) {
		return result;
	}
	if (seg->mem_end > seg->file_end && file_page_end > seg->file_end) {
		result = ops->clear(opaque, seg->file_end, file_page_end - seg->file_end);
		if (result != 0) {
			return result == -ENOSYS ? -EIO : result;
		}
	}
	if (seg->page_end > file_page_end) {
		result = ops->map_anon(
			opaque, file_page_end, seg->page_end - file_page_end, seg->prot);
	}
	return result == -ENOSYS ? -EIO : result;
}

/*
 * Let a segment that begins in the last page of the one before write there: the page gets the
 * protections of both.
 */
static int open_shared_page(
	const struct segment *seg, int prot, const struct exec_ops *ops, void *opaque)
{
	if (ops->protect == NULL) {
		return 0;
	}
	return ops->protect(opaque, AXO_PAGE_DOWN(seg->addr), AXO_PAGE_SIZE, prot);
}

static int load_segment(
	const struct segment *seg, int prev_prot, const struct exec_ops *ops, void *opaque)
{
	bool shares_page = seg->first_page > AXO_PAGE_DOWN(seg->addr);
	int result;

	if (shares_page) {
		result = open_shared_page(
			seg, prev_prot | seg->prot | EXEC_PROT_READ | EXEC_PROT_WRITE, ops, opaque);
		if (result != 0) {
			return result;
		}
	}
	result = load_by_mapping(seg, ops, opaque);
	if (result == -ENOSYS) {
		result = load_by_copy(seg, ops, opaque);
	}
	if (result == 0 && shares_page && !((prev_prot | seg->prot) & EXEC_PROT_WRITE)) {
		result = open_shared_page(seg, prev_prot | seg->prot, ops, opaque);
	}
	return result;
}

int exec_load(const struct exec_image *image, const struct exec_ops *ops, void *opaque)
{
	vaddr_t mapped_end = 0;
	int prev_prot = 0;
	int result;

	if (ops->clear_process != NULL) {
		result = ops->clear_process(opaque);
		if (result != 0) {
			return result;
		}
	}
	for (unsigned i = 0; i < image->phnum; i++) {
		struct elf64_phdr phdr = phdr_of(image, i);
		struct segment seg = {
			.addr = phdr.vaddr + image->bias,
			.file_end = phdr.vaddr + phdr.filesz + image->bias,
			.mem_end = phdr.vaddr + phdr.memsz + image->bias,
			.offset = phdr.offset,
			.prot = prot_of(&phdr),
		};

		if (phdr.type != ELF64_PT_LOAD || phdr.memsz == 0) {
			continue;
		}
		seg.first_page = u64_max(AXO_PAGE_DOWN(seg.addr), mapped_end);
		seg.page_end = AXO_PAGE_UP(seg.mem_end);
		result = load_segment(&seg, prev_prot, ops, opaque);
		if (result != 0) {
			return result;
		}
		/* A page may be shared by more than two segments: then it has the protections of
		 * all. */
		if (seg.first_page < seg.page_end) {
			prev_prot = seg.prot;
		} else {
			prev_prot |= seg.prot;
		}
		mapped_end = seg.page_end;
	}
	return 0;
}

bool exec_is_interp_path(const char *bytes, uint64_t len)
{
	if (len < 2 || bytes[0] == '\0') {
		return false;
	}
	for (uint64_t i = 0; i < len - 1; i++) {
		if (bytes[i] == '\0') {
			return false;
		}
	}
	return bytes[len - 1] == '\0';
}
