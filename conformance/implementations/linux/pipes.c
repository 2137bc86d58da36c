// SPDX-License-Identifier: MIT
/* What pipes do with the references that they hold: tee(2), and splice(2) to a FUSE connection. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor.h"

#define FUSE_DEVICE "/dev/fuse"
#define FUSE_TARGET "/tmp/mapspec-fuse"

/* include/uapi/linux/fuse.h: struct fuse_out_header, the answer of a FUSE daemon to a request */
struct fuse_answer {
	uint32_t length;
	int32_t error;
	uint64_t unique;
};

/* tee FROM TO LENGTH: the value is how many bytes the other pipe got */
static void do_tee(struct words *w, struct reply *out)
{
	int from = (int)number(w), to = (int)number(w);
	ssize_t moved = tee(from, to, number(w), SPLICE_F_NONBLOCK);

	if (moved < 0)
		return fail(out, errno);
	out->r.value = (uint64_t)moved;
}

/* Opens a FUSE connection and mounts it, in the hub's mount namespace.  Returns the descriptor, or -1. */
static int connect_fuse(void)
{
	int fd = open(FUSE_DEVICE, O_RDWR | O_CLOEXEC), error;
	char options[96];

	if (fd < 0)
		return -1;
	mkdir(FUSE_TARGET, 0700);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("mapspec", FUSE_TARGET, "fuse", MS_NOSUID | MS_NODEV, options) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void disconnect_fuse(int fd)
{
	umount2(FUSE_TARGET, MNT_DETACH);
	close(fd);
}

/* An answer to a request that nobody made: its header, then what is in the pipe FROM, of which the last buffer is taken
 * in half.  Returns 0 or an errno. */
static int answer_nobody(int fuse, int from, size_t bytes)
{
	struct fuse_answer head = { .length = (uint32_t)(sizeof(head) + bytes / 2), .unique = 1ULL << 40 };
	int ends[2], error = 0;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return errno;
	if (write(ends[1], &head, sizeof(head)) != sizeof(head) ||
	    splice(from, NULL, ends[1], NULL, bytes, SPLICE_F_NONBLOCK) != (ssize_t)bytes ||
	    splice(ends[0], NULL, fuse, NULL, head.length, 0) < 0)
		error = errno;
	close(ends[0]);
	close(ends[1]);
	return error;
}

/* fuse_splice FROM BYTES: of the first buffer of a pipe, which has BYTES bytes, half goes to /dev/fuse.  The other half
 * stays, so both want a reference to the page: fs/fuse/dev.c: fuse_dev_splice_write.  ENOENT: it went there, and FUSE
 * knows of no such request. */
static void do_fuse_splice(struct words *w, struct reply *out)
{
	int from = (int)number(w), error, fuse = connect_fuse();

	if (fuse < 0)
		return fail(out, errno);
	error = answer_nobody(fuse, from, number(w));
	disconnect_fuse(fuse);
	if (error)
		fail(out, error);
}

/* fuse: whether there is FUSE */
static void do_fuse(struct words *w, struct reply *out)
{
	int fd = connect_fuse();

	(void)w;
	if (fd < 0)
		return fail(out, errno);
	disconnect_fuse(fd);
}

const struct verb pipe_hub_verbs[] = {
	{ "tee", do_tee }, { "fuse_splice", do_fuse_splice }, { "fuse", do_fuse }, { NULL, NULL },
};
