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
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
	SLOTS = 64,            /* processes at a time */
	LINE_MAX_BYTES = 1 << 18,
	MESSAGE_MAX = 1 << 16, /* one primitive to or from a process */
	DATA_MAX = 1 << 19,    /* data of one primitive */
	OUTPUT_MAX = 1 << 20,  /* one answer */
	SAVED_MAX = 64,        /* settings to write back */
	RINGS = 16,            /* io_uring instances of one process */
};

enum kind { DONE, ERRNO, SIGNAL, DIED };

/* What a primitive gives back; `data` follows it on the wire between process and hub. */
struct result {
	int32_t kind;
	int32_t code;          /* errno or signal */
	uint64_t value;        /* DONE: a number; else: pages done */
	uint32_t length;       /* bytes of data */
	uint32_t pad;
};

struct reply {
	struct result r;
	unsigned char data[DATA_MAX];
};

/* The rest of a primitive, word by word. */
struct words {
	char *at;
};

struct verb {
	const char *name;
	void (*run)(struct words *w, struct reply *out);
};

struct process {
	pid_t pid;
	int pidfd;
};

static struct reply reply;
static struct process processes[SLOTS];
static int sockets[SLOTS][2];  /* [0] is the hub's end, [1] the process's */
static int my_slot;
static pid_t hub_pid;
static int first_free_fd;      /* everything from here on belongs to a scenario */
static size_t page_size;
static int kpagecount_fd, kpageflags_fd;

/* --- words ------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The next word, percent-decoded in place; "" when there is none. */
static char *text(struct words *w)
{
	char *start = w->at, *to = start;

	while (*w->at && *w->at != ' ') {
		if (w->at[0] == '%' && hex_digit(w->at[1]) >= 0 && hex_digit(w->at[2]) >= 0) {
			*to++ = (char)(hex_digit(w->at[1]) << 4 | hex_digit(w->at[2]));
			w->at += 3;
		} else {
			*to++ = *w->at++;
		}
	}
	if (*w->at)
		w->at++;
	*to = 0;
	return start;
}

static uint64_t number(struct words *w)
{
	return strtoull(text(w), NULL, 16);
}

static void *address(struct words *w)
{
	return (void *)(uintptr_t)number(w);
}

static void fail(struct reply *out, int error)
{
	out->r = (struct result){ .kind = ERRNO, .code = error };
}

/* For calls that return -1 and errno. */
static void settle(struct reply *out, long returned)
{
	if (returned < 0)
		fail(out, errno);
	else
		out->r.value = (uint64_t)returned;
}

/* --- in a process ------------------------------------------------------------------------------------ */

static sigjmp_buf fault_return;
static volatile sig_atomic_t fault_expected;
static volatile size_t pages_done;

/* A fault during load or store is a result.  Any other one is a bug here: die of it. */
static void on_fault(int number)
{
	if (!fault_expected) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	siglongjmp(fault_return, number);
}

static void catch_faults(void)
{
	static unsigned char stack[1 << 14];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER };

	sigaltstack(&alternative, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Runs `body` with faults turned into a SIGNAL result. */
#define WITH_FAULTS(out, body)                                                          \
	do {                                                                            \
		int number_ = sigsetjmp(fault_return, 0);                               \
		if (number_ == 0) {                                                     \
			fault_expected = 1;                                             \
			body;                                                           \
		} else {                                                                \
			(out)->r = (struct result){ .kind = SIGNAL, .code = number_,    \
						    .value = pages_done };              \
		}                                                                       \
		fault_expected = 0;                                                     \
	} while (0)

static void load_pages(volatile unsigned char *from, size_t count, struct reply *out)
{
	for (pages_done = 0; pages_done < count; pages_done++) {
		uint64_t word = *(volatile uint64_t *)(from + pages_done * page_size);

		memcpy(out->data + pages_done * 8, &word, 8);
	}
	out->r.length = (uint32_t)(count * 8);
}

static void store_pages(volatile unsigned char *to, size_t count, uint64_t word)
{
	for (pages_done = 0; pages_done < count; pages_done++)
		*(volatile uint64_t *)(to + pages_done * page_size) = word;
}

/* load ADDRESS COUNT: the first 8 bytes of each page */
static void do_load(struct words *w, struct reply *out)
{
	unsigned char *from = address(w);
	size_t count = number(w);

	if (count * 8 > MESSAGE_MAX - sizeof(struct result))
		return fail(out, E2BIG);
	WITH_FAULTS(out, load_pages(from, count, out));
}

/* store ADDRESS COUNT WORD: WORD in the first 8 bytes of each page */
static void do_store(struct words *w, struct reply *out)
{
	unsigned char *to = address(w);
	size_t count = number(w);
	uint64_t word = number(w);

	WITH_FAULTS(out, store_pages(to, count, word));
}

/* Opens a descriptor of the hub in this process. */
static int open_hub_fd(unsigned fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)hub_pid, fd);
	return open(path, flags | O_CLOEXEC);
}

