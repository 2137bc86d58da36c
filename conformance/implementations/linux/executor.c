// SPDX-License-Identifier: MIT
/*
 * The executor: does primitive things in real processes, on request, and knows nothing of their meaning.
 *
 * The hub reads one line at a time from stdin.  A line is a batch of primitives separated by ';':
 *
 *     SLOT VERB WORD...          slot 0 is the hub, the others are processes; numbers are hexadecimal;
 *     -SLOT VERB WORD...         words are percent-encoded; a '-' in front: go on if it fails
 *
 * It answers one batch with "LENGTH\n" in decimal and that many bytes, which are, for each primitive done,
 *
 *     "ok VALUE LENGTH\n" and that many bytes of data, or "errno NUMBER DONE\n", "signal NUMBER DONE\n"
 *     (DONE: how many pages were done before), or "died SIGNAL 0\n" if the process is no longer there.
 *
 * A batch ends at the first failure.  All processes are children of the hub (CLONE_PARENT), die with it
 * (PR_SET_PDEATHSIG) and are killed by `reset`.  At the end of stdin the hub kills them, writes back every
 * setting that was announced with `save`, and exits: so a killed runner leaves nothing behind.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
	LINE_MAX_BYTES = 1 << 18, /* one batch */
	OUTPUT_MAX = 1 << 20,     /* one answer */
	SAVED_MAX = 64,           /* settings to write back */
};

struct process {
	pid_t pid;
	int pidfd;
};

static struct process processes[SLOTS];
static int first_free_fd; /* everything from here on belongs to a scenario */
static int kpagecount_fd, kpageflags_fd;
static volatile sig_atomic_t told_to_stop;

/* --- in the hub: processes --------------------------------------------------------------------------- */

static void adopt(unsigned slot, pid_t pid)
{
	processes[slot] = (struct process){ pid, (int)syscall(SYS_pidfd_open, pid, 0) };
}

/* Waits until a process is gone, its memory with it.  Returns the signal it died of, or 0. */
static int reap(unsigned slot)
{
	struct process *p = &processes[slot];
	int status = 0;
	char left;

	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	sched_yield(); /* its last user of the mm is the dead task itself, until it has left this CPU */
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = (struct process){ 0, -1 };
	while (recv(sockets[slot][0], &left, 1, MSG_DONTWAIT) >= 0 || recv(sockets[slot][1], &left, 1, MSG_DONTWAIT) >= 0)
		; /* nothing may be left for the next process here */
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* spawn SLOT: a fresh process; the value is its pid */
static void do_spawn(struct words *w, struct reply *out)
{
	unsigned slot = (unsigned)number(w);
	pid_t pid;

	if (slot == 0 || slot >= SLOTS || processes[slot].pid)
		return fail(out, EEXIST);
	pid = fork();
	if (pid < 0)
		return fail(out, errno);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != hub_pid)
			_exit(1);
		signal(SIGTERM, SIG_DFL);
		syscall(SYS_close_range, first_free_fd, ~0U, 0);
		my_slot = (int)slot;
		process_main();
	}
	adopt(slot, pid);
	out->r.value = (uint64_t)pid;
}

/* Sends one primitive to a process and waits for its answer, or its death. */
static void forward(unsigned slot, char *line, struct reply *out)
{
	struct process *p = slot < SLOTS ? &processes[slot] : NULL;
	struct pollfd ready[2];
	unsigned child = 0;
	size_t length = strlen(line);
	ssize_t got;

	if (!p || !p->pid)
		return fail(out, ESRCH);
	if (length >= MESSAGE_MAX)
		return fail(out, E2BIG);
	if (!strncmp(line, "fork ", 5)) {
		child = (unsigned)strtoul(line + 5, NULL, 16);
		if (child == 0 || child >= SLOTS || processes[child].pid)
			return fail(out, EEXIST);
	}
	if (send(sockets[slot][0], line, length, MSG_NOSIGNAL) < 0)
		return fail(out, errno);
	ready[0] = (struct pollfd){ .fd = sockets[slot][0], .events = POLLIN };
	ready[1] = (struct pollfd){ .fd = p->pidfd, .events = POLLIN };
	while (poll(ready, 2, -1) < 0 && errno == EINTR)
		if (told_to_stop)
			return fail(out, EINTR);
	got = recv(sockets[slot][0], out, sizeof(*out), MSG_DONTWAIT);
	if (got < (ssize_t)sizeof(out->r)) {
		out->r = (struct result){ .kind = DIED, .code = reap(slot) };
		return;
	}
	if (child && out->r.kind == DONE)
		adopt(child, (pid_t)out->r.value);
}

