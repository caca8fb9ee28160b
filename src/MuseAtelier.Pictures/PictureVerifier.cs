using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>Paints pictures again from their records and compares the results with the files.</summary>
public static class PictureVerifier
{
    // In dB. A lossy file of the same picture is far above this limit, another picture far below.
    private const double LeastPsnr = 25;

    private static readonly RequestSources NoSources = new();

    /// <summary>
    /// Options with which an atelier decodes a picture as its record says: in the same tiles, and in fp32 if fp16 overflowed.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="options">Supplies all other options.</param>
    public static AtelierOptions Suit(PictureRecord record, AtelierOptions options)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(options);
        return options with
        {
            VaeTiling = record.Engine.VaeTile is null ? VaeTiling.Whole : VaeTiling.Tiled,
            VaeTile = record.Engine.VaeTile,
            DecodesInFp32 = record.DecodedInFp32,
        };
    }

    /// <summary>
    /// Verifies a picture: paints it again and compares the result with the file. The picture is painted at the same index of a batch of
    /// the same size, because its last bits depend on both.
    /// </summary>
    /// <param name="atelier">Opened with the record's model and with options from <see cref="Suit"/>.</param>
    /// <param name="path">Path of the picture.</param>
    /// <param name="progress">Called on the engine's thread, so it must return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureFileException">The file is not a picture, or has no readable record.</exception>
    /// <exception cref="PictureRequestException">The record's request cannot be painted.</exception>
    /// <exception cref="BudgetTooSmallException">A batch of this size does not fit the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyAsync(
        IAtelier atelier,
        string path,
        IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        return await VerifyWithSourcesAsync(atelier, path, NoSources, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Verifies a picture that was painted from others, with an upscaler's model or with LoRAs, as
    /// <see cref="VerifyAsync(IAtelier, string, IProgress{GenerationProgress}?, CancellationToken)"/> does.
    /// </summary>
    /// <param name="atelier">Opened with the record's model and with options from <see cref="Suit"/>.</param>
    /// <param name="path">Path of the picture.</param>
    /// <param name="sources">What the record names by digests alone.</param>
    /// <param name="progress">Called on the engine's thread, so it must return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureFileException">The file is not a picture, or has no readable record.</exception>
    /// <exception cref="PictureRequestException">The record's request cannot be painted, or an image that it names is missing.</exception>
    /// <exception cref="SourceMismatchException">An image, the upscaler or a LoRA is another one.</exception>
    /// <exception cref="UpscalerMissingException">The file of the upscaler is missing.</exception>
    /// <exception cref="LoraMissingException">The file of a LoRA is missing.</exception>
    /// <exception cref="BudgetTooSmallException">A batch of this size does not fit the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyWithSourcesAsync(
        IAtelier atelier,
        string path,
        RequestSources sources,
        IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(sources);
        using PictureInput input = await Task.Run(() => PictureFile.Guard(path, () => PictureInput.Load(path)), cancellationToken)
            .ConfigureAwait(false);
        return await VerifyAsync(atelier, input, sources, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Verifies a picture from a stream, as <see cref="VerifyAsync(IAtelier, string, IProgress{GenerationProgress}?, CancellationToken)"/>
    /// does with a file. The stream is read from its position to its end, and stays open. It need not seek.
    /// </summary>
    /// <param name="atelier">Opened with the record's model and with options from <see cref="Suit"/>.</param>
    /// <param name="stream">The picture.</param>
    /// <param name="progress">Called on the engine's thread, so it must return quickly.</param>
    /// <param name="cancellationToken">Stops while the stream is read, and within a step.</param>
    /// <exception cref="PictureFileException">The stream is not a picture, or has no readable record.</exception>
    /// <exception cref="PictureRequestException">The record's request cannot be painted.</exception>
    /// <exception cref="BudgetTooSmallException">A batch of this size does not fit the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyAsync(
        IAtelier atelier,
        Stream stream,
        IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        return await VerifyWithSourcesAsync(atelier, stream, NoSources, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Verifies a picture from a stream, as
    /// <see cref="VerifyWithSourcesAsync(IAtelier, string, RequestSources, IProgress{GenerationProgress}?, CancellationToken)"/> does with
    /// a file.
    /// </summary>
    /// <param name="atelier">Opened with the record's model and with options from <see cref="Suit"/>.</param>
    /// <param name="stream">The picture. It is read to its end, and stays open.</param>
    /// <param name="sources">What the record names by digests alone.</param>
    /// <param name="progress">Called on the engine's thread, so it must return quickly.</param>
    /// <param name="cancellationToken">Stops while the stream is read, and within a step.</param>
    /// <exception cref="PictureFileException">The stream is not a picture, or has no readable record.</exception>
    /// <exception cref="PictureRequestException">The record's request cannot be painted, or an image that it names is missing.</exception>
    /// <exception cref="SourceMismatchException">An image, the upscaler or a LoRA is another one.</exception>
    /// <exception cref="UpscalerMissingException">The file of the upscaler is missing.</exception>
    /// <exception cref="LoraMissingException">The file of a LoRA is missing.</exception>
    /// <exception cref="BudgetTooSmallException">A batch of this size does not fit the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyWithSourcesAsync(
        IAtelier atelier,
        Stream stream,
        RequestSources sources,
        IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(sources);
        using PictureInput input = await StreamIntake.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        return await VerifyAsync(atelier, input, sources, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Verifies a picture from memory, as <see cref="VerifyAsync(IAtelier, string, IProgress{GenerationProgress}?, CancellationToken)"/>
    /// does with a file.
    /// </summary>
    /// <param name="atelier">Opened with the record's model and with options from <see cref="Suit"/>.</param>
    /// <param name="file">The bytes of the file; borrowed until the task has ended.</param>
    /// <param name="progress">Called on the engine's thread, so it must return quickly.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="PictureFileException">The bytes are not a picture, or have no readable record.</exception>
    /// <exception cref="PictureRequestException">The record's request cannot be painted.</exception>
    /// <exception cref="BudgetTooSmallException">A batch of this size does not fit the atelier's budget.</exception>
    public static async Task<PictureVerification> VerifyAsync(
        IAtelier atelier,
        ReadOnlyMemory<byte> file,
        IProgress<GenerationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        using var input = PictureInput.OfMemory(file);
        return await VerifyAsync(atelier, input, NoSources, progress, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<PictureVerification> VerifyAsync(
        IAtelier atelier,
        PictureInput input,
        RequestSources sources,
        IProgress<GenerationProgress>? progress,
        CancellationToken cancellationToken)
    {
        PictureFileContent content = PictureFile.Guard(input.Name, () => PictureDecoder.ReadMetadata(input));
        PictureRecord record = content.ReadRecord();
        PictureRequest request = await Task.Run(() => sources.ApplyTo(record.Request), cancellationToken).ConfigureAwait(false);
        PictureRequestException.ThrowIfUnpaintable(request);
        if (!record.Model.Sha256.Equals(atelier.Model.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            string now = $"{atelier.Model.Name} ({atelier.Model.Sha256})";
            string then = $"{record.Model.Name} ({record.Model.Sha256})";
            return new PictureVerification(VerificationOutcome.AnotherModel, record) { Changes = [$"the model was {then}, and is {now}"] };
        }

        if (record.Model.Vae?.Sha256 != atelier.Model.Vae?.Sha256)
        {
            string change = $"the VAE was {Describe(record.Model.Vae)}, and is {Describe(atelier.Model.Vae)}";
            return new PictureVerification(VerificationOutcome.AnotherModel, record) { Changes = [change] };
        }

        var options = new GenerationOptions { Place = record.Engine.BatchSlot, Progress = progress };
        using Picture again = await atelier.GenerateAsync(request, options, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Compare(input, content, record, again), cancellationToken).ConfigureAwait(false);
    }

    private static string Describe(UsedVae? vae) => vae is null ? "the model's own" : $"{vae.Name} ({vae.Sha256})";

    private static PictureVerification Compare(PictureInput input, PictureFileContent content, PictureRecord record, Picture again)
    {
        PictureRecord now = PictureRecord.Of(again, record.Encoding);
        IReadOnlyList<string> changes = Changes(record, now);
        (int? step, bool noise) = FirstDifference(record.Hashes, now.Hashes);
        (int? largest, double? psnr) = Difference(input, again);
        var result = new PictureVerification(VerificationOutcome.Diverged, record)
        {
            DivergesAtStep = step,
            NoiseDiverges = noise,
            LargestDifference = largest,
            Psnr = psnr,
            Changes = changes,
            Notices = [.. content.Notices, .. again.Notices],
        };
        if (step is not null) return result;
        if (HasSameBytes(input, content, record, again)) return result with { Outcome = VerificationOutcome.SameBytes, SamePixels = true };

        // Only a PNG file shows the painted pixels; a lossy file never does, so only the digests are compared for it.
        bool samePixels = record.Hashes.Pixels.Equals(now.Hashes.Pixels, StringComparison.OrdinalIgnoreCase)
            && (content.Format != PictureFormat.Png || largest == 0);
        return result with
        {
            Outcome = psnr >= LeastPsnr ? VerificationOutcome.SameLatents : VerificationOutcome.OtherPicture,
            SamePixels = samePixels,
        };
    }

    // Encodes the new picture with the file's own record, so that the bytes can be equal.
    private static bool HasSameBytes(PictureInput input, PictureFileContent content, PictureRecord record, Picture again)
    {
        if (content.Format != record.Encoding.Format) return false;
        MetadataTexts texts = MetadataTexts.Of(record, content.RecordJson!);
        using ArrayPoolBufferWriter<byte> encoded =
            PictureEncoder.Encode(input.Name, again.Pixels, again.Width, again.Height, record.Encoding, texts);
        return input.ToMemory().Span.SequenceEqual(encoded.WrittenSpan);
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

    private static (int? Largest, double? Psnr) Difference(PictureInput input, Picture again)
    {
        using DecodedPicture shown = PictureFile.Guard(input.Name, () => PictureDecoder.Decode(input, CancellationToken.None));
        if ((shown.Width, shown.Height) != (again.Width, again.Height)) return (null, null);
        ReadOnlySpan<byte> pixels = shown.Pixels.Span;
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
        bool isThreads = then.Threads is { } before && now.Threads is { } after && before != after;
        string reason = isThreads ? "another number of threads" : "another device";
        return $"the device was {then.Device}, and is {now.Device}: {reason} sums in another order, so the last bits may differ";
    }

    // An embedding that is not found is text, so that the prompt means something else.
    private static void NoteEmbeddings(List<string> changes, IReadOnlyList<UsedEmbedding> then, IReadOnlyList<UsedEmbedding> now)
    {
        foreach (UsedEmbedding embedding in then)
        {
            UsedEmbedding? found = now.FirstOrDefault(other => other.Name == embedding.Name);
            if (found is null) changes.Add($"the embedding {embedding.Name} ({embedding.Sha256}) was not found");
            else if (found.Sha256 != embedding.Sha256)
                changes.Add($"the embedding {embedding.Name} was {embedding.Sha256}, and is {found.Sha256}");
        }

        foreach (UsedEmbedding embedding in now.Where(embedding => then.All(other => other.Name != embedding.Name)))
            changes.Add($"the embedding {embedding.Name} was found, which the picture was painted without");
    }

    private static List<string> Changes(PictureRecord then, PictureRecord now)
    {
        List<string> changes = [];
        void Note(string name, string before, string after)
        {
            if (before != after) changes.Add($"{name} was {before}, and is {after}");
        }

        Note("MuseAtelier", then.Engine.Version, now.Engine.Version);
        Note("the runtime", then.Engine.Runtime, now.Engine.Runtime);
        if (then.Engine.Device != now.Engine.Device) changes.Add(DeviceChange(then.Engine, now.Engine));
        Note("the plan", then.Engine.Plan, now.Engine.Plan);
        Note("the digest of the graphs", then.Model.GraphsSha256, now.Model.GraphsSha256);
        NoteEmbeddings(changes, then.Embeddings ?? [], now.Embeddings ?? []);
        // Records of older versions do not state it.
        if (then.Model.Prediction is { } before && now.Model.Prediction is { } after)
            Note("the prediction", $"{before.Used} ({before.Reason})", $"{after.Used} ({after.Reason})");
        return changes;
    }
}
