namespace MuseAtelier.Tests.Runtime;

public sealed class DeviceMemoryExceptionTests
{
    [Theory]
    [InlineData(
        "bfc_arena.cc:360 AllocateRawInternal Failed to allocate memory for requested buffer of size 218646446336",
        "the device's memory is used up in unet.7, which asked for 203.63 GiB")]
    [InlineData("CUDA failure 2: out of memory", "the device's memory is used up in unet.7")]
    [InlineData("requested buffer of size 99999999999999999999999", "the device's memory is used up in unet.7")]
    public void Of_ARuntimesFailure_SaysWhereAndHowMuchWasAskedFor(string message, string found)
    {
        var inner = new InvalidOperationException(message);
        var exception = DeviceMemoryException.Of("unet.7", inner);
        Assert.Equal(found, exception.Found);
        Assert.Same(inner, exception.InnerException);
    }
}
