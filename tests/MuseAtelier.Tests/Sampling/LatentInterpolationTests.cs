using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Sampling;

public sealed class LatentInterpolationTests
{
    // The examples of PyTorch's documentation of torch.nn.Upsample.
    [Theory]
    [InlineData("Nearest", new float[] { 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4 })]
    [InlineData(
        "Bilinear", new[] { 1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4 })]
    public void Resize_OfFourNumbers_IsAsInPyTorchsDocumentation(string kernel, float[] expected)
    {
        float[] result = new float[16];
        LatentInterpolation.Resize([1, 2, 3, 4], 2, 2, result, 4, 4, Enum.Parse<LatentKernel>(kernel));
        Assert.Equal(expected, result);
    }

    // ONNX's specification of Resize has these numbers for a cubic kernel with -0.75 and half pixels, which is PyTorch's.
    [Fact]
    public void Resize_WithTheCubicKernel_IsAsInOnnxsSpecification()
    {
        float[] plane = [.. Enumerable.Range(1, 16).Select(number => (float)number)];
        float[] result = new float[64];
        LatentInterpolation.Resize(plane, 4, 4, result, 8, 8, LatentKernel.Bicubic);
        float[] expected = [0.47265625f, 0.76953125f, 1.24609375f, 1.875f, 2.28125f, 2.91015625f, 3.38671875f, 3.68359375f];
        for (int x = 0; x < expected.Length; x++) Assert.Equal(expected[x], result[x], 1e-6f);
        Assert.Equal(1.66015625f, result[8], 1e-6f);
    }

    [Theory]
    [InlineData("Nearest")]
    [InlineData("Bilinear")]
    [InlineData("Bicubic")]
    public void Resize_OfSeveralPlanes_KeepsEachApartAndConstantsConstant(string kernel)
    {
        const int height = 5, width = 7, newHeight = 8, newWidth = 11;
        float[] planes = new float[4 * height * width];
        for (int i = 0; i < planes.Length; i++) planes[i] = i / (height * width) - 1.5f;
        float[] result = new float[4 * newHeight * newWidth];
        LatentInterpolation.Resize(planes, height, width, result, newHeight, newWidth, Enum.Parse<LatentKernel>(kernel));
        for (int i = 0; i < result.Length; i++) Assert.Equal(i / (newHeight * newWidth) - 1.5f, result[i], 1e-5f);
    }

    [Fact]
    public void Resize_ToASpanOfAnotherLength_IsRefused() => Assert.Throws<ArgumentException>(
        () => LatentInterpolation.Resize(new float[8], 2, 2, new float[9], 3, 3, LatentKernel.Nearest));
}
