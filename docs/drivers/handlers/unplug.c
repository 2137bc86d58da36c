// SPDX-License-Identifier: MIT
/* A BAR that can go away while it is mapped. */
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pfn.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/version.h>

#define BAR 2	/* of QEMU's ivshmem: plain memory, to try it */

struct bar {
	struct kref ref;
	struct miscdevice misc;
	struct rw_semaphore lock;	/* protects `gone`: read by faults, written by removal */
	bool gone;
	struct inode *inode;		/* of the first open, while anything is open: finds all mappings */
	unsigned int opens;		/* of inode; both are protected by open_lock */
	unsigned long pfn, pages;
};

static DEFINE_MUTEX(open_lock);

static void bar_free(struct kref *ref)
{
	kfree(container_of(ref, struct bar, ref));
}

static int bar_open(struct inode *inode, struct file *file)
{
	struct bar *bar = container_of(file->private_data, struct bar, misc);

	mutex_lock(&open_lock);
	if (!bar->opens++) {
		ihold(inode);
		bar->inode = inode;
	}
	file->f_mapping = bar->inode->i_mapping;	/* one for all, whatever node was opened */
	mutex_unlock(&open_lock);
	file->private_data = bar;
	kref_get(&bar->ref);
	return 0;
}

static int bar_release(struct inode *inode, struct file *file)
{
	struct bar *bar = file->private_data;

	mutex_lock(&open_lock);
	if (!--bar->opens) {		/* no file, so no mapping: let its file system go */
		iput(bar->inode);
		bar->inode = NULL;
	}
	mutex_unlock(&open_lock);
	kref_put(&bar->ref, bar_free);
	return 0;
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	struct bar *bar = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&bar->lock);
	if (!bar->gone && vmf->pgoff < bar->pages)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, bar->pfn + vmf->pgoff);
	up_read(&bar->lock);
	return ret;
}

static const struct vm_operations_struct bar_vm_ops = {
	.fault = bar_fault,
};

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* vmf_insert_pfn() stops the kernel in a private writable mapping. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	/* Now: a fault handler must not change flags. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
#else
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
#endif
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &bar_vm_ops;
	return 0;
}

static const struct file_operations bar_fops = {
	.owner = THIS_MODULE,
	.open = bar_open,
	.release = bar_release,
	.mmap = bar_mmap,
};

static int bar_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bar *bar;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	if (!(pci_resource_flags(pdev, BAR) & IORESOURCE_MEM) ||
	    !PAGE_ALIGNED(pci_resource_len(pdev, BAR)))
		return -ENODEV;
	bar = kzalloc(sizeof(*bar), GFP_KERNEL);
	if (!bar)
		return -ENOMEM;
	kref_init(&bar->ref);
	init_rwsem(&bar->lock);
	bar->pfn = PHYS_PFN(pci_resource_start(pdev, BAR));
	bar->pages = pci_resource_len(pdev, BAR) >> PAGE_SHIFT;
	bar->misc.minor = MISC_DYNAMIC_MINOR;
	bar->misc.name = "example-bar";
	bar->misc.fops = &bar_fops;
	err = misc_register(&bar->misc);
	if (err) {
		kref_put(&bar->ref, bar_free);
		return err;
	}
	pci_set_drvdata(pdev, bar);
	return 0;
}

static void bar_remove(struct pci_dev *pdev)
{
	struct bar *bar = pci_get_drvdata(pdev);

	misc_deregister(&bar->misc);		/* 1. nobody opens it any more */
	down_write(&bar->lock);			/* 2. no fault puts an entry back */
	bar->gone = true;
	up_write(&bar->lock);
	mutex_lock(&open_lock);
	if (bar->inode)				/* 3. take back what there is: the next access is SIGBUS */
		unmap_mapping_range(bar->inode->i_mapping, 0, 0, 1);
	mutex_unlock(&open_lock);
	kref_put(&bar->ref, bar_free);		/* 4. open files keep the rest */
}

static const struct pci_device_id bar_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) },	/* QEMU's ivshmem */
	{ }
};
MODULE_DEVICE_TABLE(pci, bar_ids);

static struct pci_driver bar_driver = {
	.name = "example-bar",
	.id_table = bar_ids,
	.probe = bar_probe,
	.remove = bar_remove,
};

module_pci_driver(bar_driver);
MODULE_DESCRIPTION("Example: a BAR in user space that can be taken back");
MODULE_LICENSE("Dual MIT/GPL");
