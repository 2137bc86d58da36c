// SPDX-License-Identifier: MIT
/* The half of the executor that runs in the processes, and the words that primitives are made of. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "executor.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { RINGS = 16 }; /* io_uring instances of one process */

struct reply reply;
int sockets[SLOTS][2];
int my_slot;
pid_t hub_pid;
size_t page_size;
uint64_t salt;

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
char *text(struct words *w)
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

uint64_t number(struct words *w)
{
	return strtoull(text(w), NULL, 16);
}

void *address(struct words *w)
{
	return (void *)(uintptr_t)number(w);
}

void fail(struct reply *out, int error)
{
	out->r = (struct result){ .kind = ERRNO, .code = error };
}

/* For calls that return -1 and errno. */
void settle(struct reply *out, long returned)
{
	if (returned < 0)
		fail(out, errno);
	else
		out->r.value = (uint64_t)returned;
}

/* Runs the primitive in `line` (verb and words) with one of the verbs in `tables`, which end with NULL. */
void run_verb(const struct verb *const *tables, char *line, struct reply *out)
{
	struct words w = { line };
	char *name = text(&w);

	out->r = (struct result){ .kind = DONE };
	for (; *tables; tables++) {
		for (const struct verb *verb = *tables; verb->name; verb++) {
			if (!strcmp(verb->name, name)) {
				verb->run(&w, out);
				return;
			}
		}
	}
	fail(out, ENOSYS);
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
	for (pages_done = 0; pages_done < count; pages_done++) {
		volatile uint64_t *page = (volatile uint64_t *)(to + pages_done * page_size);

		page[0] = word;
		page[1] = word ? salt : 0;
	}
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

/* store ADDRESS COUNT WORD: WORD in the first 8 bytes of each page, the salt behind it unless WORD is 0 */
static void do_store(struct words *w, struct reply *out)
{
	unsigned char *to = address(w);
	size_t count = number(w);
	uint64_t word = number(w);

	WITH_FAULTS(out, store_pages(to, count, word));
}

/* Opens a descriptor of the hub in this process. */
int open_hub_fd(unsigned fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)hub_pid, fd);
	return open(path, flags | O_CLOEXEC);
}

/* A copy of a descriptor of the hub: for what cannot be opened by name, such as sockets and anonymous inodes. */
int take_hub_fd(unsigned fd)
{
	int hub = (int)syscall(SYS_pidfd_open, hub_pid, 0), taken, error;

	if (hub < 0)
		return -1;
	taken = (int)syscall(SYS_pidfd_getfd, hub, fd, 0);
	error = errno;
	close(hub);
	errno = error;
	return taken;
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

/* mremap OLD LENGTH NEWLENGTH FLAGS NEW: the value is the address; NEW counts with MREMAP_FIXED only */
static void do_mremap(struct words *w, struct reply *out)
{
	void *old = address(w);
	size_t length = number(w), new_length = number(w);
	int flags = (int)number(w);
	void *at = mremap(old, length, new_length, flags, address(w));

	if (at == MAP_FAILED)
		return fail(out, errno);
	out->r.value = (uintptr_t)at;
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
	/* A ring that has been closed gives its locked memory back later, and RLIMIT_MEMLOCK counts it until then. */
	for (int left = 100; syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &buffer, 1) < 0; left--) {
		if (errno != ENOMEM || !left)
			goto failed;
		poll(NULL, 0, 20);
	}
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

static const struct verb own_verbs[] = {
	{ "load", do_load }, { "store", do_store }, { "mmap", do_mmap }, { "munmap", do_munmap },
	{ "madvise", do_madvise }, { "mprotect", do_mprotect }, { "mremap", do_mremap },
	{ "vmsplice", do_vmsplice }, { "uring_register", do_uring_register }, { "uring_read", do_uring_read },
	{ "uring_unregister", do_uring_unregister }, { "fork", do_fork }, { "exit", do_exit }, { NULL, NULL },
};

static const struct verb *const process_verbs[] = {
	own_verbs, interface_process_verbs, observe_process_verbs, control_process_verbs, pins_process_verbs, NULL,
};

/* A process: one primitive per message until it is told to exit or is killed. */
_Noreturn void process_main(void)
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