/* kill SLOT */
static void do_kill(struct words *w, struct reply *out)
{
	unsigned slot = (unsigned)number(w);

	if (slot >= SLOTS || !processes[slot].pid)
		return fail(out, ESRCH);
	kill(processes[slot].pid, SIGKILL);
	reap(slot);
}

static void kill_all(void)
{
	for (unsigned slot = 1; slot < SLOTS; slot++)
		if (processes[slot].pid)
			kill(processes[slot].pid, SIGKILL);
	for (unsigned slot = 1; slot < SLOTS; slot++)
		if (processes[slot].pid)
			reap(slot);
}

/* No process and no descriptor of the scenario is left.  The descriptors first: references that wrap a counter must be
 * gone before the mappings of that page are, or the page is freed while it is mapped. */
static void clear_away(void)
{
	syscall(SYS_close_range, first_free_fd, ~0U, 0);
	kill_all();
}

/* reset */
static void do_reset(struct words *w, struct reply *out)
{
	(void)w;
	(void)out;
	clear_away();
}

/* --- in the hub: files, /proc and settings ------------------------------------------------------------ */

/* read PATH [LENGTH [OFFSET]]: what the file holds */
static void do_read(struct words *w, struct reply *out)
{
	int fd = open(text(w), O_RDONLY | O_CLOEXEC);
	size_t limit = number(w);
	off_t offset = (off_t)number(w);
	ssize_t got = 1;

	if (fd < 0)
		return fail(out, errno);
	if (limit == 0 || limit > DATA_MAX)
		limit = DATA_MAX;
	if (offset && lseek(fd, offset, SEEK_SET) < 0)
		got = -1;
	while (got > 0 && out->r.length < limit) {
		got = read(fd, out->data + out->r.length, limit - out->r.length);
		if (got > 0)
			out->r.length += (uint32_t)got;
	}
	if (got < 0)
		fail(out, errno);
	close(fd);
}

/* symbols NAME...: the address of each in /proc/kallsyms, 8 bytes each; 0: it is not shown */
static void do_symbols(struct words *w, struct reply *out)
{
	enum { NAMES = 8 };
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char *wanted[NAMES], name[512];
	uint64_t *found = (uint64_t *)out->data;
	unsigned long long at;
	size_t names = 0, left;

	if (!symbols)
		return fail(out, errno);
	while (names < NAMES && *w->at)
		wanted[names++] = text(w);
	memset(found, 0, names * 8);
	for (left = names; left && fscanf(symbols, "%llx %*c %511s%*[^\n]", &at, name) == 2;) {
		for (size_t i = 0; i < names; i++) {
			if (!found[i] && !strcmp(name, wanted[i])) {
				found[i] = at;
				left--;
			}
		}
	}
	out->r.length = (uint32_t)(names * 8);
	fclose(symbols);
}

static int write_text(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		error = errno;
	close(fd);
	return error;
}

/* write PATH TEXT */
static void do_write(struct words *w, struct reply *out)
{
	char *path = text(w), *value = text(w);
	int error = write_text(path, value);

	if (error)
		fail(out, error);
}

static struct saved {
	char path[160], value[96];
} saved[SAVED_MAX];
static unsigned nr_saved;

/* save PATH TEXT: TEXT is written to PATH by `restore` and when the hub ends */
static void do_save(struct words *w, struct reply *out)
{
	char *path = text(w), *value = text(w);
	struct saved *s = &saved[nr_saved];

	if (nr_saved == SAVED_MAX || strlen(path) >= sizeof(s->path) || strlen(value) >= sizeof(s->value))
		return fail(out, E2BIG);
	strcpy(s->path, path);
	strcpy(s->value, value);
	nr_saved++;
}

