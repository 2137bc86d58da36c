// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that maps memory of every kind with every function that Linux offers for it, on request, and tells what
 * struct page and the page tables then hold.
 *
 * For a virtual machine of your own: it can be told to do what no driver may do.  mapspec never loads it.
 *
 * One open file of /dev/mapspec is one device: it allocates memory once (MAPSPEC_IOC_ALLOCATE), is told what its mmap
 * handler shall do next (MAPSPEC_IOC_HANDLER), and is mapped with mmap(2), as often as one likes.  Everything that it
 * has is given back with the last reference to the file; mappings are such references.  The parameter `leaked` tells
 * how many pages somebody still holds after that.
 *
 * In this file: memory - mapping functions - what would be a BUG - mmap and faults - page tables - struct page -
 * references - get_user_pages - the device.  Differences between 6.1 and 7.3 stand together at the start.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "mapspec.h"

#define SINCE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

static bool bugs;
module_param(bugs, bool, 0644);
MODULE_PARM_DESC(bugs, "Also do what makes the kernel stop with BUG");

/* --- versions ------------------------------------------------------------------------------------------ */

#if !SINCE(6, 3)
static void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#if SINCE(6, 18)
#define MIXED(pfn) (pfn)
#else
#include <linux/pfn_t.h>
#define MIXED(pfn) __pfn_to_pfn_t(pfn, PFN_DEV)
#endif

#if !SINCE(7, 0)
#define zap_special_vma_range zap_vma_ptes
#endif

#if SINCE(7, 3)
#define is_cow vma_is_cow_mapping
#define SHMEM_FLAGS mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define is_cow(vma) is_cow_mapping((vma)->vm_flags)
#define SHMEM_FLAGS VM_NORESERVE
#endif

#if SINCE(6, 5)
#define NO_VMAS
#else
#define NO_VMAS , NULL
#endif

#if SINCE(6, 6)
typedef unsigned int huge_size_t;
#define HUGE_IS_PMD(size) ((size) == PMD_SHIFT - PAGE_SHIFT)
#else
typedef enum page_entry_size huge_size_t;
#define HUGE_IS_PMD(size) ((size) == PE_SIZE_PMD)
#endif

/* --- memory -------------------------------------------------------------------------------------------- */

struct device_file {
	/*
	 * unmap_mapping_range() finds VMAs through file->f_mapping, and all opens of one device node share the one of
	 * its inode.  So each device has an address_space of its own.
	 */
	struct address_space mapping;
	struct rw_semaphore lock;      /* of everything below; taken inside mmap_lock, never around user memory */
	enum mapspec_memory memory;
	unsigned long count;
	unsigned int order;
	struct page **pages;           /* NULL where there is no struct page */
	unsigned long *pfns;           /* stay when the memory is freed */
	void *area;                    /* vmalloc, slab and coherent memory, as the kernel sees it */
	dma_addr_t dma;
	struct file *shmem;
	unsigned long mark;            /* in page->private of its pages, and in nobody else's */
	struct bar *bar;               /* memory of a PCI device, and that as the kernel sees it; or, without such, */
	void __iomem *io;
	struct resource room;          /* physical addresses where nothing is */
	atomic_t asked;                /* somebody has asked for the memory, */
	bool ready;                    /* and here it is, */
	bool gone;                     /* or was */
	struct mapspec_handler handler;
	struct folio *folio;           /* with so many references, until the file is closed */
	int references;
	struct page **held;            /* what get_user_pages() gave, */
	unsigned long nr_held;
	bool pinned;                   /* with FOLL_PIN */
};

static struct platform_device *dma_device;
static atomic_long_t last_mark;

/*
 * Device memory that keeps what is written to it: BARs of PCI devices without driver that have memory, such as a
 * display or QEMU's ivshmem-plain, in portions that a PMD can map.
 */
#ifdef CONFIG_PCI
static struct bar {
	struct pci_dev *device;
	resource_size_t start;
	bool taken;
} bars[16];
static unsigned int nr_bars;
static DEFINE_MUTEX(bars_lock);

static void find_bars(void)
{
	struct pci_dev *device = NULL;

	for_each_pci_dev(device) {
		unsigned int class = device->class >> 16;

		if ((class != PCI_BASE_CLASS_MEMORY && class != PCI_BASE_CLASS_DISPLAY) || device->dev.driver)
			continue;
		for (int i = 0; i < PCI_STD_NUM_BARS; i++) {
			resource_size_t at = ALIGN(pci_resource_start(device, i), PMD_SIZE);

			if (!(pci_resource_flags(device, i) & IORESOURCE_MEM) || !at)
				continue;
			for (; at + PMD_SIZE - 1 <= pci_resource_end(device, i); at += PMD_SIZE)
				if (nr_bars < ARRAY_SIZE(bars) && !pfn_valid(at >> PAGE_SHIFT))
					bars[nr_bars++] = (struct bar){ pci_dev_get(device), at };
		}
	}
}

static void forget_bars(void)
{
	while (nr_bars)
		pci_dev_put(bars[--nr_bars].device);
}

static void give_back_bar(struct device_file *d)
{
	if (!d->bar)
		return;
	if (d->io)
		iounmap(d->io);
	d->io = NULL;
	pci_disable_device(d->bar->device);
	WRITE_ONCE(d->bar->taken, false);
	d->bar = NULL;
}

/* Whether there was one. */
static bool take_bar(struct device_file *d)
{
	size_t size = d->count << PAGE_SHIFT;

	mutex_lock(&bars_lock);
	for (unsigned int i = 0; i < nr_bars && !d->bar && size <= PMD_SIZE; i++) {
		if (READ_ONCE(bars[i].taken) || pci_enable_device(bars[i].device))
			continue;
		bars[i].taken = true;
		d->bar = &bars[i];
	}
	mutex_unlock(&bars_lock);
	if (!d->bar)
		return false;
	d->io = ioremap(d->bar->start, size);
	if (!d->io) {
		give_back_bar(d);
		return false;
	}
	memset_io(d->io, 0, size);
	for (unsigned long i = 0; i < d->count; i++)
		d->pfns[i] = (d->bar->start >> PAGE_SHIFT) + i;
	return true;
}

/* Reads the first word of a page, or writes it. */
static void io_word(struct device_file *d, unsigned long i, u64 *value, bool write)
{
	void __iomem *at = d->io + (i << PAGE_SHIFT);

	if (write)
		memcpy_toio(at, value, sizeof(*value));
	else
		memcpy_fromio(value, at, sizeof(*value));
}
#else
static void find_bars(void) {}
static void forget_bars(void) {}
static void give_back_bar(struct device_file *d) {}
static bool take_bar(struct device_file *d) { return false; }
static void io_word(struct device_file *d, unsigned long i, u64 *value, bool write) {}
#endif

/* Else physical addresses where nothing is, reserved so that nothing comes there. */
static int take_room(struct device_file *d)
{
	/* larger than a PMD, and than the blocks in which memory can come and go */
	const resource_size_t align = max_t(resource_size_t, PMD_SIZE, 128UL << 20), size = d->count << PAGE_SHIFT;
	resource_size_t from = 2ULL << 30;

	if (IS_ENABLED(CONFIG_UML))
		return -ENOPKG; /* where a program must not have a page that is none of the host's file */
	for (int tries = 0; tries < 64; tries++) {
		unsigned long i;

		d->room = (struct resource){ .name = "mapspec", .flags = IORESOURCE_MEM };
		if (allocate_resource(&iomem_resource, &d->room, size, from, (resource_size_t)-1, align, NULL, NULL))
			return -ENOMEM;
		for (i = 0; i < d->count; i++) {
			d->pfns[i] = (d->room.start >> PAGE_SHIFT) + i;
			if (pfn_valid(d->pfns[i]))
				break;
		}
		if (i == d->count)
			return 0;
		from = d->room.end + 1;
		release_resource(&d->room);
		d->room.flags = 0;
	}
	return -ENOMEM;
}

