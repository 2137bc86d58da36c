// SPDX-License-Identifier: MIT
/* How the rest of the kernel treats memory: mincore, mlock, userfaultfd, write(2) from it, core dumps. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor.h"

/* include/uapi/linux/userfaultfd.h, which older headers have in part only */
enum { UFFD_VERSION = 0xaa, UFFD_ONLY_USER_MODE = 1 };

struct uffd_api {
	uint64_t api, features, ioctls;
};

struct uffd_range {
	uint64_t start, length, mode, ioctls;
};

#define UFFD_API_REQUEST _IOWR(UFFD_VERSION, 0x3f, struct uffd_api)
#define UFFD_REGISTER_REQUEST _IOWR(UFFD_VERSION, 0, struct uffd_range)

struct uffd_protect {
	uint64_t start, length, mode;
};
#define UFFD_PROTECT_REQUEST _IOWR(UFFD_VERSION, 6, struct uffd_protect)

/* --- in a process -------------------------------------------------------------------------------------- */

/* mincore ADDRESS LENGTH: a byte for each page */
static void do_mincore(struct words *w, struct reply *out)
{
	void *at = address(w);
	size_t length = number(w);

	if (length / page_size > MESSAGE_MAX - sizeof(struct result))
		return fail(out, E2BIG);
	if (mincore(at, length, out->data) < 0)
		return fail(out, errno);
	out->r.length = (uint32_t)(length / page_size);
}

/* mlock ADDRESS LENGTH */
static void do_mlock(struct words *w, struct reply *out)
{
	void *at = address(w);

	settle(out, mlock(at, number(w)));
}

/* copy_out ADDRESS COUNT: the first 8 bytes of each page, which go by write(2) to a pipe */
static void do_copy_out(struct words *w, struct reply *out)
{
	unsigned char *from = address(w), copy[8];
	size_t count = number(w);
	int ends[2];

	if (count * 8 > MESSAGE_MAX - sizeof(struct result))
		return fail(out, E2BIG);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count && out->r.kind == DONE; i++) {
		ssize_t written = write(ends[1], from + i * page_size, sizeof(copy));

		if (written < 0)
			fail(out, errno);
		else if (read(ends[0], copy, sizeof(copy)) != (ssize_t)sizeof(copy))
			fail(out, EIO);
		memcpy(out->data + i * 8, copy, 8);
	}
	if (out->r.kind == DONE)
		out->r.length = (uint32_t)(count * 8);
	close(ends[0]);
	close(ends[1]);
}

/* uffd FEATURES: a userfaultfd that stays open; the value is its descriptor in this process */
static void do_uffd(struct words *w, struct reply *out)
{
	struct uffd_api api = { .api = UFFD_VERSION, .features = number(w) };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EPERM)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_ONLY_USER_MODE);
	if (fd < 0)
		return fail(out, errno);
	out->r.value = (uint64_t)fd;
	if (ioctl(fd, UFFD_API_REQUEST, &api) < 0) {
		fail(out, errno);
		close(fd);
	}
}

/* uffd_register FD ADDRESS LENGTH MODE */
static void do_uffd_register(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	struct uffd_range range = { .start = number(w) };

	range.length = number(w);
	range.mode = number(w);
	settle(out, ioctl(fd, UFFD_REGISTER_REQUEST, &range));
}

/* uffd_writeprotect FD ADDRESS LENGTH */
static void do_uffd_writeprotect(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	struct uffd_protect protect = { .start = number(w), .mode = 1 };

	protect.length = number(w);
	settle(out, ioctl(fd, UFFD_PROTECT_REQUEST, &protect));
}

/* dump DIRECTORY: makes the directory and dies there, dumping core with every kind of memory in it */
static void do_dump(struct words *w, struct reply *out)
{
	struct rlimit limit;
	char *directory = text(w);
	int filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (filter >= 0 && write(filter, "0x1ff", 5) < 0)
		return fail(out, errno);
	if ((mkdir(directory, 0700) < 0 && errno != EEXIST) || chdir(directory) < 0)
		return fail(out, errno);
	limit = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	if (setrlimit(RLIMIT_CORE, &limit) < 0 && getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_CORE, &limit);
	}
	prctl(PR_SET_DUMPABLE, 1);
	signal(SIGQUIT, SIG_DFL);
	raise(SIGQUIT);
	fail(out, ECANCELED);
}

const struct verb observe_process_verbs[] = {
	{ "mincore", do_mincore }, { "mlock", do_mlock }, { "copy_out", do_copy_out }, { "uffd", do_uffd },
	{ "uffd_register", do_uffd_register }, { "uffd_writeprotect", do_uffd_writeprotect },
	{ "dump", do_dump }, { NULL, NULL },
};

/* --- in the hub --------------------------------------------------------------------------------------- */

/* take_dump DIRECTORY: the start of the only file in it; both are removed */
static void do_take_dump(struct words *w, struct reply *out)
{
	char *directory = text(w);
	DIR *opened = opendir(directory);
	int found = 0;

	if (!opened)
		return fail(out, errno);
	for (struct dirent *entry; (entry = readdir(opened));) {
		int fd = openat(dirfd(opened), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		struct stat status;
		ssize_t got;

		if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
			got = read(fd, out->data, DATA_MAX / 2);
			out->r.length = got < 0 ? 0 : (uint32_t)got;
			found = 1;
			unlinkat(dirfd(opened), entry->d_name, 0);
		}
		if (fd >= 0)
			close(fd);
	}
	closedir(opened);
	rmdir(directory);
	if (!found)
		fail(out, ENOENT);
}

const struct verb observe_hub_verbs[] = { { "take_dump", do_take_dump }, { NULL, NULL } };
