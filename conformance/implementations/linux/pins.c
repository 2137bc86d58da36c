// SPDX-License-Identifier: MIT
/* Direct I/O, gup_test, and moving pages to another NUMA node. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor.h"

/* mm/gup_test.h, which no package of headers has */
struct gup_test_range {
	uint64_t start, length;
	uint32_t flags;
};
#define GUP_TEST_START _IOW('g', 7, struct gup_test_range) /* PIN_LONGTERM_TEST_START */
#define GUP_TEST_READ _IOW('g', 9, uint64_t)               /* PIN_LONGTERM_TEST_READ */

enum { NODES = 2, MOVED_MOST = 1024, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 };

/* direct ADDRESS LENGTH HUBFD OFFSET WRITE: pwrite(2) or pread(2) with O_DIRECT */
static void do_direct(struct words *w, struct reply *out)
{
	void *at = address(w);
	size_t length = number(w);
	int fd = open_hub_fd((unsigned)number(w), O_RDWR | O_DIRECT);
	off_t offset = (off_t)number(w);
	ssize_t done;

	if (fd < 0)
		return fail(out, errno);
	done = number(w) ? pwrite(fd, at, length, offset) : pread(fd, at, length, offset);
	if (done < 0)
		fail(out, errno);
	else if ((size_t)done != length)
		fail(out, EIO);
	close(fd);
}

static long move_pages(size_t count, void **pages, const int *nodes, int *status, int flags)
{
	return syscall(SYS_move_pages, 0, count, pages, nodes, status, flags);
}

/*
 * move_pages ADDRESS COUNT EVERYBODYS: each page to the node where it is not; one that is nowhere to node 1.
 * The data has two 32-bit numbers for each page: its status (INT_MIN: the kernel gave none), and whether it has moved.
 */
static void do_move_pages(struct words *w, struct reply *out)
{
	static void *pages[MOVED_MOST];
	static int before[MOVED_MOST], nodes[MOVED_MOST], status[MOVED_MOST], after[MOVED_MOST];
	unsigned char *at = address(w);
	size_t count = number(w);
	int flags = number(w) ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE;

	if (count > MOVED_MOST)
		return fail(out, E2BIG);
	for (size_t i = 0; i < count; i++) {
		pages[i] = at + i * page_size;
		status[i] = INT_MIN;
	}
	if (move_pages(count, pages, NULL, before, 0) < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count; i++)
		nodes[i] = before[i] == NODES - 1 ? 0 : NODES - 1;
	if (move_pages(count, pages, nodes, status, flags) < 0)
		return fail(out, errno);
	if (move_pages(count, pages, NULL, after, 0) < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count; i++) {
		int32_t told[2] = { status[i], after[i] == nodes[i] };

		memcpy(out->data + i * sizeof(told), told, sizeof(told));
	}
	out->r.length = (uint32_t)(count * 2 * sizeof(int32_t));
}

/* gup_test_pin HUBFD ADDRESS LENGTH FLAGS: all of these pages or none; closing HUBFD gives them back */
static void do_gup_test_pin(struct words *w, struct reply *out)
{
	int fd = take_hub_fd((unsigned)number(w));
	struct gup_test_range range = { .start = (uintptr_t)address(w) };

	if (fd < 0)
		return fail(out, errno);
	range.length = number(w);
	range.flags = (uint32_t)number(w);
	settle(out, ioctl(fd, GUP_TEST_START, &range));
	close(fd);
}

/* gup_test_read FD COUNT: the first 8 bytes of each of the COUNT pages that are pinned */
static void do_gup_test_read(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	size_t count = number(w);
	unsigned char *copy = count <= DATA_MAX / 8 ? malloc(count * page_size) : NULL;
	uint64_t to = (uintptr_t)copy;

	if (!copy)
		return fail(out, ENOMEM);
	settle(out, ioctl(fd, GUP_TEST_READ, &to));
	if (out->r.kind == DONE) {
		for (size_t i = 0; i < count; i++)
			memcpy(out->data + 8 * i, copy + i * page_size, 8);
		out->r.length = (uint32_t)(8 * count);
	}
	free(copy);
}

const struct verb pins_hub_verbs[] = { { "gup_test_read", do_gup_test_read }, { NULL, NULL } };
const struct verb pins_process_verbs[] = {
	{ "direct", do_direct }, { "move_pages", do_move_pages }, { "gup_test_pin", do_gup_test_pin }, { NULL, NULL },
};
