// SPDX-License-Identifier: MIT
/* One folio of PMD size, mapped by one entry, and counted.  Kernels from 6.18. */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>

static struct folio *folio;

static vm_fault_t folio_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= folio_nr_pages(folio))
		return VM_FAULT_SIGBUS;
	folio_get(folio);		/* for the entry */
	vmf->page = folio_page(folio, vmf->pgoff);
	return 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static vm_fault_t folio_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PMD_MASK;

	/* All of the folio, at an address that is aligned as it is; else .fault is asked. */
	if (order != PMD_ORDER || addr < vma->vm_start || addr + PMD_SIZE > vma->vm_end ||
	    vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT) != 0)
		return VM_FAULT_FALLBACK;
	/* A private write must not get a writable entry of the driver's folio. */
	if ((vmf->flags & FAULT_FLAG_WRITE) && !(vma->vm_flags & VM_SHARED))
		return VM_FAULT_FALLBACK;
	return vmf_insert_folio_pmd(vmf, folio, vmf->flags & FAULT_FLAG_WRITE);
}
#endif

static const struct vm_operations_struct folio_vm_ops = {
	.fault = folio_fault,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	.huge_fault = folio_huge_fault,
#endif
};

static int folio_mmap(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_DONTEXPAND | VM_HUGEPAGE);	/* for huge faults unless THP is `never` */
#else
	vma->vm_flags |= VM_DONTEXPAND;
#endif
	vma->vm_ops = &folio_vm_ops;
	return 0;
}

static const struct file_operations folio_fops = {
	.owner = THIS_MODULE,
	.mmap = folio_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
};

static struct miscdevice folio_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-folio",
	.fops = &folio_fops,
};

static int __init folio_init(void)
{
	int err;

	folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, HPAGE_PMD_ORDER);
	if (!folio)
		return -ENOMEM;
	err = misc_register(&folio_device);
	if (err)
		folio_put(folio);
	return err;
}

static void __exit folio_exit(void)
{
	misc_deregister(&folio_device);
	folio_put(folio);
}

module_init(folio_init);
module_exit(folio_exit);
MODULE_DESCRIPTION("Example: a huge folio in user space");
MODULE_LICENSE("Dual MIT/GPL");