/*
 * Pages of order 0 with one reference each, as alloc_page() gives them.  They come in runs, because
 * remap_pfn_range() of a private mapping has to cover the whole VMA with one call.
 */
static int take_pages(struct device_file *d)
{
	for (unsigned long done = 0; done < d->count;) {
		unsigned long run = min(d->count - done, 1UL << 10);
		unsigned int order = get_order(run << PAGE_SHIFT);
		struct page *page = alloc_pages(GFP_USER | __GFP_ZERO, order);

		if (!page)
			return -ENOMEM;
		split_page(page, order);
		for (unsigned long i = run; i < 1UL << order; i++)
			__free_page(page + i);
		for (unsigned long i = 0; i < run; i++) {
			if (d->memory == MAPSPEC_RESERVED)
				SetPageReserved(page + i);
			d->pages[done++] = page + i;
		}
	}
	return 0;
}

static int take_blocks(struct device_file *d)
{
	gfp_t flags = GFP_USER | __GFP_ZERO | (d->memory == MAPSPEC_COMPOUND ? __GFP_COMP : 0);

	if (d->count & ((1UL << d->order) - 1))
		return -EINVAL;
	for (unsigned long done = 0; done < d->count; done += 1UL << d->order) {
		struct page *page = alloc_pages(flags, d->order);

		if (!page)
			return -ENOMEM;
		for (unsigned long i = 0; i < 1UL << d->order; i++)
			d->pages[done + i] = page + i;
	}
	return 0;
}

static int take_area(struct device_file *d)
{
	size_t size = d->count << PAGE_SHIFT;

	switch (d->memory) {
	case MAPSPEC_VMALLOC:
		d->area = vzalloc(size);
		break;
	case MAPSPEC_VMALLOC_USER:
		d->area = vmalloc_user(size);
		break;
	case MAPSPEC_LARGE_KMALLOC: /* 4 pages are more than any slab of kmalloc() gives */
		d->area = kzalloc(max_t(size_t, size, 4 * PAGE_SIZE), GFP_USER);
		break;
	default:
		if (!IS_ENABLED(CONFIG_HAS_DMA))
			return -ENOPKG;
		d->area = dma_alloc_coherent(&dma_device->dev, size, &d->dma, GFP_USER);
	}
	if (!d->area)
		return -ENOMEM;
	for (unsigned long i = 0; i < d->count; i++) {
		void *at = d->area + (i << PAGE_SHIFT);

		d->pages[i] = is_vmalloc_addr(at) ? vmalloc_to_page(at) : virt_to_page(at);
	}
	return 0;
}

static int take_slab(struct device_file *d)
{
	for (unsigned long i = 0; i < d->count; i++) {
		void *at = kzalloc(PAGE_SIZE, GFP_USER);

		if (!at)
			return -ENOMEM;
		d->pages[i] = virt_to_page(at);
	}
	return 0;
}

