// SPDX-License-Identifier: MIT
/* A ring buffer from vmalloc_user(), all of it mapped by remap_vmalloc_range(). */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define RING_SIZE (64 * PAGE_SIZE)

static void *ring;

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Checks offset and length against the buffer; sets all flags that are needed. */
	return remap_vmalloc_range(vma, ring, vma->vm_pgoff);
}

static const struct file_operations ring_fops = {
	.owner = THIS_MODULE,
	.mmap = ring_mmap,
};

static struct miscdevice ring_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ring",
	.fops = &ring_fops,
};

static int __init ring_init(void)
{
	int err;

	ring = vmalloc_user(RING_SIZE);		/* zeroed, and marked as fit for user space */
	if (!ring)
		return -ENOMEM;
	err = misc_register(&ring_device);
	if (err)
		vfree(ring);
	return err;
}

static void __exit ring_exit(void)
{
	misc_deregister(&ring_device);
	vfree(ring);	/* pages that are pinned live on until they are unpinned */
}

module_init(ring_init);
module_exit(ring_exit);
MODULE_DESCRIPTION("Example: a vmalloc buffer in user space");
MODULE_LICENSE("Dual MIT/GPL");
