// SPDX-License-Identifier: MIT
/* Device memory that has been given struct pages by memremap_pages(). */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/numa.h>
#include <linux/page_ref.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

static unsigned long start, size;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "Physical address, a multiple of 2 MiB");
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "Size in bytes, a multiple of 2 MiB");

static struct dev_pagemap pagemap = { .type = MEMORY_DEVICE_GENERIC, .nr_range = 1 };

static vm_fault_t devmem_fault(struct vm_fault *vmf)
{
	unsigned long pfn = PHYS_PFN(start) + vmf->pgoff;

	if (vmf->pgoff >= size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	/* A devmap entry: not counted, but get_user_pages() works through the pagemap. */
	return vmf_insert_mixed(vmf->vma, vmf->address, __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP));
#else
	/* An ordinary entry: counted like a page of a file. */
	return vmf_insert_page_mkwrite(vmf, pfn_to_page(pfn), vmf->flags & FAULT_FLAG_WRITE);
#endif
}

static const struct vm_operations_struct devmem_vm_ops = {
	.fault = devmem_fault,
};

static int devmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Shared only: a write fault makes the entry of the device's own page writable. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_DONTEXPAND);
#else
	vma->vm_flags |= VM_DONTEXPAND;
#endif
	vma->vm_ops = &devmem_vm_ops;
	return 0;
}

static const struct file_operations devmem_fops = {
	.owner = THIS_MODULE,
	.mmap = devmem_mmap,
};

static struct miscdevice devmem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-devmem",
	.fops = &devmem_fops,
};

static int __init devmem_init(void)
{
	void *kaddr;
	int err;

	if (!size || !IS_ALIGNED(start | size, SZ_2M))
		return -EINVAL;
	pagemap.range.start = start;
	pagemap.range.end = start + size - 1;
	kaddr = memremap_pages(&pagemap, NUMA_NO_NODE);
	if (IS_ERR(kaddr))
		return PTR_ERR(kaddr);
	err = misc_register(&devmem_device);
	if (err)
		memunmap_pages(&pagemap);
	return err;
}

/* A page that nobody has mapped or pinned has one reference.  memunmap_pages() does not wait for the others. */
static void wait_for_pins(void)
{
	unsigned long i;

	for (i = 0; i < size >> PAGE_SHIFT; i++)
		while (page_ref_count(pfn_to_page(PHYS_PFN(start) + i)) > 1)
			msleep(100);
}

static void __exit devmem_exit(void)
{
	misc_deregister(&devmem_device);
	wait_for_pins();	/* no file is open, so nothing is mapped; but a pin may be left */
	memunmap_pages(&pagemap);
}

module_init(devmem_init);
module_exit(devmem_exit);
MODULE_DESCRIPTION("Example: device memory with struct pages in user space");
MODULE_LICENSE("Dual MIT/GPL");
