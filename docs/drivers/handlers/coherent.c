// SPDX-License-Identifier: MIT
/* Coherent DMA memory, mapped by the DMA layer. */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define SIZE (16 * PAGE_SIZE)

static struct platform_device *pdev;	/* the device that does the DMA; a driver has its own */
static void *buffer;
static dma_addr_t handle;

static int dma_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Checks offset and length, knows the cache attributes, and sets the flags. */
	return dma_mmap_coherent(&pdev->dev, vma, buffer, handle, SIZE);
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
	int err;

	pdev = platform_device_register_simple("example-dma", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	err = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto unregister;
	buffer = dma_alloc_coherent(&pdev->dev, SIZE, &handle, GFP_KERNEL);
	err = -ENOMEM;
	if (!buffer)
		goto unregister;
	err = misc_register(&dma_device);	/* last: from now on it can be opened and mapped */
	if (!err)
		return 0;
	dma_free_coherent(&pdev->dev, SIZE, buffer, handle);
unregister:
	platform_device_unregister(pdev);
	return err;
}

static void __exit dma_exit(void)
{
	misc_deregister(&dma_device);
	dma_free_coherent(&pdev->dev, SIZE, buffer, handle);
	platform_device_unregister(pdev);
}

module_init(dma_init);
module_exit(dma_exit);
MODULE_DESCRIPTION("Example: coherent DMA memory in user space");
MODULE_LICENSE("Dual MIT/GPL");
