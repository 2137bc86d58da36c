// SPDX-License-Identifier: MIT
/* Memory that parts of the kernel offer: the hub makes the object and keeps its descriptor, processes map it. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor.h"

/* What older headers lack. */
#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef TCP_ZEROCOPY_RECEIVE
#define TCP_ZEROCOPY_RECEIVE 35
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

enum {
	XDP_MMAP_OFFSETS_OPTION = 1, XDP_RX_RING_OPTION = 2, /* include/uapi/linux/if_xdp.h */
	BPF_MAP_CREATE_COMMAND = 0,                          /* include/uapi/linux/bpf.h */
	KVM_CREATE_VM_REQUEST = 0xae01, KVM_VCPU_MMAP_SIZE_REQUEST = 0xae04, KVM_CREATE_VCPU_REQUEST = 0xae41,
	SEND_SECONDS = 2,
};

/* The value is the descriptor, or an errno and the descriptor is closed; the data is a number in decimal. */
static void settle_fd(struct reply *out, int fd, long returned, size_t length)
{
	int error = errno;

	if (fd >= 0 && returned >= 0) {
		out->r.value = (uint64_t)fd;
		out->r.length = (uint32_t)snprintf((char *)out->data, DATA_MAX, "%zu", length);
		return;
	}
	if (fd >= 0)
		close(fd);
	fail(out, error);
}

/* --- in the hub --------------------------------------------------------------------------------------- */

/* packet_ring BLOCK COUNT: a receive ring of COUNT blocks of BLOCK bytes, on a socket that receives nothing */
static void do_packet_ring(struct words *w, struct reply *out)
{
	struct tpacket_req ring;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	ring.tp_block_size = (unsigned)number(w);
	ring.tp_block_nr = (unsigned)number(w);
	ring.tp_frame_size = 2048;
	ring.tp_frame_nr = ring.tp_block_size / ring.tp_frame_size * ring.tp_block_nr;
	settle_fd(out, fd, fd < 0 ? -1 : setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)),
		  (size_t)ring.tp_block_size * ring.tp_block_nr);
}

/* xdp_ring ENTRIES: the data is how many bytes the receive ring has */
static void do_xdp_ring(struct words *w, struct reply *out)
{
	struct { uint64_t producer, consumer, desc, flags; } offsets[4];
	socklen_t length = sizeof(offsets);
	int entries = (int)number(w), fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	long done = -1;

	memset(offsets, 0, sizeof(offsets));
	if (fd >= 0)
		done = setsockopt(fd, SOL_XDP, XDP_RX_RING_OPTION, &entries, sizeof(entries));
	if (done >= 0)
		done = getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS_OPTION, offsets, &length);
	/* a descriptor has 16 bytes; before 5.4 there were no flags and three offsets for each of the four rings */
	settle_fd(out, fd, done, (size_t)(length < sizeof(offsets) ? ((uint64_t *)offsets)[2] : offsets[0].desc) +
					 (size_t)entries * 16);
}

/* uring_ring ENTRIES: the data is how many bytes the submission ring has */
static void do_uring_ring(struct words *w, struct reply *out)
{
	struct io_uring_params p = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, (unsigned)number(w), &p);
	size_t length = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	size_t completions = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);

	if (p.features & IORING_FEAT_SINGLE_MMAP && completions > length)
		length = completions;
	settle_fd(out, fd, 0, length);
}

/* perf_event: one that counts nothing */
static void do_perf_event(struct words *w, struct reply *out)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.disabled = 1, .exclude_kernel = 1, .exclude_hv = 1,
	};

	(void)w;
	settle_fd(out, (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC), 0, 0);
}