/* mmap ADDRESS LENGTH PROTECTION FLAGS [FD OFFSET OPENFLAGS] */
static void do_mmap(struct words *w, struct reply *out)
{
	void *at = address(w);
	size_t length = number(w);
	int protection = (int)number(w), flags = (int)number(w), fd = -1;
	off_t offset = 0;

	if (!(flags & MAP_ANONYMOUS)) {
		unsigned hub_fd = (unsigned)number(w);

		offset = (off_t)number(w);
		fd = open_hub_fd(hub_fd, (int)number(w));
		if (fd < 0)
			return fail(out, errno);
	}
	if (mmap(at, length, protection, flags | MAP_FIXED_NOREPLACE, fd, offset) == MAP_FAILED)
		fail(out, errno);
	if (fd >= 0)
		close(fd);
}

/* munmap ADDRESS LENGTH */
static void do_munmap(struct words *w, struct reply *out)
{
	void *at = address(w);

	settle(out, munmap(at, number(w)));
}

/* madvise ADDRESS LENGTH ADVICE */
static void do_madvise(struct words *w, struct reply *out)
{
	void *at = address(w);
	size_t length = number(w);

	settle(out, madvise(at, length, (int)number(w)));
}

/* mprotect ADDRESS LENGTH PROTECTION */
static void do_mprotect(struct words *w, struct reply *out)
{
	void *at = address(w);
	size_t length = number(w);

	settle(out, mprotect(at, length, (int)number(w)));
}

/* mremap OLD LENGTH NEW */
static void do_mremap(struct words *w, struct reply *out)
{
	void *old = address(w);
	size_t length = number(w);

	if (mremap(old, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, address(w)) == MAP_FAILED)
		fail(out, errno);
}

/* vmsplice ADDRESS LENGTH HUBFD */
static void do_vmsplice(struct words *w, struct reply *out)
{
	struct iovec part = { .iov_base = address(w), .iov_len = number(w) };
	int fd = open_hub_fd((unsigned)number(w), O_WRONLY | O_NONBLOCK);

	if (fd < 0)
		return fail(out, errno);
	while (part.iov_len) {
		ssize_t moved = vmsplice(fd, &part, 1, SPLICE_F_NONBLOCK);

		if (moved <= 0) {
			fail(out, moved < 0 ? errno : EAGAIN);
			break;
		}
		part.iov_base = (char *)part.iov_base + moved;
		part.iov_len -= (size_t)moved;
	}
	close(fd);
}

/* An io_uring with one registered buffer, driven by raw system calls. */
struct ring {
	int fd;
	void *start;           /* of the buffer */
	size_t length;
	unsigned char *rings;
	size_t rings_length;
	struct io_uring_sqe *entries;
	struct io_uring_params p;
};

static struct ring rings[RINGS];

static void close_ring(struct ring *ring, int unregister)
{
	if (ring->fd <= 0)
		return;
	if (unregister)
		syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
	if (ring->rings)
		munmap(ring->rings, ring->rings_length);
	if (ring->entries)
		munmap(ring->entries, ring->p.sq_entries * sizeof(struct io_uring_sqe));
	close(ring->fd);
	*ring = (struct ring){ 0 };
}