static char state_file[4096];

/* remember PATH: a file that says what to write back, should this hub not live to do it */
static void do_remember(struct words *w, struct reply *out)
{
	char *path = text(w);

	if (strlen(path) >= sizeof(state_file))
		return fail(out, E2BIG);
	strcpy(state_file, path);
}

/* Writes the settings back, the last one first.  Returns the last errno. */
static int restore_settings(void)
{
	int error = 0;

	while (nr_saved) {
		struct saved *s = &saved[--nr_saved];
		int this_error = write_text(s->path, s->value);

		error = this_error ? this_error : error;
	}
	if (*state_file && !error)
		unlink(state_file);
	return error;
}

/* restore */
static void do_restore(struct words *w, struct reply *out)
{
	int error = restore_settings();

	(void)w;
	if (error)
		fail(out, error);
}

/* open PATH FLAGS LENGTH UNLINK: the value is the descriptor; LENGTH is set if not 0 */
static void do_open(struct words *w, struct reply *out)
{
	char *path = text(w);
	int flags = (int)number(w), fd = open(path, flags | O_CLOEXEC, 0600);
	off_t length = (off_t)number(w);

	if (fd < 0)
		return fail(out, errno);
	out->r.value = (uint64_t)fd;
	if (number(w))
		unlink(path);
	if (length && ftruncate(fd, length) < 0) {
		fail(out, errno);
		close(fd);
	}
}

/* memfd LENGTH FLAGS: the value is the descriptor */
static void do_memfd(struct words *w, struct reply *out)
{
	off_t length = (off_t)number(w);
	int fd = memfd_create("mapspec", MFD_CLOEXEC | (unsigned)number(w));

	if (fd < 0)
		return fail(out, errno);
	out->r.value = (uint64_t)fd;
	if (ftruncate(fd, length) < 0) {
		fail(out, errno);
		close(fd);
	}
}

/* fill FD OFFSET LENGTH COUNT WORD: WORD in each of COUNT pages from OFFSET, through a mapping of LENGTH bytes.
 * For files that write(2) refuses. */
static void do_fill(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	size_t offset = number(w), length = number(w), count = number(w);
	uint64_t value = number(w);
	unsigned char *mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		return fail(out, errno);
	for (size_t i = 0; i < count && offset + i * page_size < length; i++)
		memcpy(mapped + offset + i * page_size, &value, 8);
	munmap(mapped, length);
}

/* pwrite FD OFFSET COUNT CHUNK [WORD]: COUNT pages by writes of CHUNK pages; WORD, else zeros, in each */
static void do_pwrite(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	off_t offset = (off_t)number(w);
	size_t count = number(w), chunk = number(w);
	uint64_t word = number(w);
	unsigned char *buffer;

	if (chunk == 0 || chunk > 4096)
		return fail(out, EINVAL);
	buffer = mmap(NULL, chunk * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return fail(out, errno);
	for (size_t i = 0; word && i < chunk; i++)
		memcpy(buffer + i * page_size, &word, 8);
	for (size_t done = 0; done < count; done += chunk) {
		size_t bytes = (count - done < chunk ? count - done : chunk) * page_size;

		if (pwrite(fd, buffer, bytes, offset + (off_t)(done * page_size)) != (ssize_t)bytes) {
			fail(out, errno ? errno : EIO);
			break;
		}
	}
	munmap(buffer, chunk * page_size);
}

/* resize FD LENGTH */
static void do_resize(struct words *w, struct reply *out)
{
	int fd = (int)number(w);

	settle(out, ftruncate(fd, (off_t)number(w)));
}

/* close FD */
static void do_close(struct words *w, struct reply *out)
{
	int fd = (int)number(w);

	settle(out, fd >= first_free_fd ? close(fd) : (errno = EBADF, -1));
}

/* pipe LENGTH FD: a pipe to read from at descriptor FD and to write to at FD + 1 */
static void do_pipe(struct words *w, struct reply *out)
{
	int length = (int)number(w), fd = (int)number(w);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(out, errno);
	if (fcntl(ends[1], F_SETPIPE_SZ, length) < 0 || dup3(ends[0], fd, O_CLOEXEC) < 0 ||
	    dup3(ends[1], fd + 1, O_CLOEXEC) < 0)
		fail(out, errno == EBADF ? EMFILE : errno);
	close(ends[0]);
	close(ends[1]);
}

/* pipe_read FD COUNT: the first 8 bytes of each page of the pipe */
static void do_pipe_read(struct words *w, struct reply *out)
{
	static unsigned char page[1 << 16];
	int fd = (int)number(w);
	size_t count = number(w);

	if (page_size > sizeof(page) || count * 8 > DATA_MAX)
		return fail(out, E2BIG);
	for (size_t i = 0; i < count; i++) {
		for (size_t got = 0; got < page_size;) {
			ssize_t bytes = read(fd, page + got, page_size - got);

			if (bytes <= 0)
				return fail(out, bytes < 0 ? errno : EIO);
			got += (size_t)bytes;
		}
		memcpy(out->data + i * 8, page, 8);
	}
	out->r.length = (uint32_t)(count * 8);
}

static int open_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, flags | O_CLOEXEC);
}

