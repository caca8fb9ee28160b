using CommunityToolkit.HighPerformance.Buffers;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Writes encoded pictures to callers' streams: nothing until a picture is encoded, then all of it.</summary>
internal static class StreamOutput
{
    /// <summary>Encodes and writes.</summary>
    /// <param name="stream">Receives the bytes; stays open.</param>
    /// <param name="encode">Encodes to pooled memory.</param>
    public static void Write(Stream stream, Func<ArrayPoolBufferWriter<byte>> encode)
    {
        RequireWritable(stream);
        using ArrayPoolBufferWriter<byte> file = encode();
        stream.Write(file.WrittenSpan);
    }

    /// <summary>Encodes on the thread pool, and writes asynchronously.</summary>
    /// <param name="stream">Receives the bytes; stays open.</param>
    /// <param name="encode">Encodes to pooled memory.</param>
    /// <param name="cancellationToken">Stops before and after the encoding, and as the stream allows it.</param>
    public static async Task WriteAsync(
        Stream stream, Func<ArrayPoolBufferWriter<byte>> encode, CancellationToken cancellationToken)
    {
        RequireWritable(stream);
        ArrayPoolBufferWriter<byte> file = await Task.Run(encode, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        await stream.WriteAsync(file.WrittenMemory, cancellationToken).ConfigureAwait(false);
        // After a cancelled write the stream may still read the memory. It is collected then, and does not return to the pool.
        file.Dispose();
    }

    private static void RequireWritable(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanWrite) throw new ArgumentException("the stream cannot be written", nameof(stream));
    }
}