/* Anonymous pages that nobody maps any more: what is left of them is our reference. */
static int take_anonymous(struct device_file *d)
{
	unsigned long size = d->count << PAGE_SHIFT;
	/* MAP_NORESERVE: no VMA beside it has that, so it does not become part of something that has huge pages */
	unsigned long at = vm_mmap(NULL, 0, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	int got;

	if (IS_ERR_VALUE(at))
		return at;
	got = get_user_pages_fast(at, d->count, FOLL_WRITE, d->pages);
	vm_munmap(at, size);
	return got == d->count ? 0 : got < 0 ? got : -ENOMEM;
}

static int take_page_cache(struct device_file *d)
{
	d->shmem = shmem_file_setup("mapspec", d->count << PAGE_SHIFT, SHMEM_FLAGS);
	if (IS_ERR(d->shmem)) {
		int error = PTR_ERR(d->shmem);

		d->shmem = NULL;
		return error;
	}
	for (unsigned long i = 0; i < d->count; i++) {
		struct page *page = shmem_read_mapping_page(d->shmem->f_mapping, i);

		if (IS_ERR(page))
			return PTR_ERR(page);
		set_page_dirty(page);
		d->pages[i] = page;
	}
	return 0;
}

/* Gives the memory back: drops our own references, whoever maps it. */
static void give_back(struct device_file *d)
{
	d->gone = true;
	for (unsigned long i = 0; i < d->count && d->pages; i++) {
		struct page *page = d->pages[i];

		if (!page)
			continue;
		switch (d->memory) {
		case MAPSPEC_RESERVED:
			ClearPageReserved(page);
			fallthrough;
		case MAPSPEC_PAGES:
			__free_page(page);
			break;
		case MAPSPEC_COMPOUND:
		case MAPSPEC_BLOCK:
			if (!(i & ((1UL << d->order) - 1)))
				__free_pages(page, d->order);
			break;
		case MAPSPEC_SLAB:
			kfree(page_address(page));
			break;
		case MAPSPEC_ANONYMOUS:
		case MAPSPEC_PAGE_CACHE:
			put_page(page);
			break;
		default:
			break;
		}
	}
	if (d->area) {
		if (d->memory == MAPSPEC_COHERENT)
			dma_free_coherent(&dma_device->dev, d->count << PAGE_SHIFT, d->area, d->dma);
		else if (d->memory == MAPSPEC_LARGE_KMALLOC)
			kfree(d->area);
		else
			vfree(d->area);
	}
	give_back_bar(d);
	if (d->room.flags)
		release_resource(&d->room);
	kvfree(d->pages);
	d->pages = NULL;
	d->area = NULL;
	d->room.flags = 0;
}

/*
 * A page that is free may soon be somebody else's, and what that one counts is not for us.  So pages of which nobody
 * but their owner uses page->private are marked: the allocator clears it (mm/page_alloc.c: post_alloc_hook).
 * Returns the page that has, or would have, the mark of page `i`.
 */
static struct page *marked(struct device_file *d, unsigned long i)
{
	switch (d->memory) {
	case MAPSPEC_COMPOUND:
	case MAPSPEC_BLOCK: /* the first of all that are freed at once; in others it must be clear then */
		return pfn_to_page(d->pfns[i & ~((1UL << d->order) - 1)]);
	case MAPSPEC_COHERENT:
		return pfn_to_page(d->pfns[0]);
	case MAPSPEC_PAGES:
	case MAPSPEC_RESERVED:
	case MAPSPEC_VMALLOC:
	case MAPSPEC_VMALLOC_USER:
		return pfn_to_page(d->pfns[i]);
	default:
		return NULL;
	}
}

/*
 * What is left of a device after it was closed: pages to which somebody still has a reference.  Who took it may give
 * it back later, so that is looked at when it is asked for.  Of memory that is not marked this cannot be told.
 */
struct remainder {
	struct list_head list;
	struct page *page;
	unsigned long mark, pages;
};

static LIST_HEAD(remainders);
static DEFINE_MUTEX(remainders_lock);

static void note_remainders(struct device_file *d)
{
	bool whole = d->memory == MAPSPEC_COMPOUND || d->memory == MAPSPEC_BLOCK;
	unsigned long step = d->memory == MAPSPEC_COHERENT ? d->count : whole ? 1UL << d->order : 1;

	for (unsigned long i = 0; d->ready && d->pfns && i < d->count; i += step) {
		struct page *page = marked(d, i);
		struct remainder *r;

		if (!page || !page_ref_count(page) || page_private(page) != d->mark)
			continue;
		r = kmalloc(sizeof(*r), GFP_KERNEL | __GFP_NOFAIL);
		*r = (struct remainder){ .page = page, .mark = d->mark };
		r->pages = d->memory == MAPSPEC_COMPOUND ? step : 1; /* the others of a block have no reference */
		mutex_lock(&remainders_lock);
		list_add(&r->list, &remainders);
		mutex_unlock(&remainders_lock);
	}
}

/* How many pages are left now.  `forget`: and of what is left nobody wants to know any more. */
static unsigned long count_remainders(bool forget)
{
	struct remainder *r, *next;
	unsigned long count = 0;

	mutex_lock(&remainders_lock);
	list_for_each_entry_safe(r, next, &remainders, list) {
		bool is_left = page_ref_count(r->page) && page_private(r->page) == r->mark;

		count += is_left ? r->pages : 0;
		if (is_left && !forget)
			continue;
		list_del(&r->list);
		kfree(r);
	}
	mutex_unlock(&remainders_lock);
	return count;
}

static int get_leaked(char *buffer, const struct kernel_param *parameter)
{
	return sysfs_emit(buffer, "%lu\n", count_remainders(false));
}

static const struct kernel_param_ops leaked_operations = { .get = get_leaked };
module_param_cb(leaked, &leaked_operations, NULL, 0444);
MODULE_PARM_DESC(leaked, "Pages of devices that were closed to which somebody still has a reference");

static int take(struct device_file *d)
{
	switch (d->memory) {
	case MAPSPEC_PAGES:
	case MAPSPEC_RESERVED:
		return take_pages(d);
	case MAPSPEC_COMPOUND:
	case MAPSPEC_BLOCK:
		return take_blocks(d);
	case MAPSPEC_SLAB:
		return take_slab(d);
	case MAPSPEC_ANONYMOUS:
		return take_anonymous(d);
	case MAPSPEC_PAGE_CACHE:
		return take_page_cache(d);
	case MAPSPEC_ZERO:
		for (unsigned long i = 0; i < d->count; i++)
			d->pages[i] = ZERO_PAGE(0);
		return 0;
	case MAPSPEC_MMIO:
		return take_bar(d) ? 0 : take_room(d);
	default:
		return take_area(d);
	}
}

/* Once.  Takes mmap_lock, so it cannot hold ours; nobody looks at the rest before it is `ready`. */
static int allocate(struct device_file *d, const struct mapspec_allocate *a)
{
	int error;

	if (a->memory >= MAPSPEC_NR_MEMORY || !a->pages || a->pages > 1UL << 20 || a->order > 10)
		return -EINVAL;
	if (atomic_xchg(&d->asked, 1))
		return -EBUSY;
	d->memory = a->memory;
	d->order = a->order;
	d->count = a->pages;
	d->mark = (unsigned long)atomic_long_add_return(16, &last_mark);
	d->pages = kvcalloc(d->count, sizeof(*d->pages), GFP_KERNEL);
	d->pfns = kvcalloc(d->count, sizeof(*d->pfns), GFP_KERNEL);
	error = d->pages && d->pfns ? take(d) : -ENOMEM;
	if (error) {
		give_back(d);
		return error;
	}
	for (unsigned long i = 0; i < d->count; i++) {
		if (!d->pages[i])
			continue;
		d->pfns[i] = page_to_pfn(d->pages[i]);
		if (marked(d, i))
			set_page_private(marked(d, i), d->mark);
	}
	down_write(&d->lock);
	d->ready = true;
	up_write(&d->lock);
	return 0;
}

/* How many pages from `first` follow each other in physical memory. */
static unsigned long run_length(struct device_file *d, unsigned long first, unsigned long count)
{
	unsigned long run = 1;

	while (run < count && d->pfns[first + run] == d->pfns[first] + run)
		run++;
	return run;
}

/* --- what would be a BUG ------------------------------------------------------------------------------- */

static void look_at(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long address,
		    struct mapspec_entry *entry);

/* mm/memory.c: BUG_ON(!pte_none) in remap_pte_range, and BUG_ON(addr >= end) */
static bool remap_is_bug(struct vm_area_struct *vma, unsigned long address, unsigned long pages)
{
	bool cow = is_cow(vma);
	bool whole = address == vma->vm_start && address + (pages << PAGE_SHIFT) == vma->vm_end;
	struct mapspec_entry entry;

	if (cow && !whole)
		return false; /* -EINVAL comes first */
#if SINCE(6, 18) && defined(__HAVE_PFNMAP_TRACKING)
	if (whole && vma->pfnmap_track_ctx)
		return false; /* so it does here */
#endif
	for (unsigned long i = 0; i < pages; i++) {
		look_at(vma, vma->vm_mm, address + (i << PAGE_SHIFT), &entry);
		if (entry.flags)
			return true;
	}
	return !pages;
}

/* mm/memory.c: vm_insert_page and vm_insert_pages, without VM_MIXEDMAP */
static bool insert_is_bug(struct vm_area_struct *vma, unsigned long address, struct page *page, bool may_set_flags,
			  bool batch)
{
	if (vma->vm_flags & VM_MIXEDMAP || address < vma->vm_start || address >= vma->vm_end)
		return false;
	if (batch && SINCE(7, 3))
		return false; /* VM_WARN_ON_ONCE */
	if (!SINCE(6, 12) && !batch && !page_count(page))
		return false; /* -EINVAL comes first */
	return !may_set_flags || vma->vm_flags & VM_PFNMAP;
}

/* mm/memory.c: vmf_insert_pfn_prot; mm/huge_memory.c: vmf_insert_pfn_pmd */
static bool insert_pfn_is_bug(struct vm_area_struct *vma, unsigned long pfn, bool pmd)
{
	vm_flags_t kind = vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP);

	return !kind || kind == (VM_PFNMAP | VM_MIXEDMAP) || (kind & VM_PFNMAP && is_cow(vma)) ||
	       (!pmd && kind & VM_MIXEDMAP && pfn_valid(pfn));
}

/*
 * Whether a call of `function` for page `first` of the device would stop the kernel.  `may_set_flags`: mmap_lock is
 * held for writing, as in an mmap handler.
 */
static bool is_bug(struct device_file *d, struct vm_area_struct *vma, u64 function, unsigned long address,
		   unsigned long first, unsigned long pages, bool may_set_flags)
{
	switch (function) {
	case MAPSPEC_REMAP_PFN_RANGE:
	case MAPSPEC_IO_REMAP_PFN_RANGE:
	case MAPSPEC_IOMAP_MEMORY:
	case MAPSPEC_DMA_MMAP_COHERENT:
		return remap_is_bug(vma, address, pages);
	case MAPSPEC_INSERT_PAGES:
	case MAPSPEC_MAP_PAGES:
	case MAPSPEC_MAP_PAGES_ZERO:
		return insert_is_bug(vma, address, d->pages[first], may_set_flags, true);
	case MAPSPEC_INSERT_PAGE:
	case MAPSPEC_REMAP_VMALLOC_RANGE:
	case MAPSPEC_FAULT_INSERT_PAGE:
		return insert_is_bug(vma, address, d->pages[first], may_set_flags, false);
	case MAPSPEC_FAULT_INSERT_PFN:
	case MAPSPEC_FAULT_INSERT_PFN_PROT:
		return insert_pfn_is_bug(vma, d->pfns[first], false);
	case MAPSPEC_FAULT_INSERT_PFN_PMD:
		return insert_pfn_is_bug(vma, d->pfns[first], true);
	case MAPSPEC_FAULT_INSERT_MIXED:
	case MAPSPEC_FAULT_INSERT_MIXED_MKWRITE:
		return !SINCE(6, 12) && !(vma->vm_flags & VM_MIXEDMAP) && !is_zero_pfn(d->pfns[first]);
	case MAPSPEC_FAULT:
		/* No BUG, but worse: struct page of these is used for something else, and an entry that is not known
		 * as a page again, without pte_special, leaves its reference and its counts behind. */
		return d->memory == MAPSPEC_SLAB || d->memory == MAPSPEC_ANONYMOUS ||
		       (d->memory == MAPSPEC_ZERO && !IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL));
	default:
		return false;
	}
}

/* --- mapping functions --------------------------------------------------------------------------------- */

