/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of mmap, munmap, mprotect, mremap, madvise, stores, file writes, truncation and
 * fork in a range of pages, each checked against a model of what every page is and holds (VM-01,
 * VM-05, VM-17, VM-19, VM-23, VM-33).
 */
#include "mem.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

enum { PAGES = 64, FILE_PAGES = 48, OBJECTS = 3000, LONGEST = 12 };
enum kind { NOTHING, PRIVATE, SHARED, FILE_PRIVATE, FILE_SHARED };

/* What the model knows of a page. */
struct page {
	enum kind kind;
	int protection;
	int mapping;    /* pages of one mmap call have one number */
	int object;     /* SHARED: which object */
	int index;      /* in the object or the file */
	bool copied;    /* FILE_PRIVATE: it has its own bytes */
	uint32_t value; /* of PRIVATE and copied pages */
};

static struct page model[PAGES];
static uint32_t object_values[OBJECTS][LONGEST];
static uint32_t file_values[FILE_PAGES];
static int file_pages = FILE_PAGES;
static int next_object, next_mapping;
static char *arena;
static int file;
static uint64_t state;
static long operation, checks;
static uint32_t next_value = 1;

static uint32_t pick(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static void wrong(const char *what, int page)
{
	printf("operation %ld: %s of page %d (kind %d, protection %d, index %d, copied %d)\n",
		operation, what, page, model[page].kind, model[page].protection, model[page].index,
		model[page].copied);
	fflush(stdout);
	_exit(1);
}

static bool from_file(const struct page *page)
{
	return page->kind == FILE_SHARED || (page->kind == FILE_PRIVATE && !page->copied);
}

static uint32_t *value_of(struct page *page)
{
	if (page->kind == SHARED) {
		return &object_values[page->object][page->index];
	}
	return from_file(page) ? &file_values[page->index] : &page->value;
}

/* What a read of the page must give: '.', 'm', 'a' or 'b'. */
static char expected(const struct page *page)
{
	if (page->kind == NOTHING) {
		return 'm';
	}
	if (page->protection == PROT_NONE) {
		return 'a';
	}
	bool of_file = page->kind == FILE_SHARED || page->kind == FILE_PRIVATE;
	return of_file && page->index >= file_pages ? 'b' : '.';
}

/* A value stands in the first and in the last bytes of a page. */
static void check_page(int i)
{
	struct page *page = &model[i];
	char *at = arena + i * PAGE;
	checks++;
	if (try_read(at + 4 * (i % 7)) != expected(page)) {
		wrong("access", i);
	}
	if (expected(page) != '.') {
		return;
	}
	if (*(volatile uint32_t *)at != *value_of(page) ||
		*(volatile uint32_t *)(at + PAGE - 4) != *value_of(page)) {
		wrong("contents", i);
	}
}

static void check_all(void)
{
	for (int i = 0; i < PAGES; i++) {
		check_page(i);
	}
	for (int i = 0; i < FILE_PAGES; i++) {
		uint32_t value = 0;
		ssize_t got = pread(file, &value, sizeof value, (long)i * PAGE);
		if (got != (i < file_pages ? 4 : 0) || (got == 4 && value != file_values[i])) {
			printf("operation %ld: page %d of the file reads %zd %u, not %u\n",
				operation, i, got, value, file_values[i]);
			fflush(stdout);
			_exit(1);
		}
	}
}

static void store(int i)
{
	struct page *page = &model[i];
	char *at = arena + i * PAGE, answer = try_write(at, 0);
	if (expected(page) != '.' || !(page->protection & PROT_WRITE)) {
		char wanted = page->kind != NOTHING && !(page->protection & PROT_WRITE)
			? 'a'
			: expected(page);
		if (answer != wanted) {
			wrong("store", i);
		}
		return;
	}
	if (answer != '.') {
		wrong("store", i);
	}
	if (page->kind == FILE_PRIVATE) {
		page->copied = true;
	}
	uint32_t value = next_value++;
	*(volatile uint32_t *)at = *(volatile uint32_t *)(at + PAGE - 4) = value;
	*value_of(page) = value;
}

static void random_range(int *from, int *count)
{
	*count = 1 + (int)pick(LONGEST);
	*from = (int)pick((uint32_t)(PAGES - *count + 1));
}

static int random_protection(void)
{
	static const int all[] = {READ_WRITE, READ_WRITE, READ_WRITE, PROT_READ, PROT_NONE};
	return all[pick(5)];
}

static void do_map(void)
{
	int from, count, protection = random_protection(), flags = MAP_FIXED, fd = -1, index = 0;
	enum kind kind = (enum kind)(PRIVATE + (int)pick(4));
	random_range(&from, &count);
	if (kind == SHARED && next_object == OBJECTS) {
		kind = PRIVATE;
	}
	flags |= kind == PRIVATE || kind == FILE_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	if (kind == PRIVATE || kind == SHARED) {
		flags |= MAP_ANONYMOUS;
	} else {
		fd = file;
		index = (int)pick((uint32_t)(FILE_PAGES - count + 1));
	}
	char *at =
		mmap(arena + from * PAGE, count * PAGE, protection, flags, fd, (long)index * PAGE);
	if (at != arena + from * PAGE) {
		wrong("mmap", from);
	}
	next_mapping++;
	for (int i = 0; i < count; i++) {
		model[from + i] = (struct page){
			kind, protection, next_mapping, next_object, index + i, false, 0};
		if (kind == SHARED) {
			model[from + i].index = i;
		}
	}
	next_object += kind == SHARED;
}

static void do_unmap(void)
{
	int from, count;
	random_range(&from, &count);
	if (munmap(arena + from * PAGE, count * PAGE) != 0) {
		wrong("munmap", from);
	}
	memset(&model[from], 0, (size_t)count * sizeof model[0]);
}

static void do_protect(void)
{
	int from, count, protection = random_protection(), done = 0;
	random_range(&from, &count);
	while (done < count && model[from + done].kind != NOTHING) {
		done++;
	}
	int result = mprotect(arena + from * PAGE, count * PAGE, protection);
	if (result != (done == count ? 0 : -1)) {
		wrong("mprotect", from);
	}
	for (int i = 0; i < done; i++) {
		model[from + i].protection = protection;
	}
}

/* Moves pages that are one mapping for sure to a place that does not overlap them. */
static void do_remap(void)
{
	int from, count, to;
	random_range(&from, &count);
	to = (int)pick((uint32_t)(PAGES - count + 1));
	for (int i = 0; i < count; i++) {
		if (model[from + i].kind == NOTHING ||
			model[from + i].mapping != model[from].mapping ||
			model[from + i].protection != model[from].protection ||
			model[from + i].index != model[from].index + i) {
			return;
		}
	}
	if (to < from + count && from < to + count) {
		return;
	}
	char *at = mremap(arena + from * PAGE, (size_t)count * PAGE, (size_t)count * PAGE,
		MREMAP_MAYMOVE | MREMAP_FIXED, arena + to * PAGE);
	if (at != arena + to * PAGE) {
		wrong("mremap", from);
	}
	for (int i = 0; i < count; i++) {
		model[to + i] = model[from + i];
		model[from + i] = (struct page){0};
	}
}

static void do_dont_need(void)
{
	int from, count;
	bool whole = true;
	random_range(&from, &count);
	for (int i = 0; i < count; i++) {
		struct page *page = &model[from + i];
		whole &= page->kind != NOTHING;
		page->copied = false;
		page->value = 0;
	}
	if (madvise(arena + from * PAGE, (size_t)count * PAGE, MADV_DONTNEED) != (whole ? 0 : -1)) {
		wrong("madvise", from);
	}
}

static void do_write_file(void)
{
	static uint32_t block[2 * PAGE / 4];
	int index = (int)pick((uint32_t)file_pages),
	    count = file_pages - index > 1 ? 1 + (int)pick(2) : 1;
	for (int i = 0; i < count; i++) {
		uint32_t value = next_value++;
		block[i * PAGE / 4] = block[(i + 1) * PAGE / 4 - 1] = value;
		file_values[index + i] = value;
	}
	if (pwrite(file, block, (size_t)count * PAGE, (long)index * PAGE) != count * PAGE) {
		wrong("pwrite", 0);
	}
}

/* What is cut off goes from every mapping, the copies of private ones too. */
static void do_truncate(void)
{
	int pages = 1 + (int)pick(FILE_PAGES);
	if (ftruncate(file, (long)pages * PAGE) != 0) {
		wrong("ftruncate", 0);
	}
	for (int i = pages; i < file_pages; i++) {
		file_values[i] = 0;
	}
	for (int i = 0; i < PAGES; i++) {
		if (model[i].kind == FILE_PRIVATE && model[i].index >= pages &&
			model[i].index < file_pages) {
			model[i].copied = false;
		}
	}
	file_pages = pages;
}

/* The child checks all, then changes its own copies and what is shared; the parent knows by the
 * same random numbers what of it it must see. */
static void do_fork(void)
{
	uint64_t before = state;
	uint32_t value_before = next_value;
	struct page kept[PAGES];
	memcpy(kept, model, sizeof model);
	fflush(stdout);
	pid_t child = fork();
	if (child < 0) {
		wrong("fork", 0);
	}
	if (child == 0) {
		check_all();
		for (int i = 0; i < 20; i++) {
			store((int)pick(PAGES));
		}
		do_protect();
		do_map();
		check_all();
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	if (status != 0) {
		show_status("child", status);
		wrong("fork", 0);
	}
	/* The child's stores, replayed in the model alone. */
	for (int i = 0; i < 20; i++) {
		struct page *page = &model[pick(PAGES)];
		if (expected(page) == '.' && (page->protection & PROT_WRITE)) {
			if (page->kind == FILE_PRIVATE) {
				page->copied = true;
			}
			*value_of(page) = next_value++;
		}
	}
	memcpy(model, kept, sizeof model);
	state = before + 12345;
	next_value = value_before + 100;
	check_all();
}

static void step(void)
{
	uint32_t choice = pick(100);
	if (choice < 15) {
		do_map();
	} else if (choice < 23) {
		do_unmap();
	} else if (choice < 35) {
		do_protect();
	} else if (choice < 43) {
		do_remap();
	} else if (choice < 47) {
		do_dont_need();
	} else if (choice < 55) {
		do_write_file();
	} else if (choice < 57) {
		do_truncate();
	} else if (choice < 58) {
		do_fork();
	} else {
		store((int)pick(PAGES));
	}
}

static void run_seed(uint64_t seed, long operations)
{
	state = seed * 0x9e3779b97f4a7c15u + 1;
	next_object = next_mapping = 0;
	memset(model, 0, sizeof model);
	memset(file_values, 0, sizeof file_values);
	memset(object_values, 0, sizeof object_values);
	file_pages = FILE_PAGES;
	checks = 0;
	munmap(arena, PAGES * PAGE);
	ftruncate(file, 0);
	ftruncate(file, (long)FILE_PAGES * PAGE);
	for (operation = 0; operation < operations; operation++) {
		step();
		for (int i = 0; i < 3; i++) {
			check_page((int)pick(PAGES));
		}
		if (operation % 100 == 99) {
			check_all();
		}
	}
	printf("seed %d: %ld operations, %ld checks\n", (int)seed, operations, checks);
}

static void run_seeds(uint64_t first, int count, long operations)
{
	catch_faults();
	arena = free_range(PAGES);
	file = open("file", O_CREAT | O_RDWR, 0644);
	for (int i = 0; i < count; i++) {
		run_seed(first + (uint64_t)i, operations);
	}
}

CASE(sequences) /* timeout 120 */
{
	run_seeds(1, 6, 3000);
}

/* Short ones, each from a clean start. */
CASE(short_sequences) /* timeout 60 */
{
	run_seeds(100, 40, 100);
}