/* uring_register ADDRESS LENGTH: the value is the ring's number */
static void do_uring_register(struct words *w, struct reply *out)
{
	struct iovec buffer = { .iov_base = address(w), .iov_len = number(w) };
	struct ring *ring = rings;
	void *mapped;

	while (ring < rings + RINGS && ring->fd > 0)
		ring++;
	if (ring == rings + RINGS)
		return fail(out, EMFILE);
	*ring = (struct ring){ .start = buffer.iov_base, .length = buffer.iov_len };
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->p);
	if (ring->fd < 0)
		return fail(out, errno);
	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &buffer, 1) < 0)
		goto failed;
	ring->rings_length = ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe);
	if (ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned) > ring->rings_length)
		ring->rings_length = ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned);
	mapped = mmap(NULL, ring->rings_length, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		      IORING_OFF_SQ_RING);
	if (mapped == MAP_FAILED)
		goto failed;
	ring->rings = mapped;
	mapped = mmap(NULL, ring->p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
		      MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (mapped == MAP_FAILED)
		goto failed;
	ring->entries = mapped;
	out->r.value = (uint64_t)(ring - rings);
	return;
failed:
	fail(out, errno);
	close_ring(ring, 0);
}

/* One IORING_OP_WRITE_FIXED of 8 bytes from the buffer to `fd`.  Returns an errno. */
static int write_fixed(struct ring *ring, const unsigned char *from, int fd)
{
	unsigned *sq_tail = (unsigned *)(ring->rings + ring->p.sq_off.tail);
	unsigned sq_mask = *(unsigned *)(ring->rings + ring->p.sq_off.ring_mask);
	unsigned *sq_array = (unsigned *)(ring->rings + ring->p.sq_off.array);
	unsigned *cq_head = (unsigned *)(ring->rings + ring->p.cq_off.head);
	unsigned *cq_tail = (unsigned *)(ring->rings + ring->p.cq_off.tail);
	unsigned cq_mask = *(unsigned *)(ring->rings + ring->p.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->rings + ring->p.cq_off.cqes);
	unsigned index = *sq_tail & sq_mask;
	int done;

	ring->entries[index] = (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE_FIXED, .fd = fd, .addr = (uintptr_t)from, .len = 8,
		.off = (uint64_t)-1,
	};
	sq_array[index] = index;
	__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return errno;
	if (__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) == *cq_head)
		return EAGAIN;
	done = cqes[*cq_head & cq_mask].res;
	__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	return done == 8 ? 0 : done < 0 ? -done : EIO;
}

/* uring_read RING: the first 8 bytes of each page of the buffer, as a device would see them */
static void do_uring_read(struct words *w, struct reply *out)
{
	struct ring *ring = &rings[number(w) % RINGS];
	size_t count = ring->length / page_size;
	int ends[2];

	if (count * 8 > MESSAGE_MAX - sizeof(struct result))
		return fail(out, E2BIG);
	if (pipe(ends) < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count && out->r.kind == DONE; i++) {
		int error = write_fixed(ring, (unsigned char *)ring->start + i * page_size, ends[1]);

		if (error)
			fail(out, error);
		else if (read(ends[0], out->data + i * 8, 8) != 8)
			fail(out, EIO);
	}
	if (out->r.kind == DONE)
		out->r.length = (uint32_t)(count * 8);
	close(ends[0]);
	close(ends[1]);
}

/* uring_unregister RING */
static void do_uring_unregister(struct words *w, struct reply *out)
{
	(void)out;
	close_ring(&rings[number(w) % RINGS], 1);
}

/* fork SLOT: the value is the child's pid.  The child is a sibling, so that the hub can wait for it. */
static void do_fork(struct words *w, struct reply *out)
{
	int slot = (int)number(w);
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (pid) {
		settle(out, pid);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != hub_pid)
		_exit(1);
	my_slot = slot;
	for (struct ring *ring = rings; ring < rings + RINGS; ring++)
		close_ring(ring, 0);
	out->r.kind = -1; /* the parent answers */
}

/* exit: gives up pins first, because the kernel drops those of a ring later than the memory. */
static void do_exit(struct words *w, struct reply *out)
{
	(void)w;
	(void)out;
	for (struct ring *ring = rings; ring < rings + RINGS; ring++)
		close_ring(ring, 1);
	_exit(0);
}