static bool needs_pages(u64 function)
{
	switch (function) {
	case MAPSPEC_INSERT_PAGE:
	case MAPSPEC_INSERT_PAGES:
	case MAPSPEC_MAP_PAGES:
	case MAPSPEC_MAP_PAGES_ZERO:
	case MAPSPEC_REMAP_VMALLOC_RANGE:
	case MAPSPEC_ACTION_MAP_KERNEL_PAGES:
	case MAPSPEC_FAULT:
	case MAPSPEC_FAULT_INSERT_PAGE:
	case MAPSPEC_FAULT_INSERT_PAGE_MKWRITE:
	case MAPSPEC_FAULT_INSERT_FOLIO_PMD:
		return true;
	default:
		return false;
	}
}

static bool exists_here(u64 function)
{
	switch (function) {
	case MAPSPEC_ACTION_REMAP:
	case MAPSPEC_ACTION_MAP_KERNEL_PAGES:
		return SINCE(7, 3);
	case MAPSPEC_FAULT_INSERT_PAGE_MKWRITE:
		return SINCE(6, 18);
	case MAPSPEC_FAULT_INSERT_MIXED_MKWRITE:
		return !SINCE(6, 12); /* later kernels do not export it */
	case MAPSPEC_FAULT_INSERT_PFN_PMD:
		/* x86-32 has the function, but no pmd_special(): GUP and zap would look for a struct page */
		return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
		       (!SINCE(6, 12) || IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP));
	case MAPSPEC_FAULT_INSERT_FOLIO_PMD:
		return SINCE(6, 18) && IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE);
	default:
		return function < MAPSPEC_NR_FUNCTIONS;
	}
}

/* 0, or -ENOPKG: this kernel or this memory is not for that function. */
static int suits(struct device_file *d, u64 function)
{
	if (!d->ready || d->gone || !exists_here(function))
		return -ENOPKG;
	if (needs_pages(function) && d->memory == MAPSPEC_MMIO)
		return -ENOPKG;
	if (function == MAPSPEC_DMA_MMAP_COHERENT && d->memory != MAPSPEC_COHERENT)
		return -ENOPKG;
	/* one call for all of it */
	if ((function == MAPSPEC_IOMAP_MEMORY || function == MAPSPEC_ACTION_REMAP) &&
	    run_length(d, 0, d->count) != d->count)
		return -ENOPKG;
	return 0;
}

static bool is_fault_function(u64 function)
{
	return function >= MAPSPEC_FAULT;
}

/* One of the functions for fault handlers, for one page.  `pmd`: the entry above it, where that is needed. */
static vm_fault_t insert(struct device_file *d, struct vm_area_struct *vma, u64 function, unsigned long address,
			 unsigned long i, pmd_t *pmd, bool write)
{
	struct vm_fault vmf = { .vma = vma, .address = address, .pmd = pmd };

	switch (function) {
	case MAPSPEC_FAULT_INSERT_PAGE:
		return vmf_insert_page(vma, address, d->pages[i]);
	case MAPSPEC_FAULT_INSERT_PFN:
		return vmf_insert_pfn(vma, address, d->pfns[i]);
	case MAPSPEC_FAULT_INSERT_PFN_PROT:
		return vmf_insert_pfn_prot(vma, address, d->pfns[i], vma->vm_page_prot);
	case MAPSPEC_FAULT_INSERT_MIXED:
		return vmf_insert_mixed(vma, address, MIXED(d->pfns[i]));
#if !SINCE(6, 12)
	case MAPSPEC_FAULT_INSERT_MIXED_MKWRITE:
		return vmf_insert_mixed_mkwrite(vma, address, MIXED(d->pfns[i]));
#endif
#if SINCE(6, 18)
	case MAPSPEC_FAULT_INSERT_PAGE_MKWRITE:
		return vmf_insert_page_mkwrite(&vmf, d->pages[i], write);
#endif
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	case MAPSPEC_FAULT_INSERT_PFN_PMD:
		return vmf_insert_pfn_pmd(&vmf, MIXED(d->pfns[i]), write);
#if SINCE(6, 18)
	case MAPSPEC_FAULT_INSERT_FOLIO_PMD:
		return vmf_insert_folio_pmd(&vmf, page_folio(d->pages[i]), write);
#endif
#endif
	default:
		(void)vmf;
		return VM_FAULT_SIGBUS;
	}
}

/* One of the functions for mmap handlers, for pages from `address`.  `*left`: how many are not mapped after it. */
static int map(struct device_file *d, struct vm_area_struct *vma, u64 function, unsigned long address,
	       unsigned long first, unsigned long *left)
{
	unsigned long count = *left;
	int error = 0;

	switch (function) {
	case MAPSPEC_REMAP_PFN_RANGE:
	case MAPSPEC_IO_REMAP_PFN_RANGE:
		while (*left && !error) { /* one call for each run of frames */
			unsigned long run = run_length(d, first, *left);

			if (function == MAPSPEC_REMAP_PFN_RANGE)
				error = remap_pfn_range(vma, address, d->pfns[first], run << PAGE_SHIFT,
							vma->vm_page_prot);
			else
				error = io_remap_pfn_range(vma, address, d->pfns[first], run << PAGE_SHIFT,
							   vma->vm_page_prot);
			if (!error) {
				*left -= run;
				first += run;
				address += run << PAGE_SHIFT;
			}
		}
		return error;
	case MAPSPEC_INSERT_PAGE:
		for (; *left && !error; first++, address += PAGE_SIZE) {
			error = vm_insert_page(vma, address, d->pages[first]);
			*left -= !error;
		}
		return error;
	case MAPSPEC_INSERT_PAGES:
		return vm_insert_pages(vma, address, d->pages + first, left);
	case MAPSPEC_REMAP_VMALLOC_RANGE:
		error = remap_vmalloc_range(vma, d->area ?: page_address(d->pages[0]), first);
		break;
	case MAPSPEC_MAP_PAGES: /* these find the place in the array by vm_pgoff, and map the whole VMA */
		error = vm_map_pages(vma, d->pages, d->handler.pages ? first + count : d->count);
		break;
	case MAPSPEC_MAP_PAGES_ZERO:
		error = vm_map_pages_zero(vma, d->pages, d->handler.pages ? count : d->count);
		break;
	case MAPSPEC_IOMAP_MEMORY:
		error = vm_iomap_memory(vma, PFN_PHYS(d->pfns[0]), d->count << PAGE_SHIFT);
		break;
	case MAPSPEC_DMA_MMAP_COHERENT:
		error = dma_mmap_coherent(&dma_device->dev, vma, d->area, d->dma, d->count << PAGE_SHIFT);
		break;
	default:
		return -ENOPKG;
	}
	if (!error)
		*left = 0;
	return error;
}

/* --- mmap and faults ----------------------------------------------------------------------------------- */

/* The VMA flags for bits of struct mapspec_handler. */
static vm_flags_t vma_flags(u64 bits)
{
	static const vm_flags_t known[] = {
		VM_READ, VM_WRITE, VM_SHARED, VM_MAYREAD, VM_MAYWRITE, VM_MAYSHARE, VM_PFNMAP, VM_MIXEDMAP, VM_IO,
		VM_DONTEXPAND, VM_DONTDUMP, VM_DONTCOPY, VM_LOCKED, VM_WIPEONFORK, VM_MERGEABLE, VM_HUGEPAGE,
		VM_NOHUGEPAGE,
	};
	vm_flags_t flags = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (bits & BIT_ULL(i))
			flags |= known[i];
	return flags;
}

static vm_fault_t mapspec_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct device_file *d = vma->vm_file->private_data;
	u64 function = (unsigned long)vma->vm_private_data;
	vm_fault_t result = VM_FAULT_SIGBUS;

	down_read(&d->lock);
	if (d->gone || vmf->pgoff >= d->count)
		goto unlock;
	/* what is left when no PMD can be used */
	if (function == MAPSPEC_FAULT_INSERT_PFN_PMD)
		function = MAPSPEC_FAULT_INSERT_PFN;
	if (function == MAPSPEC_FAULT_INSERT_FOLIO_PMD)
		function = MAPSPEC_FAULT;
	if (!bugs && is_bug(d, vma, function, vmf->address, vmf->pgoff, 1, false)) {
		pr_warn("mapspec: not done, it would be a BUG: function %llu at a fault\n", function);
		goto unlock;
	}
	if (function != MAPSPEC_FAULT) {
		result = insert(d, vma, function, vmf->address, vmf->pgoff, vmf->pmd, vmf->flags & FAULT_FLAG_WRITE);
	} else if (get_page_unless_zero(compound_head(d->pages[vmf->pgoff]))) {
		vmf->page = d->pages[vmf->pgoff];
		result = 0;
	}
