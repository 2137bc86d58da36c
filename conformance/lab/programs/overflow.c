// SPDX-License-Identifier: MIT
/*
 * The first and only program of a guest: maps one folio until its reference count is negative, and tries what fails then.
 *
 *     mapspec kernels boot 7.3 conformance/lab/programs/overflow.c --memory 19456
 *
 * It needs nothing of mapspec.  A folio of 512 pages in the page cache is mapped again and again by 512 PTEs, 4194303
 * times in 65 processes, of which each stays below max_map_count.  The count is read from struct page in /proc/kcore.
 * Two settings make it practical: fault-around maps all 512 pages at the first touch, and PR_SET_THP_DISABLE keeps
 * the folio from being mapped by a PMD, as an unaligned address would.
 *
 * The words PROCESSES, EACH and VMAS on the kernel's command line choose smaller numbers.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 512UL
#define HUGE (PAGES * PAGE)
#define START ((char *)0x100000000000)
#define VMEMMAP 0xffffea0000000000 /* without KASLR and five-level page tables */
#define STRUCT_PAGE 64
#define REFCOUNT 52 /* offset of _refcount */

enum { AT_ONCE = 2, MOST_PROCESSES = 128 };

static int memory;               /* the file with the folio */
static unsigned long frame;      /* its first page */
static int kcore;
static off_t refcount_at;        /* in kcore */
static struct timespec began;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - began.tv_sec + (now.tv_nsec - began.tv_nsec) / 1e9;
}

static _Noreturn void end(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %m\n", what);
	end();
}

static void set(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY);

	check(fd >= 0 && write(fd, value, strlen(value)) > 0, file);
	close(fd);
}

static long number(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value ? atol(value) : otherwise;
}

static unsigned long word_of(const char *file, off_t at)
{
	unsigned long value = 0;
	int fd = open(file, O_RDONLY);

	check(fd >= 0 && pread(fd, &value, sizeof(value), at) == sizeof(value), file);
	close(fd);
	return value;
}

/* Where kcore has an address of the kernel. */
static off_t offset_of(unsigned long address)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	check(pread(kcore, &head, sizeof(head), 0) == sizeof(head), "kcore");
	for (int i = 0; i < head.e_phnum; i++) {
		check(pread(kcore, &part, sizeof(part), head.e_phoff + i * sizeof(part)) == sizeof(part), "kcore");
		if (part.p_type == PT_LOAD && address >= part.p_vaddr && address - part.p_vaddr < part.p_memsz)
			return part.p_offset + (address - part.p_vaddr);
	}
	check(0, "kcore does not have struct page");
	return 0;
}

static int refcount(void)
{
	int value = 0;

	check(pread(kcore, &value, sizeof(value), refcount_at) == sizeof(value), "kcore");
	return value;
}

/* How many PTEs map the first page. */
static unsigned long mapcount(void)
{
	return word_of("/proc/kpagecount", frame * 8);
}

static void make_folio(void)
{
	char *all;

	memory = memfd_create("folio", 0);
	check(ftruncate(memory, HUGE) == 0, "memfd");
	all = mmap(START, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory, 0);
	for (unsigned long page = 0; page < PAGES; page++)
		all[page * PAGE] = 7;
	frame = word_of("/proc/self/pagemap", (unsigned long)all / PAGE * 8) & ((1UL << 55) - 1);
	munmap(all, HUGE);
	kcore = open("/proc/kcore", O_RDONLY);
	refcount_at = offset_of(VMEMMAP + frame * STRUCT_PAGE) + REFCOUNT;
	printf("the folio in the page cache, mapped by nobody: refcount %d\n", refcount());
	check(refcount() == PAGES, "it is no folio of 512 pages");
}

/* Map the folio by 512 PTEs, in a VMA of its own. */
static int map(long number)
{
	char *at = START + number * HUGE;

	if (mmap(at, HUGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, memory, 0) != at)
		return 0;
	return *(volatile char *)at == 7;
}

static const char *said(long result)
{
	return result < 0 ? strerrorname_np(errno) : "works";
}

/* The ways of get_user_pages that a program has without a device, those that only want the page mapped, and a load. */
static void try(const char *when)
{
	char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, memory, 0), copy[PAGE];
	struct iovec here = { page, PAGE }, there = { copy, PAGE };
	int pipes[2], mem = open("/proc/self/mem", O_RDONLY);
	int loaded = *(volatile char *)page, references = refcount();

	check(pipe(pipes) == 0 && mem >= 0, "pipe");
	printf("%s, refcount %d:\n", when, references);
	printf("  load %s", loaded == 7 ? "works" : "is wrong");
	printf(", vmsplice %s", said(vmsplice(pipes[1], &here, 1, 0)));
	printf(", process_vm_readv %s", said(process_vm_readv(getpid(), &there, 1, &here, 1, 0)));
	printf(", /proc/self/mem %s\n", said(pread(mem, copy, PAGE, (off_t)(unsigned long)page)));
	printf("  MADV_POPULATE_READ %s", said(madvise(page, PAGE, MADV_POPULATE_READ)));
	printf(", mlock %s\n", said(mlock(page, PAGE)));
	close(mem);
	close(pipes[0]);
	close(pipes[1]);
	munmap(page, PAGE);
}

