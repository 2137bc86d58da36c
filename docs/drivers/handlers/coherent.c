// SPDX-License-Identifier: MIT
/* Coherent DMA memory, mapped by the DMA layer. */
#include <linux/dma-mapping.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define SIZE (16 * PAGE_SIZE)

static struct device *dev;	/* the device that does the DMA */
static void *buffer;
static dma_addr_t handle;

static int dma_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Checks offset and length, knows the cache attributes, and sets the flags. */
	return dma_mmap_coherent(dev, vma, buffer, handle, SIZE);
}

static const struct file_operations dma_fops = {
	.owner = THIS_MODULE,
	.mmap = dma_mmap,
};

static struct miscdevice dma_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "example-dma",
	.fops = &dma_fops,
};

static int __init dma_init(void)
{
	int err = misc_register(&dma_device);

	if (err)
		return err;
	dev = dma_device.this_device;
	err = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err)
		goto fail;
	buffer = dma_alloc_coherent(dev, SIZE, &handle, GFP_KERNEL);
	err = -ENOMEM;
	if (!buffer)
		goto fail;
	return 0;
fail:
	misc_deregister(&dma_device);
	return err;
}

static void __exit dma_exit(void)
{
	dma_free_coherent(dev, SIZE, buffer, handle);
	misc_deregister(&dma_device);
}

module_init(dma_init);
module_exit(dma_exit);
MODULE_DESCRIPTION("Example: coherent DMA memory in user space");
MODULE_LICENSE("Dual MIT/GPL");
