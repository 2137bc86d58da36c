/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /dev/mapspec is told and asks: the numbers and structures of its ioctls.
 *
 * Every field has 64 bits, so that a 32-bit program sees the same structures.  devices.py writes them with the module
 * `struct` of Python and has the same numbers.
 *
 * An ioctl fails with ENOTRECOVERABLE if the kernel would stop there with BUG, and with ENOPKG if the module does not
 * do that; mmap(2) does so too.  No kernel function that it calls gives these.
 */
#ifndef MAPSPEC_H
#define MAPSPEC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* conformance/protocol/names.py: DeviceMemory */
enum mapspec_memory {
	MAPSPEC_PAGES, MAPSPEC_COMPOUND, MAPSPEC_BLOCK, MAPSPEC_VMALLOC, MAPSPEC_VMALLOC_USER, MAPSPEC_SLAB,
	MAPSPEC_LARGE_KMALLOC, MAPSPEC_COHERENT, MAPSPEC_RESERVED, MAPSPEC_ZERO, MAPSPEC_ANONYMOUS, MAPSPEC_PAGE_CACHE,
	MAPSPEC_MMIO, MAPSPEC_NR_MEMORY
};

/* conformance/protocol/names.py: DriverFunction */
enum mapspec_function {
	MAPSPEC_REMAP_PFN_RANGE, MAPSPEC_IO_REMAP_PFN_RANGE, MAPSPEC_IOMAP_MEMORY, MAPSPEC_INSERT_PAGE,
	MAPSPEC_INSERT_PAGES, MAPSPEC_MAP_PAGES, MAPSPEC_MAP_PAGES_ZERO, MAPSPEC_REMAP_VMALLOC_RANGE,
	MAPSPEC_DMA_MMAP_COHERENT, MAPSPEC_ACTION_REMAP, MAPSPEC_ACTION_MAP_KERNEL_PAGES, MAPSPEC_FAULT,
	MAPSPEC_FAULT_INSERT_PAGE, MAPSPEC_FAULT_INSERT_PAGE_MKWRITE, MAPSPEC_FAULT_INSERT_PFN,
	MAPSPEC_FAULT_INSERT_PFN_PROT, MAPSPEC_FAULT_INSERT_MIXED, MAPSPEC_FAULT_INSERT_MIXED_MKWRITE,
	MAPSPEC_FAULT_INSERT_PFN_PMD, MAPSPEC_FAULT_INSERT_FOLIO_PMD, MAPSPEC_NR_FUNCTIONS
};

/* Allocate the memory of this device.  Once. */
struct mapspec_allocate {
	__u64 memory;    /* enum mapspec_memory */
	__u64 pages;
	__u64 order;     /* of compound and block */
};

/* What the mmap handler shall do next time. */
struct mapspec_handler {
	__u64 function;  /* enum mapspec_function */
	__u64 set;       /* VMA flags to set, then those to clear: */
	__u64 clear;     /* bit n is number n of VmaFlag there */
	__u64 pages;     /* how many to map from the start of the region; 0: all */
};

/* Call the function now, for pages of the calling process, with mmap_lock held for reading. */
struct mapspec_call {
	__u64 function;
	__u64 address;
	__u64 count;
	__u64 first;     /* page of the device */
	__s64 returned;  /* out: 0, a negative errno, or a fault code */
	__u64 is_fault;  /* out: `returned` is a vm_fault_t */
	__u64 left;      /* out: pages that are not mapped */
};

/* Pages of the device: unmap_mapping_range() for them, or write a word to the start of each. */
struct mapspec_range {
	__u64 first;
	__u64 count;
	__u64 value;     /* even_cows, or the word */
};

/* Pages of the calling process: zap_vma_ptes() or zap_special_vma_range(). */
struct mapspec_zap {
	__u64 address;
	__u64 count;
};

enum { MAPSPEC_AT_ONCE = 64 };

/* The first 8 bytes of pages of the device. */
struct mapspec_words {
	__u64 first;
	__u64 count;     /* up to MAPSPEC_AT_ONCE */
	__u64 word[MAPSPEC_AT_ONCE]; /* out */
};

/* What struct page says of pages of the device. */
struct mapspec_page {
	__u64 pfn;
	__u64 references; /* of the folio; 0 when the page is free */
	__u64 mapcount;   /* as /proc/kpagecount counts, entries that map the whole folio included */
	__u64 folio_mapcount;
	__u64 raw;        /* _mapcount as it stands there, 32 bits */
	__u64 flags;      /* MAPSPEC_PAGE_* */
};
#define MAPSPEC_PAGE_VALID	(1 << 0) /* it has a struct page; without, all the rest is 0 */
#define MAPSPEC_PAGE_HEAD	(1 << 1)
#define MAPSPEC_PAGE_TAIL	(1 << 2)
#define MAPSPEC_PAGE_TYPED	(1 << 3) /* slab and other types: _mapcount is no mapcount there */
#define MAPSPEC_PAGE_ANON	(1 << 4)
#define MAPSPEC_PAGE_RESERVED	(1 << 5)
#define MAPSPEC_PAGE_DIRTY	(1 << 6)
#define MAPSPEC_PAGE_ZERO	(1 << 7)

struct mapspec_pages {
	__u64 first;
	__u64 count;     /* up to MAPSPEC_AT_ONCE */
	struct mapspec_page page[MAPSPEC_AT_ONCE]; /* out */
};