unlock:
	up_read(&d->lock);
	return result;
}

static vm_fault_t mapspec_huge_fault(struct vm_fault *vmf, huge_size_t size)
{
	struct vm_area_struct *vma = vmf->vma;
	struct device_file *d = vma->vm_file->private_data;
	u64 function = (unsigned long)vma->vm_private_data;
	unsigned long start = vmf->address & PMD_MASK, first;
	vm_fault_t result = VM_FAULT_FALLBACK;

	if (!HUGE_IS_PMD(size) || start < vma->vm_start || start + PMD_SIZE > vma->vm_end)
		return result;
	first = vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT);
	/* A huge fault may come with the lock of the VMA, which elsewhere is taken after d->lock.  It comes again. */
	if (!down_read_trylock(&d->lock))
		return VM_FAULT_NOPAGE;
	if (!d->gone && first + PTRS_PER_PTE <= d->count && !(d->pfns[first] & (PTRS_PER_PTE - 1)) &&
	    run_length(d, first, PTRS_PER_PTE) == PTRS_PER_PTE &&
	    (bugs || !is_bug(d, vma, function, start, first, PTRS_PER_PTE, false)))
		result = insert(d, vma, function, vmf->address, first, vmf->pmd, vmf->flags & FAULT_FLAG_WRITE);
	up_read(&d->lock);
	return result;
}

static const struct vm_operations_struct fault_ops = {
	.fault = mapspec_fault,
};

static const struct vm_operations_struct huge_fault_ops = {
	.fault = mapspec_fault,
	.huge_fault = mapspec_huge_fault,
};

static const struct vm_operations_struct *ops_for(u64 function)
{
	if (function == MAPSPEC_FAULT_INSERT_PFN_PMD || function == MAPSPEC_FAULT_INSERT_FOLIO_PMD)
		return &huge_fault_ops;
	return is_fault_function(function) ? &fault_ops : NULL;
}

/* These say themselves how much of the device there is. */
static bool checks_range(u64 function)
{
	return function == MAPSPEC_IOMAP_MEMORY || function == MAPSPEC_MAP_PAGES ||
	       function == MAPSPEC_MAP_PAGES_ZERO || function == MAPSPEC_REMAP_VMALLOC_RANGE ||
	       function == MAPSPEC_DMA_MMAP_COHERENT;
}

static int map_vma(struct device_file *d, struct vm_area_struct *vma)
{
	u64 function = d->handler.function;
	unsigned long first = vma->vm_pgoff, pages = d->handler.pages ?: vma_pages(vma);
	int error = suits(d, function);

	if (error)
		return error;
	vm_flags_set(vma, vma_flags(d->handler.set));
	vm_flags_clear(vma, vma_flags(d->handler.clear));
	vma->vm_private_data = (void *)(unsigned long)function;
	if (ops_for(function))
		vma->vm_ops = ops_for(function);
	if (!bugs && first < d->count && is_bug(d, vma, function, vma->vm_start, first, pages,
						!is_fault_function(function)))
		return -ENOTRECOVERABLE;
	if (is_fault_function(function))
		return 0;
	if (!checks_range(function) && (first >= d->count || pages > d->count - first))
		return -ENOPKG; /* it would be our own check that answers */
	return map(d, vma, function, vma->vm_start, first, &pages);
}

static int mapspec_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct device_file *d = file->private_data;
	int error;

	down_read(&d->lock);
	error = map_vma(d, vma);
	up_read(&d->lock);
	return error;
}

#if SINCE(7, 3)
/* For the two functions that exist only here: a description of the VMA, and what to do when it is there. */
static int mapspec_mmap_prepare(struct vm_area_desc *desc)
{
	struct device_file *d = desc->file->private_data;
	unsigned long first = desc->pgoff, pages = d->handler.pages ?: vma_desc_pages(desc);
	int error;

	down_read(&d->lock);
	error = suits(d, d->handler.function);
	if (!error && (first >= d->count || pages > d->count - first))
		error = -ENOPKG;
	if (!error) {
		vma_desc_set_flags_mask(desc, legacy_to_vma_flags(vma_flags(d->handler.set)));
		vma_desc_clear_flags_mask(desc, legacy_to_vma_flags(vma_flags(d->handler.clear)));
		desc->private_data = (void *)(unsigned long)d->handler.function;
		if (d->handler.function == MAPSPEC_ACTION_REMAP)
			mmap_action_remap(desc, desc->start, d->pfns[first], pages << PAGE_SHIFT);
		else
			mmap_action_map_kernel_pages(desc, desc->start, d->pages + first, pages);
	}
	up_read(&d->lock);
	return error;
}
#endif

/* --- page tables --------------------------------------------------------------------------------------- */

/* Whether vm_normal_page() finds a page: it is not exported, so this repeats what it does, mm/memory.c. */
static bool is_normal(struct vm_area_struct *vma, unsigned long address, unsigned long pfn, bool special, bool pmd)
{
	bool has_bit = IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL);

#if SINCE(6, 12)
	if (pmd)
		has_bit = IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP);
#else
	has_bit = has_bit && !pmd;
#endif
	if (special || !pfn_valid(pfn))
		return false;
	if (has_bit)
		return true;
	if (is_zero_pfn(pfn))
		return !SINCE(6, 12) && vma && vma->vm_flags & VM_MIXEDMAP;
	if (!vma || vma->vm_flags & VM_MIXEDMAP || !(vma->vm_flags & VM_PFNMAP))
		return true;
	return is_cow(vma) &&
	       pfn != vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
}

static void look_at_page(struct vm_area_struct *vma, unsigned long address, unsigned long pfn, bool pmd,
			 struct mapspec_entry *entry)
{
	struct page *page;

	entry->pfn = pfn;
	entry->flags |= is_zero_pfn(pfn) ? MAPSPEC_ENTRY_ZERO : 0;
	if (!is_normal(vma, address, pfn, entry->flags & MAPSPEC_ENTRY_SPECIAL, pmd))
		return;
	entry->flags |= MAPSPEC_ENTRY_NORMAL;
	page = pfn_to_page(pfn);
	if (PageAnon(page)) {
		entry->flags |= MAPSPEC_ENTRY_ANON;
		if (PageAnonExclusive(page))
			entry->flags |= MAPSPEC_ENTRY_EXCLUSIVE;
	}
}

static void look_at_pmd(struct vm_area_struct *vma, unsigned long address, pmd_t pmd, struct mapspec_entry *entry)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	unsigned long base = pmd_pfn(pmd);

	entry->flags |= MAPSPEC_ENTRY_PMD | MAPSPEC_ENTRY_PRESENT;
	entry->flags |= pmd_write(pmd) ? MAPSPEC_ENTRY_WRITE : 0;
	entry->flags |= pmd_young(pmd) ? MAPSPEC_ENTRY_YOUNG : 0;
	entry->flags |= pmd_dirty(pmd) ? MAPSPEC_ENTRY_DIRTY : 0;
#if SINCE(6, 12)
	entry->flags |= pmd_special(pmd) ? MAPSPEC_ENTRY_SPECIAL : 0;
#endif
	look_at_page(vma, address & PMD_MASK, base, true, entry);
	entry->pfn = base + ((address & ~PMD_MASK) >> PAGE_SHIFT);
#endif
}

/*
 * The entry for one address.  The caller holds mmap_lock, so no table above PTEs goes away; tables of PTEs are freed
 * by RCU.  pte_offset_map() is not exported everywhere, and differs from this only for tables in high memory.
 */
