using System.Text;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Storage;

/// <summary>
/// Identifies a checkpoint's content without reading all of it: by its final path, size, time of change and a digest of samples. The
/// samples distinguish two files of one size that were written within one step of the clock.
/// </summary>
/// <param name="Path">Full path behind all symbolic links; in upper case if the system ignores case.</param>
/// <param name="Bytes">Size in bytes.</param>
/// <param name="Ticks">Time of the last change, in ticks of 100 ns.</param>
/// <param name="Samples">SHA-256 of samples from the beginning, the end and places between, lower-case hex.</param>
internal sealed record CheckpointIdentity(string Path, long Bytes, long Ticks, string Samples)
{
    /// <summary>
    /// The quantity that the .yaml file beside the checkpoint says the model predicts; null if it says nothing. The package holds it, and
    /// the checkpoint does not.
    /// </summary>
    public PredictionType? SaidBeside { get; init; }

    private const int EndBytes = 64 << 10;
    private const int SampleBytes = 4 << 10;
    private const int SampleCount = 64;

    /// <summary>Identifies a file, or the files of a model's folder. Reads less than half a MiB of each.</summary>
    /// <exception cref="CheckpointException">A file does not exist or cannot be read.</exception>
    public static CheckpointIdentity Of(string checkpoint) =>
        ModelFolder.IsFolder(checkpoint) ? OfFolder(ModelFolder.Of(checkpoint)) : OfFile(checkpoint);

    // Each file counts that decides how the model is read, and so does their choice: a file that is preferred to another one may come.
    private static CheckpointIdentity OfFolder(ModelFolder folder)
    {
        var text = new StringBuilder();
        long bytes = 0, ticks = 0;
        foreach (string name in folder.Files.Select(file => file.Name).Concat(folder.Descriptions))
        {
            CheckpointIdentity file = OfFile(folder.PathOf(name));
            text.Append(FormattableString.Invariant($"{name}|{file.Path}|{file.Bytes}|{file.Ticks}|{file.Samples}\n"));
            bytes += file.Bytes;
            ticks = Math.Max(ticks, file.Ticks);
        }

        return new CheckpointIdentity(NameOf(FinalPath.Of(folder.Path)), bytes, ticks, Sha256.Hash(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string NameOf(string path) =>
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? path.ToUpperInvariant() : path;

    private static CheckpointIdentity OfFile(string checkpoint)
    {
        try
        {
            string path = FinalPath.Of(checkpoint);
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            long bytes = stream.Length;
            long ticks = File.GetLastWriteTimeUtc(stream.SafeFileHandle).Ticks;
            return new CheckpointIdentity(NameOf(path), bytes, ticks, Sample(stream, bytes))
            {
                SaidBeside = PredictionMarks.FindBeside(checkpoint)?.Type,
            };
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointNotFoundException(checkpoint);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(checkpoint, exception);
        }
    }

    private static string Sample(FileStream stream, long bytes)
    {
        using var hash = new Sha256();
        byte[] buffer = new byte[EndBytes];
        Append(0, EndBytes);
        for (int i = 1; i <= SampleCount; i++) Append(bytes / (SampleCount + 1) * i, SampleBytes);
        Append(Math.Max(0, bytes - EndBytes), EndBytes);
        return hash.Finish();

        void Append(long offset, int count)
        {
            int read = RandomAccess.Read(stream.SafeFileHandle, buffer.AsSpan(0, count), offset);
            hash.Append(buffer.AsSpan(0, read));
        }
    }
}