/* vm_read SLOT ADDRESS COUNT: the first 8 bytes of each page by process_vm_readv */
static void do_vm_read(struct words *w, struct reply *out)
{
	pid_t pid = processes[number(w) % SLOTS].pid;
	unsigned char *from = address(w);
	size_t count = number(w);

	if (count * 8 > DATA_MAX)
		return fail(out, E2BIG);
	for (size_t i = 0; i < count; i++) {
		struct iovec to = { out->data + i * 8, 8 }, remote = { from + i * page_size, 8 };

		if (process_vm_readv(pid, &to, 1, &remote, 1, 0) != 8)
			return fail(out, errno);
	}
	out->r.length = (uint32_t)(count * 8);
}

/* Kernels with CONFIG_PROC_MEM_FORCE_PTRACE give FOLL_FORCE to a tracer only (fs/proc/base.c: proc_mem_foll_force).
 * Returns whether the process is now traced and stopped, in the middle of its recv. */
static int trace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return 0;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return 1;
}

/* Reads from `data`, or writes to it, 8 bytes at the start of each page through /proc/PID/mem. */
static void access_mem(unsigned slot, uint64_t at, size_t count, int writing, unsigned char *data, struct reply *out)
{
	pid_t pid = processes[slot % SLOTS].pid;
	int fd = open_proc(pid, "mem", writing ? O_WRONLY : O_RDONLY), traced = 0;

	if (fd < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count;) {
		off_t offset = (off_t)(at + i * page_size);
		ssize_t done = writing ? pwrite(fd, data, 8, offset) : pread(fd, data + i * 8, 8, offset);

		if (done == 8) {
			i++;
		} else if (errno != EIO || traced || !(traced = trace(pid))) {
			fail(out, errno);
			break;
		}
	}
	if (traced)
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	close(fd);
}

/* mem_read SLOT ADDRESS COUNT: the first 8 bytes of each page through /proc/PID/mem */
static void do_mem_read(struct words *w, struct reply *out)
{
	unsigned slot = (unsigned)number(w);
	uint64_t from = number(w);
	size_t count = number(w);

	if (count * 8 > DATA_MAX)
		return fail(out, E2BIG);
	access_mem(slot, from, count, 0, out->data, out);
	if (out->r.kind == DONE)
		out->r.length = (uint32_t)(count * 8);
}

/* mem_write SLOT ADDRESS COUNT WORD: WORD in the first 8 bytes of each page through /proc/PID/mem */
static void do_mem_write(struct words *w, struct reply *out)
{
	unsigned slot = (unsigned)number(w);
	uint64_t to = number(w);
	size_t count = number(w);
	uint64_t word = number(w);

	access_mem(slot, to, count, 1, (unsigned char *)&word, out);
}

