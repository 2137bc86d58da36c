// SPDX-License-Identifier: MIT
/* RAM that the kernel does not manage (mem=, no-map), by remap_pfn_range(). */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/version.h>

static unsigned long start, size;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "Physical address of the memory that was set aside");
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "Size in bytes");

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
static int ram_mmap_prepare(struct vm_area_desc *desc)
{
	unsigned long pages = size >> PAGE_SHIFT;

	if (desc->pgoff >= pages || vma_desc_pages(desc) > pages - desc->pgoff)
		return -ENXIO;
	if (vma_desc_is_cow_mapping(desc))
		return -EINVAL;
	mmap_action_remap_full(desc, PHYS_PFN(start) + desc->pgoff);
	return 0;
}
#else
static int ram_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long pages = size >> PAGE_SHIFT;

	/* remap_pfn_range() checks nothing of this. */
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -ENXIO;
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(start) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}
#endif

static const struct file_operations ram_fops = {
	.owner = THIS_MODULE,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	.mmap_prepare = ram_mmap_prepare,
#else
	.mmap = ram_mmap,
#endif
};

static struct miscdevice ram_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-ram",
	.fops = &ram_fops,
};

static int __init ram_init(void)
{
	if (!size || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return -EINVAL;
	return misc_register(&ram_device);
}

static void __exit ram_exit(void)
{
	misc_deregister(&ram_device);
}

module_init(ram_init);
module_exit(ram_exit);
MODULE_DESCRIPTION("Example: RAM without struct page in user space");
MODULE_LICENSE("Dual MIT/GPL");
