using System.Buffers;
using System.Text.Json;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs.Journal;

/// <summary>The lines of a journal: JSON in UTF-8, an entry a line.</summary>
internal static class JournalText
{
    // The longest request has two prompts of the limit, and other programs' clients have no more.
    private const int LongestLine = 4 << 20;

    private static readonly JsonSerializerOptions Options = WireJson.Create(JsonNamingPolicy.SnakeCaseLower, [.. SourceConverters.All]);

    /// <summary>The line of an entry, with its end.</summary>
    public static byte[] Write(JournalEntry entry) => [.. JsonSerializer.SerializeToUtf8Bytes(entry, Options), (byte)'\n'];

    /// <summary>Reads all entries of a file. A line that cannot be read is left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="take">Receives the entries in order.</param>
    /// <returns>
    /// Lines in the middle that could not be read. The last line counts only if it has its end: without, the process was killed while it
    /// wrote the line, and nobody was told that its job is accepted.
    /// </returns>
    public static int Read(string path, Action<JournalEntry> take)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1 << 16);
        var line = new ArrayBufferWriter<byte>();
        int damaged = 0;
        Span<byte> buffer = new byte[1 << 16];
        bool isTooLong = false;
        for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
        {
            ReadOnlySpan<byte> rest = buffer[..read];
            for (int end = rest.IndexOf((byte)'\n'); end >= 0; end = rest.IndexOf((byte)'\n'))
            {
                line.Write(rest[..end]);
                if (isTooLong || !TryTake(line.WrittenSpan, take)) damaged++;
                line.ResetWrittenCount();
                isTooLong = false;
                rest = rest[(end + 1)..];
            }

            if (line.WrittenCount + rest.Length > LongestLine) isTooLong = true;
            else line.Write(rest);
        }

        return damaged;
    }

    private static bool TryTake(ReadOnlySpan<byte> line, Action<JournalEntry> take)
    {
        if (line.IsEmpty) return true;
        try
        {
            JournalEntry? entry = JsonSerializer.Deserialize<JournalEntry>(line, Options);
            if (entry is null || !IsWhole(entry)) return false;
            take(WithFinalLoras(entry));
            return true;
        }
        // ArgumentException: a list of timesteps or a name of a sampler that is none.
        catch (Exception exception) when (exception is JsonException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static bool IsWhole(JournalEntry entry) => entry.Event switch
    {
        JournalEvent.Accepted => entry.Accepted is not null && entry.Request is { Count: > 0 } request && IsPaintable(request),
        JournalEvent.Picture => entry.Index is >= 0,
        _ => true,
    };

    // The tags of the prompts were looked up when the job was accepted. The LoRAs of a second pass are named where they are others.
    private static JournalEntry WithFinalLoras(JournalEntry entry)
    {
        if (entry.Request is not { } request) return entry;
        PictureRequest picture = request.Picture;
        bool hasTags = picture.Loras.Any(lora => lora.IsFromPrompt) || picture.Hires?.Loras is not null;
        if (!hasTags) return entry;
        HiresPass? pass = picture.Hires is { } hires ? hires with { HasFinalLoras = true } : null;
        return entry with { Request = request with { Picture = picture with { HasFinalLoras = true, Hires = pass } } };
    }

    private static bool IsPaintable(JobRequest request)
    {
        try
        {
            ReferenceRules.ThrowIfUnpaintable(request.Picture, request.Uploads);
            return true;
        }
        catch (Exception exception) when (exception is PictureRequestException or ArgumentNullException)
        {
            return false;
        }
    }
}