/* Reads one word per frame from a file like kpagecount; runs of frames are read at once. */
static void read_per_frame(int fd, const uint64_t *pagemap, uint64_t *to, size_t count)
{
	const uint64_t frame_bits = (1ULL << 55) - 1;

	for (size_t i = 0, run; i < count; i += run) {
		uint64_t frame = pagemap[i] & frame_bits;

		run = 1;
		to[i] = 0;
		if (!(pagemap[i] >> 63) || !frame)
			continue;
		while (i + run < count && pagemap[i + run] >> 63 && (pagemap[i + run] & frame_bits) == frame + run)
			run++;
		if (pread(fd, to + i, run * 8, (off_t)(frame * 8)) != (ssize_t)(run * 8))
			memset(to + i, 0, run * 8);
	}
}

/* pages SLOT ADDRESS COUNT: COUNT words each of pagemap, kpagecount and kpageflags; slot 0: of the hub */
static void do_pages(struct words *w, struct reply *out)
{
	pid_t pid = processes[number(w) % SLOTS].pid;
	int fd = open_proc(pid ? pid : getpid(), "pagemap", O_RDONLY);
	uint64_t from = number(w);
	size_t count = number(w);
	uint64_t *pagemap = (uint64_t *)out->data;

	if (fd < 0)
		return fail(out, errno);
	if (count * 24 > DATA_MAX) {
		fail(out, E2BIG);
	} else if (pread(fd, pagemap, count * 8, (off_t)(from / page_size * 8)) != (ssize_t)(count * 8)) {
		fail(out, errno ? errno : EIO);
	} else {
		read_per_frame(kpagecount_fd, pagemap, pagemap + count, count);
		read_per_frame(kpageflags_fd, pagemap, pagemap + 2 * count, count);
		out->r.length = (uint32_t)(count * 24);
	}
	close(fd);
}

/* flags FRAME COUNT: /proc/kpageflags of consecutive frames, as many as there are */
static void do_flags(struct words *w, struct reply *out)
{
	off_t offset = (off_t)(number(w) * 8);
	size_t bytes = number(w) * 8;
	ssize_t got = pread(kpageflags_fd, out->data, bytes < DATA_MAX ? bytes : DATA_MAX, offset);

	if (got < 0)
		return fail(out, errno);
	out->r.length = (uint32_t)got;
}

/* include/uapi/linux/fs.h since Linux 6.7 */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct scan_arguments)

/* scan SLOT START END MASK: start, end and categories of every run of pages that PAGEMAP_SCAN reports */
static void do_scan(struct words *w, struct reply *out)
{
	pid_t pid = processes[number(w) % SLOTS].pid;
	struct scan_arguments a = { .size = sizeof(a) };
	int fd = open_proc(pid ? pid : getpid(), "pagemap", O_RDONLY);
	long found;

	if (fd < 0)
		return fail(out, errno);
	a.start = number(w);
	a.end = number(w);
	a.return_mask = a.category_anyof_mask = number(w);
	a.vec = (uintptr_t)out->data;
	a.vec_len = DATA_MAX / sizeof(struct scan_region);
	found = ioctl(fd, PAGEMAP_SCAN_REQUEST, &a);
	if (found < 0)
		fail(out, errno);
	else
		out->r.length = (uint32_t)((size_t)found * sizeof(struct scan_region));
	close(fd);
}

/* mount TYPE TARGET OPTIONS: in the hub's own mount namespace, which is made on the first call */
static void do_mount(struct words *w, struct reply *out)
{
	static int separate;
	char *type = text(w), *target = text(w), *options = text(w);

	if (!separate) {
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			return fail(out, errno);
		separate = 1;
	}
	mkdir(target, 0755);
	settle(out, mount("mapspec", target, type, 0, options));
}

/* statfs PATH: the value is the type of its file system */
static void do_statfs(struct words *w, struct reply *out)
{
	struct statfs s;

	settle(out, statfs(text(w), &s));
	if (out->r.kind == DONE)
		out->r.value = (uint64_t)s.f_type & 0xffffffff;
}

/* drain: empties this CPU's LRU batches, which hold references.  All of us run on one CPU. */
static void do_drain(struct words *w, struct reply *out)
{
	static unsigned char *scratch;

	(void)w;
	if (!scratch)
		scratch = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	settle(out, madvise(scratch, page_size, MADV_COLD));
}

