using System.Buffers.Text;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>What an arena has counted.</summary>
/// <param name="MostInUse">The most bytes that were in use at once, since the arena was made.</param>
/// <param name="Held">Bytes that it holds now, in use or not.</param>
internal readonly record struct ArenaCount(long MostInUse, long Held);

/// <summary>
/// Asks the arena that the sessions of a device share what it has counted. The environment does not hand out arenas that are registered
/// with it, but a session does that uses one. Any thread may use it.
/// </summary>
/// <param name="memory">Where the device's tensors lie; borrowed.</param>
internal sealed unsafe class ArenaStatistics(OrtMemoryInfo memory) : IDisposable
{
    private OrtAllocator? _arena;

    /// <summary>Finds the arena by a session that uses it; the first one is enough, and need not live on.</summary>
    public void FindBy(InferenceSession session)
    {
        if (_arena is not null) return;
        try
        {
            var arena = new OrtAllocator(session, memory);
            if (Interlocked.CompareExchange(ref _arena, arena, null) is not null) arena.Dispose();
        }
        catch (OnnxRuntimeException)
        {
            // It uses none there: the count stays unknown, and the session is as good as any.
        }
    }

    /// <summary>
    /// What the arena has counted; null before there is a session, or where it does not count. Allocates nothing managed.
    /// </summary>
    public ArenaCount? Read()
    {
        OrtAllocator? arena = Volatile.Read(ref _arena);
        if (arena is null) return null;
        nint counts;
        var getStats = (delegate* unmanaged[Cdecl]<nint, nint*, nint>)OrtInterface.Api->AllocatorGetStats;
        OrtInterface.Check(getStats(arena.DangerousGetHandle(), &counts));
        GC.KeepAlive(arena);
        try
        {
            return Number(counts, "MaxInUse\0"u8) is { } mostInUse && Number(counts, "TotalAllocated\0"u8) is { } held
                ? new ArenaCount(mostInUse, held)
                : null;
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)OrtInterface.Api->ReleaseKeyValuePairs)(counts);
        }
    }

    /// <summary>Lets go of the arena, which would otherwise outlive its registration.</summary>
    public void Dispose() => Interlocked.Exchange(ref _arena, null)?.Dispose();

    private static long? Number(nint counts, ReadOnlySpan<byte> key)
    {
        fixed (byte* name = key)
        {
            byte* text = ((delegate* unmanaged[Cdecl]<nint, byte*, byte*>)OrtInterface.Api->GetKeyValue)(counts, name);
            return text != null && Utf8Parser.TryParse(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text), out long value, out _)
                ? value
                : null;
        }
    }
}
