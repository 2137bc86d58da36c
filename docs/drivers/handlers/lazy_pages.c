// SPDX-License-Identifier: MIT
/* Pages that are allocated when they are touched, by a fault handler. */
#include <linux/gfp.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/version.h>

#define NR_PAGES 64UL

static struct page *pages[NR_PAGES];
static DEFINE_MUTEX(lock);

static vm_fault_t lazy_fault(struct vm_fault *vmf)
{
	struct page *page;

	if (vmf->pgoff >= NR_PAGES)
		return VM_FAULT_SIGBUS;
	mutex_lock(&lock);
	if (!pages[vmf->pgoff])
		pages[vmf->pgoff] = alloc_page(GFP_KERNEL | __GFP_ZERO);
	page = pages[vmf->pgoff];
	if (page)
		get_page(page);		/* for the entry; munmap(2) drops it */
	mutex_unlock(&lock);
	if (!page)
		return VM_FAULT_OOM;
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct lazy_vm_ops = {
	.fault = lazy_fault,
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
static int lazy_mmap_prepare(struct vm_area_desc *desc)
{
	vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT);
	desc->vm_ops = &lazy_vm_ops;
	return 0;
}
#else
static int lazy_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_DONTEXPAND);
#else
	vma->vm_flags |= VM_DONTEXPAND;
#endif
	vma->vm_ops = &lazy_vm_ops;
	return 0;
}
#endif

static const struct file_operations lazy_fops = {
	.owner = THIS_MODULE,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	.mmap_prepare = lazy_mmap_prepare,
#else
	.mmap = lazy_mmap,
#endif
};

static struct miscdevice lazy_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lazy",
	.fops = &lazy_fops,
};

static int __init lazy_init(void)
{
	return misc_register(&lazy_device);
}

static void __exit lazy_exit(void)
{
	unsigned long i;

	misc_deregister(&lazy_device);
	for (i = 0; i < NR_PAGES; i++)
		if (pages[i])
			put_page(pages[i]);
}

module_init(lazy_init);
module_exit(lazy_exit);
MODULE_DESCRIPTION("Example: pages that appear when they are touched");
MODULE_LICENSE("Dual MIT/GPL");
