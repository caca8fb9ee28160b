using System.Buffers.Text;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Runtime;

/// <summary>The counters of an arena, as ONNX Runtime reports them.</summary>
/// <param name="MostInUse">Peak bytes in use since the arena was created.</param>
/// <param name="Held">Bytes that the arena holds now, in use or cached.</param>
internal readonly record struct ArenaCount(long MostInUse, long Held);

/// <summary>
/// Reads the counters of the arena that the sessions of a device share. The environment does not return arenas that are registered with
/// it, so the arena is obtained from a session that uses it. Thread-safe.
/// </summary>
/// <param name="memory">The memory kind of the device's tensors; borrowed.</param>
internal sealed unsafe class ArenaStatistics(OrtMemoryInfo memory) : IDisposable
{
    private OrtAllocator? _arena;

    /// <summary>Obtains the arena from a session that uses it. The first session is enough, and may be disposed afterwards.</summary>
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
            // The session has no arena there. The counters stay unknown, and the session is usable all the same.
        }
    }

    /// <summary>
    /// Reads the counters. Returns null before the first session, or if the arena has no counters. Allocates nothing managed.
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

    /// <summary>Releases the arena, because it must not outlive its registration with the environment.</summary>
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
