/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/conf_devices.h"

#include <string.h>

static bool has_number(const uint32_t *list, uint32_t count, uint32_t number)
{
	for (uint32_t i = 0; i < count; i++) {
		if (list[i] == number) {
			return true;
		}
	}
	return false;
}

static bool overlaps(const struct priv_range *ranges, uint32_t count, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < count; i++) {
		if (first <= ranges[i].end && last >= ranges[i].start) {
			return true;
		}
	}
	return false;
}

static int read_majors(struct parser *p, uint32_t *majors, uint32_t *count)
{
	int r = word_need(p, "device numbers");

	for (; r == 1; r = word_argument(p)) {
		uint64_t value;

		r = word_number(p, 4095, &value);
		if (r < 0) {
			return r;
		}
		if (has_number(majors, *count, (uint32_t)value)) {
			return word_fail(
				p, "'%s': %s stands here a second time", p->keyword, p->word);
		}
		if (*count == CONF_MAJORS_MAX) {
			return word_fail(
				p, "'%s' has more than %d numbers", p->keyword, CONF_MAJORS_MAX);
		}
		majors[(*count)++] = (uint32_t)value;
	}
	return r;
}

int conf_read_chr(struct parser *p)
{
	return read_majors(p, p->out->chr, &p->out->chr_count);
}

int conf_read_blk(struct parser *p)
{
	return read_majors(p, p->out->blk, &p->out->blk_count);
}

int conf_read_pci(struct parser *p)
{
	struct conf_service *out = p->out;
	int r = word_need(p, "devices as VENDOR:DEVICE");

	for (; r == 1; r = word_argument(p)) {
		const char *colon = strchr(p->word, ':');
		uint64_t vendor, device;

		if (!colon ||
			!word_digits(p->word, (size_t)(colon - p->word), 16, 0xffff, &vendor) ||
			!word_digits(colon + 1, strlen(colon + 1), 16, 0xffff, &device)) {
			return word_fail(
				p, "'pci': '%.32s' is not VENDOR:DEVICE in hexadecimal", p->word);
		}
		if (has_number(out->pci, out->pci_count, (uint32_t)(vendor << 16 | device))) {
			return word_fail(p, "'pci': %s stands here a second time", p->word);
		}
		if (out->pci_count == CONF_PCI_MAX) {
			return word_fail(p, "'pci' has more than %d devices", CONF_PCI_MAX);
		}
		out->pci[out->pci_count++] = (uint32_t)(vendor << 16 | device);
	}
	return r;
}

/* Pairs of a first value and a count; the argument read last is the first one. */
static int read_ranges(struct parser *p, uint64_t limit, struct priv_range *ranges, uint32_t *count)
{
	int r = 1;

	for (; r == 1; r = word_argument(p)) {
		uint64_t start, length;

		r = word_number(p, limit, &start);
		if (r == 0) {
			r = word_need_number(p, "a count after each start", limit, &length);
		}
		if (r < 0) {
			return r;
		}
		if (length == 0 || length - 1 > limit - start) {
			return word_fail(p, "'%s': the range of %.32s is empty or too long",
				p->keyword, p->word);
		}
		if (overlaps(ranges, *count, start, start + length - 1)) {
			return word_fail(
				p, "'%s': a part of the range stands here already", p->keyword);
		}
		if (*count == PRIV_RANGES) {
			return word_fail(
				p, "'%s' has more than %d ranges", p->keyword, PRIV_RANGES);
		}
		ranges[*count].start = start;
		ranges[*count].end = start + length - 1;
		(*count)++;
	}
	return r;
}

int conf_read_io(struct parser *p)
{
	int r = word_need(p, "ports");

	if (r == 1 && strcmp(p->word, "all") == 0) {
		p->out->io_all = true;
		return word_end(p);
	}
	return r < 0 ? r : read_ranges(p, 0xffff, p->out->io, &p->out->io_count);
}

int conf_read_mem(struct parser *p)
{
	int r = word_need(p, "addresses");

	return r < 0 ? r : read_ranges(p, (1ull << 52) - 1, p->out->mem, &p->out->mem_count);
}

int conf_read_irq(struct parser *p)
{
	struct conf_service *out = p->out;
	int r = word_need(p, "interrupt lines");

	for (; r == 1; r = word_argument(p)) {
		uint64_t value;

		r = word_number(p, 255, &value);
		if (r < 0) {
			return r;
		}
		for (uint32_t i = 0; i < out->irq_count; i++) {
			if (out->irq[i] == (int32_t)value) {
				return word_fail(p, "'irq': %s stands here a second time", p->word);
			}
		}
		if (out->irq_count == PRIV_IRQS) {
			return word_fail(p, "'irq' has more than %d lines", PRIV_IRQS);
		}
		out->irq[out->irq_count++] = (int32_t)value;
	}
	return r;
}
