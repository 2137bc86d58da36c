// SPDX-License-Identifier: MIT
/* One allocation of 16 pages, mapped page by page with vm_insert_page(). */
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>

#define ORDER 4

static struct page *block;

static int block_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff, i;

	if (first >= 1UL << ORDER || vma_pages(vma) > (1UL << ORDER) - first)
		return -ENXIO;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_DONTEXPAND);
#else
	vma->vm_flags |= VM_DONTEXPAND;
#endif
	for (i = 0; i < vma_pages(vma); i++) {
		int err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, block + first + i);

		if (err)
			return err;	/* what has been inserted goes with the VMA */
	}
	return 0;
}

static const struct file_operations block_fops = {
	.owner = THIS_MODULE,
	.mmap = block_mmap,
};

static struct miscdevice block_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "block",
	.fops = &block_fops,
};

static int __init block_init(void)
{
	int err;

	/* __GFP_COMP: else only the first page has a reference, and the others are refused. */
	block = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, ORDER);
	if (!block)
		return -ENOMEM;
	err = misc_register(&block_device);
	if (err)
		put_page(block);
	return err;
}

static void __exit block_exit(void)
{
	misc_deregister(&block_device);
	put_page(block);
}

module_init(block_init);
module_exit(block_exit);
MODULE_DESCRIPTION("Example: a compound page in user space");
MODULE_LICENSE("Dual MIT/GPL");