/* Put the first page into a pipe. */
static void splice_page(const int *pipes)
{
	char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, memory, 0);
	struct iovec here = { page, PAGE };

	check(vmsplice(pipes[1], &here, 1, 0) == (ssize_t)PAGE, "vmsplice");
	munmap(page, PAGE);
}

static void show_memory(void)
{
	char line[128];
	FILE *info = fopen("/proc/meminfo", "r");

	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "PageTables:", 11) || !strncmp(line, "SUnreclaim:", 11))
			printf("  %s", line);
	fclose(info);
}

/* A private mapping with an anonymous page, of which fork copies the entries of the file. */
static void fork_entries(const int *told)
{
	char *copy = START - HUGE, byte;
	pid_t child;
	int before;

	check(mmap(copy, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, memory, 0) == copy, "mmap");
	*(volatile char *)(copy + PAGE);
	copy[0] = 1;
	before = refcount();
	child = fork();
	if (child == 0) {
		check(write(told[1], "f", 1) == 1, "pipe");
		for (;;)
			pause();
	}
	check(read(told[0], &byte, 1) == 1, "pipe");
	printf("fork works: refcount %d, then %d\n", before, refcount());
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(copy, HUGE);
}

/* A process that maps the folio `each` times and stays. */
static pid_t start(long each, const int *told)
{
	pid_t child = fork();

	if (child)
		return child;
	for (long i = 0; i < each; i++)
		if (!map(i)) {
			check(write(told[1], "n", 1) == 1, "pipe");
			end();
		}
	check(write(told[1], "y", 1) == 1, "pipe");
	for (;;)
		pause();
}

int main(void)
{
	long processes, each, vmas, rest;
	int told[2], held[2], other[2], before;
	pid_t children[MOST_PROCESSES];
	struct utsname kernel;
	char answer;

	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	mount("dev", "/dev", "devtmpfs", 0, "");
	mount("debug", "/sys/kernel/debug", "debugfs", 0, "");
	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, between those of the kernel */
	processes = number("PROCESSES", 64);
	each = number("EACH", 65400);
	vmas = number("VMAS", 4194303);
	rest = vmas - processes * each;
	check(processes <= MOST_PROCESSES && rest > 0, "these numbers do not fit");
	clock_gettime(CLOCK_MONOTONIC, &began);
	uname(&kernel);
	printf("Linux %s\n", kernel.release);
	set("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "always");
	set("/sys/kernel/debug/fault_around_bytes", "2097152");
	check(pipe(told) == 0 && pipe(held) == 0 && pipe(other) == 0, "pipe");

	make_folio();
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	check(map(0), "map");
	printf("mapped by one VMA: refcount %d, mapcount of its first page %lu\n", refcount(), mapcount());
	munmap(START, HUGE);
	splice_page(held);
	printf("its first page is in a pipe: refcount %d\n", refcount());
	try("at the start");

	for (long begun = 0, done = 0; done < processes; done++) {
		for (; begun < processes && begun < done + AT_ONCE; begun++)
			children[begun] = start(each, told);
		check(read(told[0], &answer, 1) == 1 && answer == 'y', "a process could not map it");
		if ((done + 1) % 16 == 0)
			printf("%ld processes: refcount %d, mapcount %lu, %.0f s\n", done + 1, refcount(), mapcount(), seconds());
	}
	for (long i = 0; i < rest - 1; i++)
		check(map(i), "map");
	printf("all but one of %ld VMAs: mapcount %lu, %.0f s\n", vmas, mapcount(), seconds());
	show_memory();
	try("before the last VMA");
	check(map(rest - 1), "map");
	try("with all VMAs");
	printf("tee of the page in the pipe %s\n", said(tee(held[0], other[1], PAGE, 0)));
	fork_entries(told);
	before = refcount();
	check(map(rest), "map");
	printf("one VMA more works: refcount %d, then %d\n", before, refcount());

	for (long i = 0; i < processes; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	printf("%ld processes have exited: refcount %d, mapcount %lu, %.0f s\n", processes, refcount(), mapcount(), seconds());
	munmap(START, (rest + 1) * HUGE);
	try("at the end, mapped by nobody else");
	end();
}
