using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>The buffers of encoded pictures, which a server fills on whichever thread is free.</summary>
public sealed class EncoderBufferTests
{
    private const int Side = 1024;

    [Fact]
    public void EncodePooled_OnOneThreadAfterAnother_AllocatesNoBufferForEach()
    {
        using Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "" }, Side, Side);
        OnThread(() => Encode(picture));
        long least = long.MaxValue;
        // Tests beside this one may hold the buffers meanwhile.
        for (int tries = 0; tries < 3; tries++) least = Math.Min(least, OnThread(() => Encode(picture)));
        // The buffers have two bytes for a pixel.
        Assert.InRange(least, 0, Side * Side);
    }

    private static void Encode(Picture picture)
    {
        using ArrayPoolBufferWriter<byte> file = PictureFile.EncodePooled(picture, PictureFormat.Png);
        Assert.True(file.WrittenCount > 0);
    }

    // Managed bytes that the action allocates on a thread of its own.
    private static long OnThread(Action action)
    {
        long bytes = 0;
        var thread = new Thread(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        thread.Start();
        thread.Join();
        return bytes;
    }
}