/* What the page table of any process holds. */
struct mapspec_entry {
	__u64 flags;     /* MAPSPEC_ENTRY_* */
	__u64 pfn;
};
#define MAPSPEC_ENTRY_PRESENT	(1 << 0)
#define MAPSPEC_ENTRY_OTHER	(1 << 1) /* something that is not present: swapped, migrating, a marker */
#define MAPSPEC_ENTRY_PMD	(1 << 2)
#define MAPSPEC_ENTRY_PUD	(1 << 3)
#define MAPSPEC_ENTRY_SPECIAL	(1 << 4) /* the architecture's bit */
#define MAPSPEC_ENTRY_WRITE	(1 << 5)
#define MAPSPEC_ENTRY_YOUNG	(1 << 6)
#define MAPSPEC_ENTRY_DIRTY	(1 << 7)
#define MAPSPEC_ENTRY_NORMAL	(1 << 8) /* vm_normal_page() finds a page */
#define MAPSPEC_ENTRY_ZERO	(1 << 9) /* the shared zero page */
#define MAPSPEC_ENTRY_EXCLUSIVE	(1 << 10) /* normal, anonymous, and PageAnonExclusive */
#define MAPSPEC_ENTRY_ANON	(1 << 11)

struct mapspec_entries {
	__u64 pid;
	__u64 address;
	__u64 count;     /* up to MAPSPEC_AT_ONCE */
	struct mapspec_entry entry[MAPSPEC_AT_ONCE]; /* out */
};

/* References to the folio that any process maps at an address, taken as folio_ref_add() takes them: nothing is checked.
 * The open file holds them, once, and drops them when it is closed. */
struct mapspec_hold {
	__u64 pid;
	__u64 address;
	__u64 references; /* up to 2^31 - 1 */
};

/* The folios that any process maps: all 0 where there is no entry, or no struct page. */
struct mapspec_folio {
	__s64 references; /* folio_ref_count() */
	__s64 expected;   /* folio_expected_ref_count() */
};

struct mapspec_folios {
	__u64 pid;
	__u64 address;
	__u64 count;     /* up to MAPSPEC_AT_ONCE */
	struct mapspec_folio folio[MAPSPEC_AT_ONCE]; /* out */
};

/*
 * Pages of the calling process, with get_user_pages() or one of its kin.  The open file holds them, until it is told to
 * give them back or is closed; it must hold none yet.
 */
struct mapspec_get {
	__u64 address;
	__u64 count;
	__u64 times;     /* so often, one after the other; count * times is at most MAPSPEC_HELD */
	__u64 flags;     /* MAPSPEC_GET_* */
	__s64 got;       /* out: how many pages, all times together */
};
#define MAPSPEC_GET_PIN		(1 << 0) /* pin_user_pages() */
#define MAPSPEC_GET_FAST	(1 << 1) /* the functions that end in _fast() */
#define MAPSPEC_GET_WRITE	(1 << 2) /* FOLL_WRITE and so on */
#define MAPSPEC_GET_FORCE	(1 << 3)
#define MAPSPEC_GET_LONGTERM	(1 << 4) /* with MAPSPEC_GET_PIN only */

enum { MAPSPEC_HELD = 1 << 22 };

/* folio_maybe_dma_pinned() of any pages. */
struct mapspec_pinned {
	__u64 count;     /* up to MAPSPEC_AT_ONCE */
	__u64 page[MAPSPEC_AT_ONCE]; /* in: its PFN; out: 0 or 1 */
};

#define MAPSPEC_IOC_ALLOCATE	_IOW('m', 1, struct mapspec_allocate)
#define MAPSPEC_IOC_HANDLER	_IOW('m', 2, struct mapspec_handler)
#define MAPSPEC_IOC_CALL	_IOWR('m', 3, struct mapspec_call)
#define MAPSPEC_IOC_UNMAP	_IOW('m', 4, struct mapspec_range)
#define MAPSPEC_IOC_ZAP		_IOW('m', 5, struct mapspec_zap)
#define MAPSPEC_IOC_FREE	_IO('m', 6)
#define MAPSPEC_IOC_WRITE	_IOW('m', 7, struct mapspec_range)
#define MAPSPEC_IOC_READ	_IOWR('m', 8, struct mapspec_words)
#define MAPSPEC_IOC_PAGES	_IOWR('m', 9, struct mapspec_pages)
#define MAPSPEC_IOC_ENTRIES	_IOWR('m', 10, struct mapspec_entries)
#define MAPSPEC_IOC_CALL_LOCKED	_IOWR('m', 11, struct mapspec_call) /* mmap_lock is held for writing */
#define MAPSPEC_IOC_HOLD	_IOW('m', 20, struct mapspec_hold)
#define MAPSPEC_IOC_FOLIOS	_IOWR('m', 21, struct mapspec_folios)
#define MAPSPEC_IOC_GET		_IOWR('m', 30, struct mapspec_get)
#define MAPSPEC_IOC_PUT		_IO('m', 31)
#define MAPSPEC_IOC_READ_HELD	_IOWR('m', 32, struct mapspec_words)
#define MAPSPEC_IOC_WRITE_HELD	_IOW('m', 33, struct mapspec_range)
#define MAPSPEC_IOC_PINNED	_IOWR('m', 34, struct mapspec_pinned)

#endif
