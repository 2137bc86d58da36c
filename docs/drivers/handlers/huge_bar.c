// SPDX-License-Identifier: MIT
/* Device memory in huge entries where it is aligned.  Kernels from 6.12. */
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
#define HUGE
#endif
#endif

static unsigned long start, size;
module_param(start, ulong, 0444);
MODULE_PARM_DESC(start, "Physical address; a driver takes it from its BAR");
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "Size in bytes");

static vm_fault_t big_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(start) + vmf->pgoff);
}

#ifdef HUGE
static vm_fault_t big_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long pgoff, pfn;
	bool write = vmf->flags & FAULT_FLAG_WRITE;

	if (order != PMD_ORDER || addr < vma->vm_start || addr + PMD_SIZE > vma->vm_end)
		return VM_FAULT_FALLBACK;
	pgoff = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
	pfn = PHYS_PFN(start) + pgoff;
	if (!IS_ALIGNED(pfn, 1UL << PMD_ORDER) || pgoff + (1UL << PMD_ORDER) > size >> PAGE_SHIFT)
		return VM_FAULT_FALLBACK;	/* then .fault is asked */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#else
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#endif
}
#endif

static const struct vm_operations_struct big_vm_ops = {
	.fault = big_fault,
#ifdef HUGE
	.huge_fault = big_huge_fault,
#endif
};

static int big_mmap(struct file *file, struct vm_area_struct *vma)
{
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;		/* vmf_insert_pfn*() stop the kernel otherwise */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	/* VM_HUGEPAGE: 6.18 makes no huge entries without it where THP is `madvise`. */
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_HUGEPAGE);
#else
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
#endif
	/* x86 takes what the range is reserved with instead: ioremap_wc(), arch_io_reserve_memtype_wc(). */
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vma->vm_ops = &big_vm_ops;
	return 0;
}

static const struct file_operations big_fops = {
	.owner = THIS_MODULE,
	.mmap = big_mmap,
	/* An address that is as far from a huge page boundary as the offset is. */
	.get_unmapped_area = thp_get_unmapped_area,
};

static struct miscdevice big_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-big",
	.fops = &big_fops,
};

static int __init big_init(void)
{
	if (!size || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return -EINVAL;
	return misc_register(&big_device);
}

static void __exit big_exit(void)
{
	misc_deregister(&big_device);
}

module_init(big_init);
module_exit(big_exit);
MODULE_DESCRIPTION("Example: device memory in huge entries");
MODULE_LICENSE("Dual MIT/GPL");