/* drain_all BYTES: empties the LRU batches of every CPU, because ksmd and kswapd run on others.  mm/khugepaged.c:
 * madvise_collapse calls lru_add_drain_all() before it finds that there is nothing in these BYTES, a PMD's range. */
static void do_drain_all(struct words *w, struct reply *out)
{
	static unsigned char *block;
	size_t length = number(w);

	if (!block) {
		unsigned char *room = mmap(NULL, 3 * length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (room == MAP_FAILED)
			return fail(out, errno);
		block = room + (-(uintptr_t)room & (length - 1));
		munmap(block + length + page_size, (size_t)(room + 3 * length - (block + length + page_size)));
		block[length] = 1; /* some kernels ask for an anon_vma; here no huge page fits */
	}
	madvise(block, length, MADV_COLLAPSE); /* nothing is there, so it fails */
	do_drain(w, out);
}

/* sleep MILLISECONDS: by poll(2), because the C library of 32-bit may have a nanosleep(2) that the kernel has not */
static void do_sleep(struct words *w, struct reply *out)
{
	settle(out, poll(NULL, 0, (int)number(w)));
}

/* about: page size in bytes, word size in bits and user, one per line */
static void do_about(struct words *w, struct reply *out)
{
	(void)w;
	out->r.length = (uint32_t)snprintf((char *)out->data, DATA_MAX, "%zu\n%zu\n%d\n", page_size,
					   8 * sizeof(void *), (int)geteuid());
}

static const struct verb own_verbs[] = {
	{ "spawn", do_spawn }, { "kill", do_kill }, { "reset", do_reset }, { "read", do_read },
	{ "write", do_write }, { "save", do_save }, { "restore", do_restore }, { "remember", do_remember }, { "open", do_open },
	{ "memfd", do_memfd }, { "pwrite", do_pwrite }, { "fill", do_fill }, { "resize", do_resize }, { "close", do_close }, { "pipe", do_pipe },
	{ "pipe_read", do_pipe_read }, { "vm_read", do_vm_read }, { "mem_read", do_mem_read },
	{ "mem_write", do_mem_write }, { "pages", do_pages }, { "flags", do_flags }, { "scan", do_scan },
	{ "mount", do_mount }, { "statfs", do_statfs }, { "drain", do_drain },
	{ "drain_all", do_drain_all }, { "symbols", do_symbols }, { "sleep", do_sleep },
	{ "about", do_about }, { NULL, NULL },
};

static const struct verb *const hub_verbs[] = {
	own_verbs, interface_hub_verbs, observe_hub_verbs, control_hub_verbs, pipe_hub_verbs,
	pins_hub_verbs, NULL,
};

/* --- in the hub: the stream ---------------------------------------------------------------------------- */

static void on_stop(int number)
{
	(void)number;
	told_to_stop = 1;
}

/* The next line without its newline, or NULL at the end of input. */
static char *next_line(void)
{
	static char buffer[LINE_MAX_BYTES];
	static size_t start, end;

	for (;;) {
		char *newline = memchr(buffer + start, '\n', end - start);
		ssize_t got;

		if (newline) {
			char *line = buffer + start;

			*newline = 0;
			start = (size_t)(newline + 1 - buffer);
			return line;
		}
		memmove(buffer, buffer + start, end - start);
		end -= start;
		start = 0;
		if (end == sizeof(buffer))
			return NULL;
		got = read(0, buffer + end, sizeof(buffer) - end);
		if (got < 0 && errno == EINTR && !told_to_stop)
			continue;
		if (got <= 0)
			return NULL;
		end += (size_t)got;
	}
}

static int write_all(const unsigned char *from, size_t length)
{
	while (length) {
		ssize_t done = write(1, from, length);

		if (done < 0 && errno == EINTR && !told_to_stop)
			continue;
		if (done <= 0)
			return -1;
		from += done;
		length -= (size_t)done;
	}
	return 0;
}

static unsigned char *output; /* OUTPUT_MAX bytes */
static size_t output_length;
static struct reply *hub_reply;

/* Adds one result to the answer; room for "done" lines is always kept. */
static void put_result(struct reply *out)
{
	static const char *const names[] = { "ok", "errno", "signal", "died" };

	if (out->r.length + output_length + 256 > OUTPUT_MAX)
		fail(out, E2BIG);
	output_length += (size_t)snprintf((char *)output + output_length, 128, "%s %llu %llu\n",
					  names[out->r.kind],
					  out->r.kind == DONE ? (unsigned long long)out->r.value
							      : (unsigned long long)out->r.code,
					  out->r.kind == DONE ? (unsigned long long)out->r.length
							      : (unsigned long long)out->r.value);
	if (out->r.kind == DONE) {
		memcpy(output + output_length, out->data, out->r.length);
		output_length += out->r.length;
	}
}

/* Runs one batch and writes its answer. */
static int run_batch(char *batch)
{
	enum { HEADER = 16 };
	char header[HEADER];
	int go_on = 1, header_length;

	output_length = HEADER;
	while (go_on && batch && output_length + 512 < OUTPUT_MAX) {
		char *primitive = batch, *semicolon = strchr(batch, ';');
		int may_fail = *primitive == '-';
		unsigned slot;

		batch = semicolon ? semicolon + 1 : NULL;
		if (semicolon)
			*semicolon = 0;
		slot = (unsigned)strtoul(primitive + may_fail, &primitive, 16);
		primitive += *primitive == ' ';
		if (slot == 0)
			run_verb(hub_verbs, primitive, hub_reply);
		else if (!strcmp(primitive, "exit")) {
			forward(slot, primitive, hub_reply);
			if (hub_reply->r.kind == DIED && hub_reply->r.code == 0)
				hub_reply->r = (struct result){ .kind = DONE };
		} else
			forward(slot, primitive, hub_reply);
		put_result(hub_reply);
		go_on = hub_reply->r.kind == DONE || may_fail;
	}
	header_length = snprintf(header, sizeof(header), "%zu\n", output_length - HEADER);
	memcpy(output + HEADER - header_length, header, (size_t)header_length);
	return write_all(output + HEADER - header_length, output_length - HEADER + (size_t)header_length);
}

/* All of us on one CPU, so that draining its LRU batches drains everything that we did. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The C library of x86-32 calls the kernel through the vDSO, which scenarios move away.  Where it does so it finds by a
 * word of the thread's own (glibc: tcbhead_t.sysinfo): let it find this instead. */
#if defined(__i386__) && defined(__GLIBC__)
__asm__(".text\nenter_kernel:\tint $0x80\n\tret\n");

static void call_kernel_directly(void)
{
	__asm__ volatile("movl $enter_kernel, %%gs:0x10" ::: "memory");
}
#else
static void call_kernel_directly(void)
{
}
#endif

/* Memory of the hub alone.  What a large answer has touched stays: a process should not have to copy its entries. */
static void *not_inherited(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || madvise(at, size, MADV_DONTFORK) < 0)
		_exit(1);
	return at;
}

/* A scenario may need thousands of pipes. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The argument, if any, is a descriptor to keep open: the lock of the runner, held until settings are back. */
int main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_stop };
	char *line;

	if (argc > 1 && dup(atoi(argv[1])) >= 0)
		close(atoi(argv[1])); /* the copy is among our lowest, out of reach of `reset` */
	hub_pid = getpid();
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		salt = (uint64_t)getpid();
	call_kernel_directly();
	output = not_inherited(OUTPUT_MAX);
	hub_reply = not_inherited(sizeof(*hub_reply));
	stay_on_this_cpu();
	allow_many_files();
	if (geteuid() != 0)
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* Yama: our processes take our descriptors */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	for (int slot = 1; slot < SLOTS; slot++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets[slot]) < 0)
			return 1;
	kpagecount_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	kpageflags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	open_kernel_log();
	first_free_fd = dup(0); /* the lowest free number: nothing above it is open yet */
	close(first_free_fd);
	while (!told_to_stop && (line = next_line()) && run_batch(line) == 0)
		;
	clear_away();
	restore_settings();
	return 0;
}
