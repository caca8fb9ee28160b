using System.Runtime.InteropServices;
using MuseAtelier.Cpu;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Runtime;

/// <summary>Not beside other tests, which take and give back memory of the same process.</summary>
[Collection(nameof(OneAtATime))]
public sealed class AnonymousMemoryTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public unsafe void Bytes_WhereMemoryIsTaken_HoldIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells.");
        long before = AnonymousMemory.Bytes()!.Value;
        Assert.True(before > MiB);
        const int taken = 256 << 20;
        void* memory = NativeMemory.Alloc(taken);
        try
        {
            // Pages are there when they are written to.
            new Span<byte>(memory, taken).Fill(1);
            Assert.InRange(AnonymousMemory.Bytes()!.Value - before, 128 * MiB, 4096 * MiB);
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }

    [Theory]
    [InlineData("VmRSS:\t  500 kB\nRssAnon:\t  123456 kB\nRssFile:\t 1 kB\n", 123456L)]
    [InlineData("RssAnon: 7 kB", 7L)]
    [InlineData("VmRSS:\t  500 kB\n", null)]
    [InlineData("RssAnon:\t  none", null)]
    public void Kibibytes_OfASystemsText_AreTheLinesNumber(string text, long? expected) =>
        Assert.Equal(expected, AnonymousMemory.Kibibytes(System.Text.Encoding.UTF8.GetBytes(text), "RssAnon:"u8));
}