/* bpf_map TYPE KEY VALUE ENTRIES FLAGS */
static void do_bpf_map(struct words *w, struct reply *out)
{
	struct { uint32_t type, key, value, entries, flags; } attr;

	attr.type = (uint32_t)number(w);
	attr.key = (uint32_t)number(w);
	attr.value = (uint32_t)number(w);
	attr.entries = (uint32_t)number(w);
	attr.flags = (uint32_t)number(w);
	settle_fd(out, (int)syscall(SYS_bpf, BPF_MAP_CREATE_COMMAND, &attr, sizeof(attr)), 0, 0);
}

/* kvm_vcpu: of a virtual machine without memory; the data is how many bytes can be mapped */
static void do_kvm_vcpu(struct words *w, struct reply *out)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), machine = -1, vcpu = -1, error;
	long length = 0;

	(void)w;
	if (kvm >= 0 && (length = ioctl(kvm, KVM_VCPU_MMAP_SIZE_REQUEST, 0)) >= 0)
		machine = ioctl(kvm, KVM_CREATE_VM_REQUEST, 0);
	if (machine >= 0)
		vcpu = ioctl(machine, KVM_CREATE_VCPU_REQUEST, 0);
	error = errno;
	if (machine >= 0)
		close(machine);
	if (kvm >= 0)
		close(kvm);
	errno = error;
	settle_fd(out, vcpu, 0, (size_t)length);
}

/* secretmem LENGTH */
static void do_secretmem(struct words *w, struct reply *out)
{
	size_t length = number(w);
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	settle_fd(out, fd, fd < 0 ? -1 : ftruncate(fd, (off_t)length), length);
}

/* A connection over the loopback interface of the network namespace that we are in.  Returns 0 or -1 and errno. */
static int connect_loopback(int *receiver, int *sender)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(at);
	int room = 1 << 20, one = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	*sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*receiver = -1;
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)); /* as much of it as this user may have */
	setsockopt(*sender, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (setsockopt(*sender, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == 0 &&
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&at, &length) == 0 &&
	    connect(*sender, (struct sockaddr *)&at, sizeof(at)) == 0)
		*receiver = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	error = errno;
	close(listener);
	if (*receiver < 0)
		close(*sender);
	errno = error;
	return *receiver < 0 ? -1 : 0;
}

/* The same in a network namespace of its own, where nothing is but a loopback interface that is down. */
static int connect_apart(int *receiver, int *sender)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), result = -1, control, error;

	if (ours < 0)
		return -1;
	if (unshare(CLONE_NEWNET) == 0) {
		control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (ioctl(control, SIOCSIFFLAGS, &loopback) == 0)
			result = connect_loopback(receiver, sender);
		error = errno;
		close(control);
		if (setns(ours, CLONE_NEWNET) < 0)
			_exit(1); /* nothing that we do after that would be right */
		errno = error;
	}
	error = errno;
	close(ours);
	errno = error;
	return result;
}

/* tcp_pair: the value is the descriptor that receives, the data the one that sends */
static void do_tcp_pair(struct words *w, struct reply *out)
{
	int receiver, sender;

	(void)w;
	if (connect_loopback(&receiver, &sender) < 0 && connect_apart(&receiver, &sender) < 0)
		return fail(out, errno);
	settle_fd(out, receiver, 0, (size_t)sender);
}

/* tcp_send FD LENGTH: zeros from whole pages, with MSG_ZEROCOPY */
static void do_tcp_send(struct words *w, struct reply *out)
{
	int fd = (int)number(w);
	size_t length = number(w), sent = 0;
	unsigned char *from = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (from == MAP_FAILED)
		return fail(out, errno);
	while (sent < length) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };
		ssize_t now = send(fd, from + sent, length - sent, MSG_ZEROCOPY | MSG_DONTWAIT | MSG_NOSIGNAL);

		if (now > 0) {
			sent += (size_t)now;
		} else if (errno != EAGAIN || poll(&ready, 1, SEND_SECONDS * 1000) <= 0) {
			fail(out, errno);
			break;
		}
	}
	munmap(from, length);
}