static const struct verb process_verbs[] = {
	{ "load", do_load }, { "store", do_store }, { "mmap", do_mmap }, { "munmap", do_munmap },
	{ "madvise", do_madvise }, { "mprotect", do_mprotect }, { "mremap", do_mremap },
	{ "vmsplice", do_vmsplice }, { "uring_register", do_uring_register }, { "uring_read", do_uring_read },
	{ "uring_unregister", do_uring_unregister }, { "fork", do_fork }, { "exit", do_exit }, { NULL, NULL },
};

/* Runs the primitive in `line` (verb and words) with one of `verbs`. */
static void run_verb(const struct verb *verbs, char *line, struct reply *out)
{
	struct words w = { line };
	char *name = text(&w);

	out->r = (struct result){ .kind = DONE };
	for (; verbs->name; verbs++) {
		if (!strcmp(verbs->name, name)) {
			verbs->run(&w, out);
			return;
		}
	}
	fail(out, ENOSYS);
}

/* A process: one primitive per message until it is told to exit or is killed. */
static _Noreturn void process_main(void)
{
	static char line[MESSAGE_MAX];

	catch_faults();
	for (;;) {
		ssize_t got = recv(sockets[my_slot][1], line, sizeof(line) - 1, 0);

		if (got <= 0)
			_exit(0);
		line[got] = 0;
		run_verb(process_verbs, line, &reply);
		if (reply.r.kind >= 0)
			send(sockets[my_slot][1], &reply, sizeof(reply.r) + reply.r.length, MSG_NOSIGNAL);
	}
}

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

	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = (struct process){ 0, -1 };
	while (recv(sockets[slot][0], &status, sizeof(status), MSG_DONTWAIT | MSG_TRUNC) >= 0 ||
	       recv(sockets[slot][1], &status, sizeof(status), MSG_DONTWAIT | MSG_TRUNC) >= 0)
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
		;
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

/* reset: no process and no descriptor of the scenario is left */
static void do_reset(struct words *w, struct reply *out)
{
	(void)w;
	(void)out;
	kill_all();
	syscall(SYS_close_range, first_free_fd, ~0U, 0);
}

/* --- in the hub: files, /proc and settings ------------------------------------------------------------ */

