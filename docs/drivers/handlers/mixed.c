// SPDX-License-Identifier: MIT
/* An object of which some pages are RAM and some are in the device. */
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

#define NR_PAGES 16UL

static unsigned long start;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "Physical address of the device memory behind the odd pages");

static struct page *ram[NR_PAGES];	/* NULL: this page is in the device */

static vm_fault_t object_fault(struct vm_fault *vmf)
{
	unsigned long i = vmf->pgoff;

	if (i >= NR_PAGES)
		return VM_FAULT_SIGBUS;
	if (ram[i])		/* a page: counted, get_user_pages() finds it */
		return vmf_insert_page(vmf->vma, vmf->address, ram[i]);
	/* a raw PFN: not counted, get_user_pages() fails */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	return vmf_insert_mixed(vmf->vma, vmf->address,
				__pfn_to_pfn_t(PHYS_PFN(start) + i, PFN_DEV));
#else
	return vmf_insert_mixed(vmf->vma, vmf->address, PHYS_PFN(start) + i);
#endif
}

static const struct vm_operations_struct object_vm_ops = {
	.fault = object_fault,
};

static int object_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Both functions need VM_MIXEDMAP, and a fault handler must not set it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
#else
	vma->vm_flags |= VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP;
#endif
	vma->vm_ops = &object_vm_ops;
	return 0;
}

static const struct file_operations object_fops = {
	.owner = THIS_MODULE,
	.mmap = object_mmap,
};

static struct miscdevice object_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-object",
	.fops = &object_fops,
};

static void free_ram(void)
{
	unsigned long i;

	for (i = 0; i < NR_PAGES; i += 2)
		if (ram[i])
			put_page(ram[i]);
}

static int __init object_init(void)
{
	unsigned long i;
	int err = -ENOMEM;

	if (!start || !PAGE_ALIGNED(start))
		return -EINVAL;
	for (i = 0; i < NR_PAGES; i += 2) {
		ram[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!ram[i])
			goto fail;
	}
	err = misc_register(&object_device);
	if (!err)
		return 0;
fail:
	free_ram();
	return err;
}

static void __exit object_exit(void)
{
	misc_deregister(&object_device);
	free_ram();
}

module_init(object_init);
module_exit(object_exit);
MODULE_DESCRIPTION("Example: pages and raw PFNs in one mapping");
MODULE_LICENSE("Dual MIT/GPL");