static void look_at(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long address,
		    struct mapspec_entry *entry)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd, pmdval;
	pte_t pte;

	*entry = (struct mapspec_entry){ 0 };
	if (IS_ENABLED(CONFIG_HIGHPTE) || pgd_none(*pgd) || pgd_bad(*pgd))
		return;
	p4d = p4d_offset(pgd, address);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return;
	pud = pud_offset(p4d, address);
	if (pud_none(*pud))
		return;
	if (pud_bad(*pud)) {
		entry->flags = MAPSPEC_ENTRY_PUD | MAPSPEC_ENTRY_PRESENT;
		return;
	}
	rcu_read_lock();
	pmd = pmd_offset(pud, address);
	pmdval = READ_ONCE(*pmd);
	if (pmd_none(pmdval)) {
		;
	} else if (!pmd_present(pmdval)) {
		entry->flags = MAPSPEC_ENTRY_PMD | MAPSPEC_ENTRY_OTHER;
	} else if (pmd_leaf(pmdval)) {
		look_at_pmd(vma, address, pmdval, entry);
	} else if (!pmd_bad(pmdval)) {
		pte = READ_ONCE(*pte_offset_kernel(&pmdval, address));
		if (pte_present(pte)) {
			entry->flags = MAPSPEC_ENTRY_PRESENT;
			entry->flags |= pte_special(pte) ? MAPSPEC_ENTRY_SPECIAL : 0;
			entry->flags |= pte_write(pte) ? MAPSPEC_ENTRY_WRITE : 0;
			entry->flags |= pte_young(pte) ? MAPSPEC_ENTRY_YOUNG : 0;
			entry->flags |= pte_dirty(pte) ? MAPSPEC_ENTRY_DIRTY : 0;
			look_at_page(vma, address, pte_pfn(pte), false, entry);
		} else if (!pte_none(pte)) {
			entry->flags = MAPSPEC_ENTRY_OTHER;
		}
	}
	rcu_read_unlock();
}

/* The mm of any process, and its mmap_lock for reading; an error if it has none. */
static struct mm_struct *lock_mm(u64 pid)
{
	struct task_struct *task;
	struct mm_struct *mm;

	rcu_read_lock();
	task = get_pid_task(find_vpid(pid), PIDTYPE_PID);
	rcu_read_unlock();
	if (!task)
		return ERR_PTR(-ESRCH);
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return ERR_PTR(-ESRCH);
	mmap_read_lock(mm);
	return mm;
}

static void unlock_mm(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
	mmput(mm);
}

/* look_at() for an address of which nothing is known. */
static struct mapspec_entry entry_at(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(mm, address);
	struct mapspec_entry entry;

	if (vma && vma->vm_start > address)
		vma = NULL;
	look_at(vma, mm, address, &entry);
	return entry;
}

