using System.Runtime.InteropServices;
using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Support;

/// <summary>Native memory for tests that need no device.</summary>
internal static class HostBuffers
{
    public static unsafe NativeBuffer Allocate(long bytes) =>
        new((nint)NativeMemory.AlignedAlloc((nuint)bytes, 64), bytes, static address => NativeMemory.AlignedFree((void*)address));
}
