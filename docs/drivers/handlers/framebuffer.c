// SPDX-License-Identifier: MIT
/* A framebuffer in device memory, write-combined, mapped by vm_iomap_memory(). */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>

static unsigned long start, size;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "Physical address; a driver takes it from its BAR or resource");
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "Size in bytes");

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
static int fb_mmap_prepare(struct vm_area_desc *desc)
{
	if (vma_desc_is_cow_mapping(desc))
		return -EINVAL;		/* a private copy of a framebuffer shows nothing */
	desc->page_prot = pgprot_writecombine(desc->page_prot);
	mmap_action_simple_ioremap(desc, start, size);
	return 0;
}
#else
static int fb_mmap(struct file *file, struct vm_area_struct *vma)
{
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;		/* a private copy of a framebuffer shows nothing */
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	/* Checks offset and length; sets VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP. */
	return vm_iomap_memory(vma, start, size);
}
#endif

static const struct file_operations fb_fops = {
	.owner = THIS_MODULE,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	.mmap_prepare = fb_mmap_prepare,
#else
	.mmap = fb_mmap,
#endif
};

static struct miscdevice fb_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-fb",
	.fops = &fb_fops,
};

static int __init fb_init(void)
{
	/* Only whole pages: what shares a page with the device would be mapped too. */
	if (!size || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return -EINVAL;
	return misc_register(&fb_device);
}

static void __exit fb_exit(void)
{
	misc_deregister(&fb_device);
}

module_init(fb_init);
module_exit(fb_exit);
MODULE_DESCRIPTION("Example: device memory in user space");
MODULE_LICENSE("Dual MIT/GPL");