static int entries(struct mapspec_entries *e)
{
	struct mm_struct *mm;

	if (e->count > MAPSPEC_AT_ONCE)
		return -EINVAL;
	mm = lock_mm(e->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	for (unsigned long i = 0; i < e->count; i++)
		e->entry[i] = entry_at(mm, e->address + (i << PAGE_SHIFT));
	unlock_mm(mm);
	return 0;
}

/* --- struct page --------------------------------------------------------------------------------------- */

/* As /proc/kpagecount counts, fs/proc/page.c. */
static u64 mapcount(struct page *page)
{
#if !SINCE(6, 12)
	return page_mapcount(page);
#else
	struct folio *folio = page_folio(page);
	int count = atomic_read(&page->_mapcount) + 1;

	if (!folio_test_large(folio))
		return count;
#ifdef CONFIG_NO_PAGE_MAPCOUNT /* fs/proc/internal.h: folio_average_page_mapcount */
	{
		int all = folio_large_mapcount(folio), entire = folio_entire_mapcount(folio);

		if (all <= 0)
			return 0;
		if (all <= entire)
			return entire;
		count = ((unsigned int)(all - entire) + folio_nr_pages(folio) / 2) >> folio_order(folio);
		return max(count + entire, 1);
	}
#endif
	return count + folio_entire_mapcount(folio);
#endif
}

static u64 whole_mapcount(struct folio *folio)
{
#if SINCE(6, 12)
	return folio_mapcount(folio);
#else /* not exported: mm/util.c: folio_mapcount */
	long pages = folio_nr_pages(folio), count = 0;
	long entire = folio_test_large(folio) ? folio_entire_mapcount(folio) : 0;

	if (folio_test_hugetlb(folio))
		return entire;
	for (long i = 0; i < pages; i++)
		count += atomic_read(&folio_page(folio, i)->_mapcount) + 1;
	count += entire;
	if (!folio_test_anon(folio)) /* an entry for all of a file's folio is also counted in each page */
		return count - entire * pages;
	return count - (folio_test_large(folio) && PageDoubleMap(&folio->page) ? pages : 0);
#endif
}

static bool is_typed(struct page *page)
{
	return page_has_type(page) || PageSlab(page) || folio_test_slab(page_folio(page));
}

static void page_state(struct device_file *d, unsigned long i, struct mapspec_page *out)
{
	unsigned long pfn = d->pfns[i];
	struct page *page;

	*out = (struct mapspec_page){ .pfn = pfn };
	if (!pfn_valid(pfn))
		return;
	page = pfn_to_page(pfn);
	out->flags = MAPSPEC_PAGE_VALID;
	if (d->gone && marked(d, i) && page_private(marked(d, i)) != d->mark)
		return; /* it was free since, and may be somebody else's */
	out->references = folio_ref_count(page_folio(page));
	out->raw = (u32)atomic_read(&page->_mapcount);
	if (is_typed(page)) {
		out->flags |= MAPSPEC_PAGE_TYPED;
	} else {
		out->mapcount = mapcount(page);
		out->folio_mapcount = whole_mapcount(page_folio(page));
	}
	out->flags |= PageHead(page) ? MAPSPEC_PAGE_HEAD : 0;
	out->flags |= PageTail(page) ? MAPSPEC_PAGE_TAIL : 0;
	out->flags |= PageAnon(page) ? MAPSPEC_PAGE_ANON : 0;
	out->flags |= PageReserved(page) ? MAPSPEC_PAGE_RESERVED : 0;
	out->flags |= folio_test_dirty(page_folio(page)) ? MAPSPEC_PAGE_DIRTY : 0;
	out->flags |= is_zero_pfn(pfn) ? MAPSPEC_PAGE_ZERO : 0;
}

/* --- references ---------------------------------------------------------------------------------------- */

static s64 expected_references(struct folio *folio)
{
#if SINCE(6, 12)
	return folio_expected_ref_count(folio);
#else /* it needs folio_mapcount(), which is not exported: include/linux/mm.h: folio_expected_ref_count */
	s64 count = (s64)folio_test_swapcache(folio) << folio_order(folio);

	if (page_has_type(&folio->page) && !folio_test_hugetlb(folio))
		return 0;
	if (!folio_test_anon(folio))
		count += ((s64)!!folio->mapping << folio_order(folio)) + folio_test_private(folio);
	return count + whole_mapcount(folio);
#endif
}

/* The folio that is mapped at an address, also that of a special entry; NULL if there is none. */
static struct folio *folio_at(struct mm_struct *mm, unsigned long address)
{
	struct mapspec_entry entry = entry_at(mm, address);

	if (!(entry.flags & MAPSPEC_ENTRY_PRESENT) || entry.flags & MAPSPEC_ENTRY_PUD || !pfn_valid(entry.pfn))
		return NULL;
	return page_folio(pfn_to_page(entry.pfn));
}

static int folios(struct mapspec_folios *f)
{
	struct mm_struct *mm;

	if (f->count > MAPSPEC_AT_ONCE)
		return -EINVAL;
	mm = lock_mm(f->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	for (unsigned long i = 0; i < f->count; i++) {
		struct folio *folio = folio_at(mm, f->address + (i << PAGE_SHIFT));

		f->folio[i] = (struct mapspec_folio){ 0 };
		if (!folio)
			continue;
		f->folio[i].references = folio_ref_count(folio);
		if (!page_has_type(&folio->page) || folio_test_hugetlb(folio)) /* it would warn */
			f->folio[i].expected = expected_references(folio);
	}
	unlock_mm(mm);
	return 0;
}

static int hold(struct device_file *d, const struct mapspec_hold *h)
{
	struct folio *folio;
	struct mm_struct *mm;
	int error = 0;

	if (h->references > INT_MAX)
		return -EINVAL;
	mm = lock_mm(h->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	down_write(&d->lock);
	folio = folio_at(mm, h->address);
	if (d->folio || !folio || !folio_ref_count(folio)) { /* the page of a raw entry may be free */
		error = d->folio ? -EBUSY : -EFAULT;
	} else {
		folio_ref_add(folio, h->references);
		d->folio = folio;
		d->references = h->references;
	}
	up_write(&d->lock);
	unlock_mm(mm);
	return error;
}

static void drop(struct device_file *d)
{
	if (d->folio)
		folio_put_refs(d->folio, d->references);
	d->folio = NULL;
}

/* --- get_user_pages ------------------------------------------------------------------------------------ */

/* One call, for pages of the caller. */
static long take_user_pages(const struct mapspec_get *g, struct page **pages)
{
	unsigned int flags = g->flags & MAPSPEC_GET_WRITE ? FOLL_WRITE : 0;
	bool pin = g->flags & MAPSPEC_GET_PIN;
	long got;

	flags |= g->flags & MAPSPEC_GET_FORCE ? FOLL_FORCE : 0;
	flags |= g->flags & MAPSPEC_GET_LONGTERM ? FOLL_LONGTERM : 0;
	if (g->flags & MAPSPEC_GET_FAST)
		return pin ? pin_user_pages_fast(g->address, g->count, flags, pages) :
			     get_user_pages_fast(g->address, g->count, flags, pages);
	mmap_read_lock(current->mm);
	got = pin ? pin_user_pages(g->address, g->count, flags, pages NO_VMAS) :
		    get_user_pages(g->address, g->count, flags, pages NO_VMAS);
	mmap_read_unlock(current->mm);
	return got;
}

static void put_user_pages(struct page **pages, unsigned long count, bool pinned)
{
	if (pinned)
		unpin_user_pages(pages, count);
	for (unsigned long i = 0; i < count && !pinned; i++)
		put_page(pages[i]);
	kvfree(pages);
}

static void put_held(struct device_file *d)
{
	put_user_pages(d->held, d->nr_held, d->pinned);
	d->held = NULL;
	d->nr_held = 0;
}

/* Faults take mmap_lock, so this must not be called with d->lock held. */
static int get_held(struct device_file *d, struct mapspec_get *g)
{
	struct page **pages;
	unsigned long held = 0;
	long got = 0;

	if (!g->count || !g->times || g->count > MAPSPEC_HELD || g->times > MAPSPEC_HELD ||
	    g->count * g->times > MAPSPEC_HELD) /* 32-bit has no division of 64 bits */
		return -EINVAL;
	if (g->flags & MAPSPEC_GET_LONGTERM && !(g->flags & MAPSPEC_GET_PIN))
		return -EINVAL; /* the kernel would warn */
	pages = kvmalloc_array(g->count * g->times, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (u64 i = 0; i < g->times && got >= 0; i++) {
		got = take_user_pages(g, pages + held);
		held += max(got, 0L);
	}
	down_write(&d->lock);
	if (got >= 0 && !d->held) {
		d->held = pages;
		d->nr_held = held;
		d->pinned = g->flags & MAPSPEC_GET_PIN;
		g->got = held;
		pages = NULL;
	}
	up_write(&d->lock);
	if (!pages)
		return 0;
	put_user_pages(pages, held, g->flags & MAPSPEC_GET_PIN);
	return got < 0 ? got : -EBUSY;
}

/* Reads or writes the first 8 bytes of what is held, as a device would. */
static int held_words(struct device_file *d, u64 first, u64 count, u64 value, u64 *to)
{
	if (first > d->nr_held || count > d->nr_held - first)
		return -EINVAL;
	for (u64 i = 0; i < count; i++) {
		u64 *at = kmap_local_page(d->held[first + i]);

		if (to)
			to[i] = *at;
		else
			*at = value;
		kunmap_local(at);
	}
	return 0;
}

static int maybe_pinned(struct mapspec_pinned *p)
{
	if (p->count > MAPSPEC_AT_ONCE)
		return -EINVAL;
	for (u64 i = 0; i < p->count; i++)
		p->page[i] = pfn_valid(p->page[i]) && folio_maybe_dma_pinned(page_folio(pfn_to_page(p->page[i])));
	return 0;
}

/* --- the device ---------------------------------------------------------------------------------------- */

static bool has_pages(struct device_file *d, u64 first, u64 count)
{
	return d->ready && first <= d->count && count <= d->count - first;
}

/* The VMA of the caller at an address, if it is one of this device. */
static struct vm_area_struct *own_vma(struct device_file *d, unsigned long address)
{
	struct vm_area_struct *vma = find_vma(current->mm, address);

	return vma && vma->vm_start <= address && vma->vm_file && vma->vm_file->private_data == d ? vma : NULL;
}

/* The PMD entry for an address, or NULL if its table is not there: what would allocate that is not exported. */
static pmd_t *pmd_of(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d = pgd_none(*pgd) ? NULL : p4d_offset(pgd, address);
	pud_t *pud = !p4d || p4d_none(*p4d) ? NULL : pud_offset(p4d, address);

	return !pud || pud_none(*pud) ? NULL : pmd_offset(pud, address);
}

/* A function now, for pages of the caller, as a fault handler would call it; `locked`: as an mmap handler would. */
static int call(struct device_file *d, struct mapspec_call *c, bool locked)
{
	struct vm_area_struct *vma;
	unsigned long left = c->count, first = c->first, address = c->address;
	int error = suits(d, c->function);

	if (error || c->function == MAPSPEC_FAULT || c->function == MAPSPEC_ACTION_REMAP ||
	    c->function == MAPSPEC_ACTION_MAP_KERNEL_PAGES)
		return error ?: -ENOPKG;
	vma = own_vma(d, address);
	if (!vma || !has_pages(d, first, left))
		return -EFAULT;
	c->is_fault = is_fault_function(c->function);
	if (!c->is_fault) {
		if (!bugs && is_bug(d, vma, c->function, address, first, left, locked))
			return -ENOTRECOVERABLE;
		c->returned = map(d, vma, c->function, address, first, &left);
	}
	for (; c->is_fault && left; left--, first++, address += PAGE_SIZE) {
		pmd_t *pmd = NULL;

		if (!bugs && is_bug(d, vma, c->function, address, first, 1, locked))
			return -ENOTRECOVERABLE;
		if (c->function == MAPSPEC_FAULT_INSERT_PFN_PMD || c->function == MAPSPEC_FAULT_INSERT_FOLIO_PMD) {
			pmd = pmd_of(current->mm, address);
			/* they look at their flags first */
			if (!pmd && !is_bug(d, vma, c->function, address, first, 1, locked))
				return -ENOPKG;
		}
		c->returned = insert(d, vma, c->function, address, first, pmd,
				     c->function == MAPSPEC_FAULT_INSERT_PAGE_MKWRITE);
		if (c->returned != VM_FAULT_NOPAGE)
			break;
		if (pmd) { /* one call for all of it */
			left = 0;
			break;
		}
	}
	c->left = left;
	return 0;
}

static int zap(struct device_file *d, const struct mapspec_zap *z)
{
	struct vm_area_struct *vma = own_vma(d, z->address);

	if (!vma)
		return -EFAULT;
	zap_special_vma_range(vma, z->address, z->count << PAGE_SHIFT);
	return 0;
}

static int set_handler(struct file *file, struct device_file *d, const struct mapspec_handler *handler);

/* Reads or writes the first 8 bytes of pages. */
static int words(struct device_file *d, u64 first, u64 count, u64 value, u64 *to)
{
	if (!has_pages(d, first, count))
		return -EINVAL;
	if (d->gone || (d->memory == MAPSPEC_MMIO && !d->io) || (!to && d->memory == MAPSPEC_ZERO))
		return -ENOPKG;
	for (u64 i = 0; i < count; i++) {
		u64 *at;

		if (d->memory == MAPSPEC_MMIO) {
			io_word(d, first + i, to ? &to[i] : &value, !to);
			continue;
		}
		at = kmap_local_page(d->pages[first + i]);
		if (to)
			to[i] = *at;
		else
			*at = value;
		kunmap_local(at);
	}
	return 0;
}

/* The arguments of all ioctls, and what comes back. */
union arguments {
	struct mapspec_allocate allocate;
	struct mapspec_handler handler;
	struct mapspec_call call;
	struct mapspec_range range;
	struct mapspec_zap zap;
	struct mapspec_words words;
	struct mapspec_pages pages;
	struct mapspec_entries entries;
	struct mapspec_hold hold;
	struct mapspec_folios folios;
	struct mapspec_get get;
	struct mapspec_pinned pinned;
};

static int control(struct file *file, unsigned int request, union arguments *a)
{
	struct device_file *d = file->private_data;
	int error = 0;

	switch (request) {
	case MAPSPEC_IOC_ENTRIES: /* has nothing to do with this device */
		return entries(&a->entries);
	case MAPSPEC_IOC_FOLIOS:
		return folios(&a->folios);
	case MAPSPEC_IOC_HOLD:
		return hold(d, &a->hold);
	case MAPSPEC_IOC_PINNED:
		return maybe_pinned(&a->pinned);
	case MAPSPEC_IOC_GET:
		return get_held(d, &a->get);
	case MAPSPEC_IOC_PUT:
		down_write(&d->lock);
		put_held(d);
		up_write(&d->lock);
		return 0;
	case MAPSPEC_IOC_ALLOCATE:
		return allocate(d, &a->allocate);
	case MAPSPEC_IOC_HANDLER:
		down_write(&d->lock);
		error = set_handler(file, d, &a->handler);
		up_write(&d->lock);
		return error;
	case MAPSPEC_IOC_FREE:
		down_write(&d->lock);
		if (d->ready && !d->gone)
			give_back(d);
		up_write(&d->lock);
		return 0;
	case MAPSPEC_IOC_UNMAP:
		unmap_mapping_range(&d->mapping, (loff_t)a->range.first << PAGE_SHIFT,
				    (loff_t)a->range.count << PAGE_SHIFT, a->range.value);
		return 0;
	case MAPSPEC_IOC_CALL:
	case MAPSPEC_IOC_ZAP:
		mmap_read_lock(current->mm);
		down_read(&d->lock);
		error = request == MAPSPEC_IOC_CALL ? call(d, &a->call, false) : zap(d, &a->zap);
		up_read(&d->lock);
		mmap_read_unlock(current->mm);
		return error;
	case MAPSPEC_IOC_CALL_LOCKED:
		mmap_write_lock(current->mm);
		down_read(&d->lock);
		error = call(d, &a->call, true);
		up_read(&d->lock);
		mmap_write_unlock(current->mm);
		return error;
	}
	down_read(&d->lock);
	switch (request) {
	case MAPSPEC_IOC_WRITE:
		error = words(d, a->range.first, a->range.count, a->range.value, NULL);
		break;
	case MAPSPEC_IOC_READ:
		error = a->words.count > MAPSPEC_AT_ONCE ? -EINVAL :
			words(d, a->words.first, a->words.count, 0, a->words.word);
		break;
	case MAPSPEC_IOC_READ_HELD:
		error = a->words.count > MAPSPEC_AT_ONCE ? -EINVAL :
			held_words(d, a->words.first, a->words.count, 0, a->words.word);
		break;
	case MAPSPEC_IOC_WRITE_HELD:
		error = held_words(d, a->range.first, a->range.count, a->range.value, NULL);
		break;
	case MAPSPEC_IOC_PAGES:
		if (a->pages.count > MAPSPEC_AT_ONCE || !has_pages(d, a->pages.first, a->pages.count))
			error = -EINVAL;
		for (u64 i = 0; i < a->pages.count && !error; i++)
			page_state(d, a->pages.first + i, &a->pages.page[i]);
		break;
	default:
		error = -ENOTTY;
	}
	up_read(&d->lock);
	return error;
}

static long mapspec_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	size_t size = _IOC_SIZE(request);
	union arguments *a;
	int error = 0;

	if (_IOC_TYPE(request) != 'm' || size > sizeof(*a))
		return -ENOTTY;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	if (_IOC_DIR(request) & _IOC_WRITE && copy_from_user(a, (void __user *)argument, size))
		error = -EFAULT;
	if (!error)
		error = control(file, request, a);
	if (!error && _IOC_DIR(request) & _IOC_READ && copy_to_user((void __user *)argument, a, size))
		error = -EFAULT;
	kfree(a);
	return error;
}

static int mapspec_open(struct inode *inode, struct file *file)
{
	struct device_file *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return -ENOMEM;
	init_rwsem(&d->lock);
	address_space_init_once(&d->mapping);
	init_rwsem(&d->mapping.invalidate_lock);
	d->mapping.host = inode;
	d->mapping.a_ops = inode->i_mapping->a_ops;
	mapping_set_gfp_mask(&d->mapping, GFP_USER);
	file->f_mapping = &d->mapping;
	file->private_data = d;
	return 0;
}

static int mapspec_release(struct inode *inode, struct file *file)
{
	struct device_file *d = file->private_data;

	drop(d);
	put_held(d);
	if (!d->gone)
		give_back(d);
	if (d->shmem) /* the last, because it frees page cache: not what somebody maps */
		fput(d->shmem);
	note_remainders(d);
	kvfree(d->pfns);
	kfree(d);
	return 0;
}

static const struct file_operations mapspec_operations = {
	.owner = THIS_MODULE,
	.open = mapspec_open,
	.release = mapspec_release,
	.unlocked_ioctl = mapspec_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mapspec_mmap,
};

#if SINCE(7, 3)
/* No file may have both .mmap and .mmap_prepare, include/linux/fs.h: can_mmap_file.  So a device changes between two. */
static const struct file_operations prepare_operations = {
	.owner = THIS_MODULE,
	.open = mapspec_open,
	.release = mapspec_release,
	.unlocked_ioctl = mapspec_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap_prepare = mapspec_mmap_prepare,
};
#endif

static int set_handler(struct file *file, struct device_file *d, const struct mapspec_handler *handler)
{
	int error = suits(d, handler->function);

	if (error)
		return error;
	d->handler = *handler;
#if SINCE(7, 3)
	file->f_op = handler->function == MAPSPEC_ACTION_REMAP || handler->function == MAPSPEC_ACTION_MAP_KERNEL_PAGES ?
		     &prepare_operations : &mapspec_operations;
#endif
	return 0;
}

static struct miscdevice mapspec_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mapspec",
	.mode = 0600,
	.fops = &mapspec_operations,
};

static int __init mapspec_init(void)
{
	int error;

	dma_device = platform_device_register_simple("mapspec", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(dma_device))
		return PTR_ERR(dma_device);
	find_bars();
	error = misc_register(&mapspec_device);
	if (error) {
		forget_bars();
		platform_device_unregister(dma_device);
	}
	return error;
}

static void __exit mapspec_exit(void)
{
	unsigned long leaked = count_remainders(true);

	if (leaked)
		pr_alert("mapspec: %lu pages of closed devices are still referenced\n", leaked);
	misc_deregister(&mapspec_device);
	forget_bars();
	platform_device_unregister(dma_device);
}

module_init(mapspec_init);
module_exit(mapspec_exit);
MODULE_DESCRIPTION("Maps driver memory with every function that there is, for mapspec");
MODULE_LICENSE("GPL");
