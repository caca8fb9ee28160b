using System.Globalization;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>Paints pictures again from their records, and tells whether they are the same.</summary>
public static class PictureVerifier
{
    // Formats that lose something stay far above this; another picture stays far below.
    private const double LeastPsnr = 25;

    /// <summary>The options with which an atelier decodes as it was done for a record: in its tiles, and in fp32 at once where fp16 had overflowed.</summary>
    /// <param name="record">The record.</param>
    /// <param name="options">All other options.</param>
    public static AtelierOptions Suit(PictureRecord record, AtelierOptions options)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(options);
        return options with { VaeTiling = record.Engine.Tile is null ? VaeTiling.Whole : VaeTiling.Tiled, VaeTile = record.Engine.Tile, DecodesInFp32 = record.DecodedInFp32 };
    }

    /// <summary>Verifies a picture: paints it again in its place of as large a pass, since its last bits are those of that.</summary>
    /// <param name="atelier">Opened with the model of the record and options that <see cref="Suit"/> it.</param>
    /// <param name="path">Path of the picture.</param>
    /// <param name="progress">Told on the engine's thread: return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureFileException">The file is no picture, or carries no record that can be read.</exception>
    /// <exception cref="PictureRequestException">The record asks for what cannot be painted.</exception>
    /// <exception cref="BudgetTooSmallException">So large a pass does not fit into the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyAsync(Atelier atelier, string path, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        PictureFileContent content = PictureFile.Read(path);
        PictureRecord record = content.ReadRecord();
        PictureRequestException.ThrowIfUnpaintable(record.Request);
        if (!record.Model.Sha256.Equals(atelier.Model.Sha256, StringComparison.OrdinalIgnoreCase))
            return new PictureVerification(VerificationOutcome.AnotherModel, record) { Changes = [$"the model is {atelier.Model.Name} ({atelier.Model.Sha256}), and was {record.Model.Name} ({record.Model.Sha256})"] };
        Picture again = await atelier.GenerateAsync(record.Request, record.Engine.Place, progress, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Compare(path, content, record, again), cancellationToken).ConfigureAwait(false);
    }

    private static PictureVerification Compare(string path, PictureFileContent content, PictureRecord record, Picture again)
    {
        PictureRecord now = PictureRecord.Of(again, record.Encoding);
        IReadOnlyList<string> changes = Changes(record, now);
        (int? step, bool noise) = FirstDifference(record.Hashes, now.Hashes);
        (int? largest, double? psnr) = Difference(path, again);
        var result = new PictureVerification(VerificationOutcome.Parted, record) { PartsAtStep = step, NoiseParts = noise,
            LargestDifference = largest, Psnr = psnr, Changes = changes, Notices = [.. content.Notices, .. again.Notices] };
        if (step is not null) return result;

        // A format that loses something shows other pixels than were painted, whoever encoded it.
        bool samePixels = record.Hashes.Pixels.Equals(now.Hashes.Pixels, StringComparison.OrdinalIgnoreCase)
            && (content.Format != PictureFormat.Png || largest == 0);
        // What the file would be, had this run written it with the record that it carries.
        bool isSame = content.Format == record.Encoding.Format
            && File.ReadAllBytes(path).AsSpan().SequenceEqual(PictureEncoder.Encode(path, again.Pixels, again.Width, again.Height, record.Encoding, MetadataTexts.Of(record, content.RecordJson!)));
        if (isSame) return result with { Outcome = VerificationOutcome.SameBytes, SamePixels = true };

        return result with { Outcome = psnr >= LeastPsnr ? VerificationOutcome.SameLatents : VerificationOutcome.OtherPicture,
            SamePixels = samePixels };
    }

    private static (int? Step, bool Noise) FirstDifference(RecordedHashes then, RecordedHashes now)
    {
        for (int i = 0; i < then.Latents.Count; i++)
        {
            bool noise = then.Noise[i] != now.Noise[i];
            if (noise || then.Latents[i] != now.Latents[i]) return (i, noise);
        }

        return (null, false);
    }

    private static (int? Largest, double? Psnr) Difference(string path, Picture again)
    {
        (int width, int height, byte[] pixels) = PictureFile.ReadPixels(path);
        if ((width, height) != (again.Width, again.Height)) return (null, null);
        ReadOnlySpan<byte> other = again.Pixels.Span;
        int largest = 0;
        long squares = 0;
        for (int i = 0; i < pixels.Length; i++)
        {
            int difference = Math.Abs(pixels[i] - other[i]);
            largest = Math.Max(largest, difference);
            squares += difference * difference;
        }

        return (largest, squares == 0 ? double.PositiveInfinity : 10 * Math.Log10(255.0 * 255 * pixels.Length / squares));
    }

    private static string DeviceChange(RecordedEngine then, RecordedEngine now)
    {
        string reason = then.Threads is { } before && now.Threads is { } after && before != after ? "another number of threads"
            : "another device";
        return $"the device was {then.Device}, and is {now.Device}: {reason} adds in another order, so that last bits may differ";
    }

    private static List<string> Changes(PictureRecord then, PictureRecord now)
    {
        List<string> changes = [];
        void Note(string name, string before, string after)
        {
            if (before != after) changes.Add(string.Create(CultureInfo.InvariantCulture, $"{name} was {before}, and is {after}"));
        }

        Note("MuseAtelier", then.Engine.Version, now.Engine.Version);
        Note("the runtime", then.Engine.Runtime, now.Engine.Runtime);
        if (then.Engine.Device != now.Engine.Device) changes.Add(DeviceChange(then.Engine, now.Engine));
        Note("the plan", then.Engine.Plan, now.Engine.Plan);
        Note("the digest of the graphs", then.Model.GraphsSha256, now.Model.GraphsSha256);
        return changes;
    }
}
