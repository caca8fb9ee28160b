namespace MuseAtelier.Tests.Support;

/// <summary>Whether denoising loops allocate.</summary>
internal static class Allocations
{
    /// <summary>
    /// Asserts that a picture's steps allocated nothing managed. What the loop allocates it allocates for every picture; .NET and ONNX
    /// Runtime do so by themselves once in hundreds, as for a line of a log that comes on the loop's thread, so that one picture of three
    /// may be without.
    /// </summary>
    /// <param name="picture">The picture.</param>
    /// <param name="again">Paints it again.</param>
    public static async Task AssertNoneAsync(Picture picture, Func<Task<Picture>> again)
    {
        for (int i = 0; i < 2 && picture.Timings.DenoisingManagedBytes > 0; i++) picture = await again();
        Assert.Equal(0, picture.Timings.DenoisingManagedBytes);
    }
}