/* read PATH [LENGTH]: what the file holds */
static void do_read(struct words *w, struct reply *out)
{
	int fd = open(text(w), O_RDONLY | O_CLOEXEC);
	size_t limit = number(w);
	ssize_t got;

	if (fd < 0)
		return fail(out, errno);
	if (limit == 0 || limit > DATA_MAX)
		limit = DATA_MAX;
	while (out->r.length < limit && (got = read(fd, out->data + out->r.length, limit - out->r.length)) != 0) {
		if (got < 0) {
			fail(out, errno);
			break;
		}
		out->r.length += (uint32_t)got;
	}
	close(fd);
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

/* memfd LENGTH: the value is the descriptor */
static void do_memfd(struct words *w, struct reply *out)
{
	int fd = memfd_create("mapspec", MFD_CLOEXEC);

	if (fd < 0)
		return fail(out, errno);
	out->r.value = (uint64_t)fd;
	if (ftruncate(fd, (off_t)number(w)) < 0) {
		fail(out, errno);
		close(fd);
	}
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

/* close FD */
static void do_close(struct words *w, struct reply *out)
{
	int fd = (int)number(w);

	settle(out, fd >= first_free_fd ? close(fd) : (errno = EBADF, -1));
}

/* pipe LENGTH: the value is the descriptor to read from; the one to write to is the next 8 bytes of data */
static void do_pipe(struct words *w, struct reply *out)
{
	int ends[2];
	uint64_t to_write;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(out, errno);
	if (fcntl(ends[1], F_SETPIPE_SZ, (int)number(w)) < 0) {
		fail(out, errno);
		close(ends[0]);
		close(ends[1]);
		return;
	}
	to_write = (uint64_t)ends[1];
	memcpy(out->data, &to_write, 8);
	out->r.length = 8;
	out->r.value = (uint64_t)ends[0];
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

/* mem_read SLOT ADDRESS COUNT: the first 8 bytes of each page through /proc/PID/mem */
static void do_mem_read(struct words *w, struct reply *out)
{
	int fd = open_proc(processes[number(w) % SLOTS].pid, "mem", O_RDONLY);
	uint64_t from = number(w);
	size_t count = number(w);

	if (fd < 0)
		return fail(out, errno);
	out->r.length = (uint32_t)(count * 8);
	for (size_t i = 0; count * 8 <= DATA_MAX && i < count; i++) {
		if (pread(fd, out->data + i * 8, 8, (off_t)(from + i * page_size)) != 8) {
			fail(out, errno);
			break;
		}
	}
	close(fd);
}

/* mem_write SLOT ADDRESS COUNT WORD: WORD in the first 8 bytes of each page through /proc/PID/mem */
static void do_mem_write(struct words *w, struct reply *out)
{
	int fd = open_proc(processes[number(w) % SLOTS].pid, "mem", O_WRONLY);
	uint64_t to = number(w);
	size_t count = number(w);
	uint64_t word = number(w);

	if (fd < 0)
		return fail(out, errno);
	for (size_t i = 0; i < count; i++) {
		if (pwrite(fd, &word, 8, (off_t)(to + i * page_size)) != 8) {
			fail(out, errno);
			break;
		}
	}
	close(fd);
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

/* pages SLOT ADDRESS COUNT: COUNT words each of pagemap, kpagecount and kpageflags */
static void do_pages(struct words *w, struct reply *out)
{
	int fd = open_proc(processes[number(w) % SLOTS].pid, "pagemap", O_RDONLY);
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

/* sleep MILLISECONDS */
static void do_sleep(struct words *w, struct reply *out)
{
	uint64_t milliseconds = number(w);
	struct timespec t = { (time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000 };

	settle(out, nanosleep(&t, NULL));
}

/* about: page size, word size, user, pid and machine, one per line */
static void do_about(struct words *w, struct reply *out)
{
	(void)w;
	out->r.length = (uint32_t)snprintf((char *)out->data, DATA_MAX, "%zu\n%zu\n%d\n%d\n", page_size,
					   8 * sizeof(void *), (int)geteuid(), (int)getpid());
}

static const struct verb hub_verbs[] = {
	{ "spawn", do_spawn }, { "kill", do_kill }, { "reset", do_reset }, { "read", do_read },
	{ "write", do_write }, { "save", do_save }, { "restore", do_restore }, { "remember", do_remember }, { "open", do_open },
	{ "memfd", do_memfd }, { "pwrite", do_pwrite }, { "close", do_close }, { "pipe", do_pipe },
	{ "pipe_read", do_pipe_read }, { "vm_read", do_vm_read }, { "mem_read", do_mem_read },
	{ "mem_write", do_mem_write }, { "pages", do_pages }, { "flags", do_flags }, { "scan", do_scan },
	{ "mount", do_mount }, { "statfs", do_statfs }, { "drain", do_drain }, { "sleep", do_sleep },
	{ "about", do_about }, { NULL, NULL },
};

/* --- in the hub: the stream ---------------------------------------------------------------------------- */

static volatile sig_atomic_t told_to_stop;

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

static unsigned char output[OUTPUT_MAX];
static size_t output_length;

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
			run_verb(hub_verbs, primitive, &reply);
		else if (!strcmp(primitive, "exit")) {
			forward(slot, primitive, &reply);
			if (reply.r.kind == DIED && reply.r.code == 0)
				reply.r = (struct result){ .kind = DONE };
		} else
			forward(slot, primitive, &reply);
		put_result(&reply);
		go_on = reply.r.kind == DONE || may_fail;
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

int main(void)
{
	struct sigaction stop = { .sa_handler = on_stop };
	char *line;

	hub_pid = getpid();
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	stay_on_this_cpu();
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	for (int slot = 1; slot < SLOTS; slot++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets[slot]) < 0)
			return 1;
	kpagecount_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	kpageflags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	first_free_fd = dup(0); /* the lowest free number: nothing above it is open yet */
	close(first_free_fd);
	while (!told_to_stop && (line = next_line()) && run_batch(line) == 0)
		;
	kill_all();
	restore_settings();
	return 0;
}
