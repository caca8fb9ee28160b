using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages a file of <c>torch.save</c>: its bytes, the instructions of its pickle, or the directory of its archive.</summary>
internal sealed class TorchFuzz
{
    private const int DirectoryBytes = 1024;

    // The magic number and the protocol of the older format, before the pickles.
    private const int LegacyStart = 21;
    private const int LegacyPickles = 3;

    private readonly byte[] _pickle;
    private readonly byte[][] _storages;
    private readonly byte[]? _legacy;
    private readonly bool _isZip64;

    private TorchFuzz(byte[] pickle, byte[][] storages, byte[]? legacy, bool isZip64) =>
        (_pickle, _storages, _legacy, _isZip64) = (pickle, storages, legacy, isZip64);

    /// <summary>An archive.</summary>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="nested">The key of the dictionary that holds them; null for none.</param>
    /// <param name="isZip64">Whether its numbers are those of zip64.</param>
    public static TorchFuzz Archive(RawCheckpoint tensors, string? nested, bool isZip64 = false) => new(
        TorchWriter.Pickle(tensors, nested, isLegacy: false), [.. tensors.Tensors.Values.Select(tensor => tensor.Bytes)], null, isZip64);

    /// <summary>A file of the format before version 1.6.</summary>
    /// <param name="path">A path to write it to.</param>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="nested">The key of the dictionary that holds them; null for none.</param>
    public static TorchFuzz Legacy(string path, RawCheckpoint tensors, string? nested) =>
        new([], [], File.ReadAllBytes(TorchWriter.WriteLegacy(path, tensors, nested)), isZip64: false);

    /// <summary>Writes the sound file.</summary>
    public byte[] WriteSound(string path)
    {
        Write(path, _legacy, _pickle);
        return File.ReadAllBytes(path);
    }

    /// <summary>Writes a damaged file.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="path">Path of the file.</param>
    /// <returns>Its bytes.</returns>
    public byte[] Write(Random random, string path)
    {
        bool isPickle = random.Next(3) > 0;
        if (_legacy is not null) Write(path, isPickle ? PickleFuzz.Damage(random, _legacy, LegacyStart, LegacyPickles) : _legacy, _pickle);
        else Write(path, null, isPickle ? PickleFuzz.Damage(random, _pickle, 0, 1) : _pickle);
        byte[] written = File.ReadAllBytes(path);
        if (isPickle) return written;
        // The directory lies at the end of an archive, and the pickles of the older format at the start.
        int within = random.Next(2) == 0 ? 0 : Math.Min(DirectoryBytes, written.Length);
        int start = _legacy is null && within > 0 ? written.Length - within : 0;
        written = [.. written[..start], .. ByteFuzz.Damage(random, written[start..], within)];
        File.WriteAllBytes(path, written);
        return written;
    }

    private void Write(string path, byte[]? legacy, byte[] pickle)
    {
        if (legacy is not null) File.WriteAllBytes(path, legacy);
        else if (_isZip64) Zip64Writer.WriteTorch(path, pickle, _storages);
        else TorchWriter.WriteArchive(path, pickle, _storages);
    }
}
