// SPDX-License-Identifier: MIT
/* ioctl(2) with a structure that the caller has made, and the records of the kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "executor.h"

enum { RECORD_MAX = 8192 }; /* kernel/printk: CONSOLE_EXT_LOG_MAX, PRINTK_MESSAGE_MAX */

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

static int log_fd;

/* Records that come from now on are read.  Called before any descriptor of a scenario is open. */
void open_kernel_log(void)
{
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd >= 0)
		lseek(log_fd, 0, SEEK_END);
}

/* log: the records that came since the last time, as /dev/kmsg has them; the value is 1 if there are more */
static void do_log(struct words *w, struct reply *out)
{
	(void)w;
	while (out->r.length + RECORD_MAX <= DATA_MAX) {
		ssize_t got = read(log_fd, out->data + out->r.length, RECORD_MAX);

		if (got < 0 && errno == EAGAIN)
			return;
		if (got < 0 && (errno == EPIPE || errno == EINTR))
			continue; /* EPIPE: some were overwritten before they could be read */
		if (got <= 0)
			return fail(out, got < 0 ? errno : EIO);
		out->r.length += (uint32_t)got;
	}
	out->r.value = 1;
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
