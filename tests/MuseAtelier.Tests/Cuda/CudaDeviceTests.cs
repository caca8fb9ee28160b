using MuseAtelier.Cuda.Devices;

namespace MuseAtelier.Tests.Cuda;

public sealed class CudaDeviceTests
{
    [Theory]
    [InlineData("bfc_arena.cc:360 AllocateRawInternal Failed to allocate memory for requested buffer of size 218646446336", true)]
    [InlineData("CUDA failure 2: out of memory ; GPU=0", true)]
    [InlineData("CUDA's cuMemAlloc failed with CUDA_ERROR_OUT_OF_MEMORY (2): out of memory", true)]
    [InlineData("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0", true)]
    [InlineData("CUDNN failure 4004: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0", true)]
    [InlineData("CUDNN failure 5000: CUDNN_STATUS_EXECUTION_FAILED ; GPU=0", false)]
    [InlineData("CUDA failure 700: an illegal memory access was encountered ; GPU=0", false)]
    public void IsOutOfMemory_OfAFailuresText_TellsMemoryFromTheRest(string message, bool expected) =>
        Assert.Equal(expected, CudaDevice.IsOutOfMemory(message));
}
