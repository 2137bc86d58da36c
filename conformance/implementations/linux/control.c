// SPDX-License-Identifier: MIT
/* ioctl(2) with a structure that the caller has made, and the kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <unistd.h>

#include "executor.h"

enum { SYSLOG_READ_ALL = 3 };

/* The words SIZE and HEX: a structure of SIZE bytes that starts with those in HEX, and zeros behind.  Returns SIZE. */
static size_t structure(struct words *w, unsigned char *to)
{
	size_t size = number(w), length = 0;
	unsigned byte;

	if (size > DATA_MAX)
		return 0;
	memset(to, 0, size);
	for (const char *at = text(w); length < size && sscanf(at, "%2x", &byte) == 1; at += 2)
		to[length++] = (unsigned char)byte;
	return size;
}

static void control(int fd, unsigned long request, struct words *w, struct reply *out)
{
	size_t size = structure(w, out->data);

	settle(out, ioctl(fd, request, out->data));
	if (out->r.kind == DONE)
		out->r.length = (uint32_t)size;
}

/* ioctl FD REQUEST SIZE HEX: the value is what it returned, the data the structure afterwards */
static void do_ioctl(struct words *w, struct reply *out)
{
	int fd = (int)number(w);

	control(fd, number(w), w, out);
}

/* log: the kernel's log, as far as it is kept */
static void do_log(struct words *w, struct reply *out)
{
	int got = klogctl(SYSLOG_READ_ALL, (char *)out->data, DATA_MAX);

	(void)w;
	if (got < 0)
		return fail(out, errno);
	out->r.length = (uint32_t)got;
}

/* ioctl HUBFD REQUEST SIZE HEX: the same in a process, about itself.  It needs the hub's open file: the file of a
 * driver that is opened again by name, also in /proc/PID/fd, is another one. */
static void do_process_ioctl(struct words *w, struct reply *out)
{
	int fd = take_hub_fd((unsigned)number(w));

	if (fd < 0)
		return fail(out, errno);
	control(fd, number(w), w, out);
	close(fd);
}

const struct verb control_hub_verbs[] = { { "ioctl", do_ioctl }, { "log", do_log }, { NULL, NULL } };
const struct verb control_process_verbs[] = { { "ioctl", do_process_ioctl }, { NULL, NULL } };
