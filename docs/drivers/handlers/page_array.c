// SPDX-License-Identifier: MIT
/* Single pages in an array, all mapped by mmap(2), and counted. */
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>

#define NR_PAGES 64UL

static struct page *pages[NR_PAGES];

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
static int buffer_mmap_prepare(struct vm_area_desc *desc)
{
	unsigned long first = desc->pgoff;

	/* The action trusts the array to be long enough. */
	if (first >= NR_PAGES || vma_desc_pages(desc) > NR_PAGES - first)
		return -ENXIO;
	vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT);
	mmap_action_map_kernel_pages_full(desc, pages + first);
	return 0;
}
#else
static int buffer_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_DONTEXPAND);
#else
	vma->vm_flags |= VM_DONTEXPAND;
#endif
	/* Checks offset and length against the array; sets VM_MIXEDMAP. */
	return vm_map_pages(vma, pages, NR_PAGES);
}
#endif

static const struct file_operations buffer_fops = {
	.owner = THIS_MODULE,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	.mmap_prepare = buffer_mmap_prepare,
#else
	.mmap = buffer_mmap,
#endif
};

static struct miscdevice buffer_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "buffer",
	.fops = &buffer_fops,
};

static void free_pages_of_buffer(void)
{
	unsigned long i;

	for (i = 0; i < NR_PAGES && pages[i]; i++)
		put_page(pages[i]);	/* it may still be pinned */
}

static int __init buffer_init(void)
{
	unsigned long i;
	int err = -ENOMEM;

	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i])
			goto fail;
	}
	err = misc_register(&buffer_device);
	if (!err)
		return 0;
fail:
	free_pages_of_buffer();
	return err;
}

static void __exit buffer_exit(void)
{
	misc_deregister(&buffer_device);
	free_pages_of_buffer();
}

module_init(buffer_init);
module_exit(buffer_exit);
MODULE_DESCRIPTION("Example: an array of pages in user space");
MODULE_LICENSE("Dual MIT/GPL");