const struct verb interface_hub_verbs[] = {
	{ "packet_ring", do_packet_ring }, { "xdp_ring", do_xdp_ring }, { "uring_ring", do_uring_ring },
	{ "perf_event", do_perf_event }, { "bpf_map", do_bpf_map }, { "kvm_vcpu", do_kvm_vcpu },
	{ "secretmem", do_secretmem }, { "tcp_pair", do_tcp_pair }, { "tcp_send", do_tcp_send }, { NULL, NULL },
};

/* --- in a process -------------------------------------------------------------------------------------- */

/* map_fd HUBFD ADDRESS LENGTH PROTECTION FLAGS OFFSET: the value is the address; ADDRESS 0: where the kernel wants */
static void do_map_fd(struct words *w, struct reply *out)
{
	int fd = take_hub_fd((unsigned)number(w));
	void *at = address(w);
	size_t length = number(w);
	int protection = (int)number(w), flags = (int)number(w);

	if (fd < 0)
		return fail(out, errno);
	if (at)
		flags |= MAP_FIXED_NOREPLACE;
	at = mmap(at, length, protection, flags, fd, (off_t)number(w));
	if (at == MAP_FAILED)
		fail(out, errno);
	else
		out->r.value = (uintptr_t)at;
	close(fd);
}

/* io_setup EVENTS: the value is the address of the ring */
static void do_io_setup(struct words *w, struct reply *out)
{
	unsigned long context = 0;

	if (syscall(SYS_io_setup, (unsigned)number(w), &context) < 0)
		return fail(out, errno);
	out->r.value = context;
}

/* include/uapi/linux/tcp.h: struct tcp_zerocopy_receive, as far as every version has it */
struct zerocopy {
	uint64_t address;
	uint32_t length, skip;
};

/* Reads bytes and forgets them. */
static int skip_bytes(int fd, size_t length)
{
	unsigned char buffer[4096];

	while (length) {
		ssize_t got = recv(fd, buffer, length < sizeof(buffer) ? length : sizeof(buffer), MSG_DONTWAIT);

		if (got <= 0)
			return -1;
		length -= (size_t)got;
	}
	return 0;
}

/* tcp_receive HUBFD ADDRESS LENGTH EXPECTED: maps what it can of EXPECTED bytes that arrive; the value is how many bytes.
 * What cannot be mapped is read, so that the next page may be mapped. */
static void do_tcp_receive(struct words *w, struct reply *out)
{
	int fd = take_hub_fd((unsigned)number(w)), arrived = 0;
	uint64_t at = number(w), room = number(w), expected = number(w), done = 0, mapped = 0;

	if (fd < 0)
		return fail(out, errno);
	for (int left = 200; (ioctl(fd, FIONREAD, &arrived) < 0 || (uint64_t)arrived < expected) && left; left--)
		poll(NULL, 0, 10);
	while (done < expected && mapped < room) {
		struct zerocopy z = { at + mapped, (uint32_t)(room - mapped), 0 };
		socklen_t size = sizeof(z);

		if (expected - done < room - mapped)
			z.length = (uint32_t)(expected - done);
		z.length &= ~(uint32_t)(page_size - 1);
		if (!z.length)
			break;
		if (getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &z, &size) < 0) {
			fail(out, errno);
			break;
		}
		mapped += z.length;
		done += z.length;
		if (z.skip > expected - done)
			z.skip = (uint32_t)(expected - done);
		if ((!z.length && !z.skip) || skip_bytes(fd, z.skip) < 0)
			break;
		done += z.skip;
	}
	if (done < expected)
		skip_bytes(fd, expected - done);
	if (out->r.kind == DONE)
		out->r.value = mapped;
	close(fd);
}

const struct verb interface_process_verbs[] = {
	{ "map_fd", do_map_fd }, { "io_setup", do_io_setup }, { "tcp_receive", do_tcp_receive }, { NULL, NULL },
};
