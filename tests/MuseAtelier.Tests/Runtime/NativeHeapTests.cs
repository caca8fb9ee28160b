using MuseAtelier.Cpu;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Runtime;

/// <summary>Not beside other tests, which take and give back memory of the same process.</summary>
[Collection(nameof(OneAtATime))]
public sealed class NativeHeapTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public unsafe void Trim_OfAHeapThatIsEmptyButForItsEnd_GivesItBack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells.");
        const int blocks = 4096, size = 32 << 10;
        var addresses = new nint[blocks];
        for (int i = 0; i < blocks; i++)
        {
            addresses[i] = (nint)System.Runtime.InteropServices.NativeMemory.Alloc(size);
            new Span<byte>((void*)addresses[i], size).Fill(1);
        }

        long full = AnonymousMemory.Bytes()!.Value;
        // The last block stays, and so the heap's end does not move.
        foreach (nint address in addresses[..^1]) System.Runtime.InteropServices.NativeMemory.Free((void*)address);
        NativeHeap.Trim();
        long left = AnonymousMemory.Bytes()!.Value;
        System.Runtime.InteropServices.NativeMemory.Free((void*)addresses[^1]);
        // 128 MiB went.
        Assert.InRange(full - left, 32 * MiB, long.MaxValue);
    }
}
