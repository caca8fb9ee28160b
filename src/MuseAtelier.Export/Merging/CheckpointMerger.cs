using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Merging;

/// <summary>Merges checkpoints tensor by tensor. The memory that it takes does not depend on their size.</summary>
internal static class CheckpointMerger
{
    /// <summary>The entry of the metadata that names the merged checkpoints and the formula.</summary>
    public const string RecipeName = "muse.merge";

    private const int CopyBytes = 4 << 20;

    // What the first checkpoint's metadata says of the kind of model stays true; its title and its digests do not.
    private static readonly string[] Kept =
        ["format", "modelspec.sai_model_spec", "modelspec.architecture", "modelspec.implementation", "modelspec.resolution"];

    /// <summary>
    /// Writes a merged checkpoint. Where the formula leaves one checkpoint as it is (weight 0, and weight 1 of a sum) and that is a file,
    /// the result is a copy of it, byte for byte. The file appears only when it is complete.
    /// </summary>
    /// <param name="options">The checkpoints and the formula.</param>
    /// <param name="output">Path of the file. An existing file is replaced.</param>
    /// <param name="progress">Receives the progress on the calling thread.</param>
    /// <param name="cancellationToken">Cancels within a few MiB. Nothing is left behind.</param>
    /// <exception cref="ArgumentException">The options are out of range.</exception>
    /// <exception cref="CheckpointException">
    /// A checkpoint cannot be read or was changed meanwhile, they cannot be merged, or the file cannot be written.
    /// </exception>
    public static ExportResult Write(
        MergeOptions options, string output, IProgress<ExportProgress>? progress, CancellationToken cancellationToken)
    {
        options.Check();
        var clock = Stopwatch.StartNew();
        CheckpointIdentity[] before = [.. options.Checkpoints.Select(CheckpointIdentity.Of)];
        RequireOtherFile(options, output);
        var files = new List<TensorFile>();
        try
        {
            foreach (string path in options.Checkpoints) files.Add(CheckpointFile.Open(path));
            IReadOnlyList<MergedTensor> tensors = MergePlan.Of(files, options.InFp16);
            string? copied = options.InFp16 || options.Unchanged is null || !File.Exists(options.Unchanged) ? null : options.Unchanged;
            long bytes = copied is not null
                ? Copy(copied, output, progress, RequireUnchanged, cancellationToken)
                : Merge(options, files, tensors, output, progress, RequireUnchanged, cancellationToken);
            return new ExportResult(output, bytes, clock.Elapsed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointNotWrittenException(output, exception);
        }
        finally
        {
            foreach (TensorFile file in files) file.Dispose();
        }

        // Called before the file gets its name.
        void RequireUnchanged()
        {
            for (int i = 0; i < before.Length; i++)
                if (CheckpointIdentity.Of(options.Checkpoints[i]) != before[i]) throw new CheckpointChangedException(options.Checkpoints[i]);
        }
    }

    private static long Merge(
        MergeOptions options,
        IReadOnlyList<TensorFile> files,
        IReadOnlyList<MergedTensor> tensors,
        string output,
        IProgress<ExportProgress>? progress,
        Action requireUnchanged,
        CancellationToken cancellationToken)
    {
        SafetensorsDeclaration[] declarations = [.. tensors.Select(tensor => tensor.Declaration), .. Marks(files[0])];
        // The header states the digests of the checkpoints, so that they are computed first.
        Dictionary<string, string> metadata = Metadata(options, files[0], progress, cancellationToken);
        var report = new ExportReport(declarations.Sum(tensor => tensor.Bytes), progress) { Phase = "weights" };
        using SafetensorsWriter writer = SafetensorsWriter.Create(output, declarations, metadata);
        var arithmetic = new MergeArithmetic(files, options.Weight);
        foreach (MergedTensor tensor in tensors)
        {
            arithmetic.Write(tensor, writer, cancellationToken);
            report.Written(tensor.Declaration.Bytes);
        }

        requireUnchanged();
        cancellationToken.ThrowIfCancellationRequested();
        writer.Complete();
        report.Done();
        return new FileInfo(output).Length;
    }

    private static long Copy(
        string source, string output, IProgress<ExportProgress>? progress, Action requireUnchanged, CancellationToken cancellationToken)
    {
        using FileStream from = new(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var report = new ExportReport(from.Length, progress) { Phase = "copy" };
        using NewFile file = NewFile.Create(output, from.Length);
        byte[] buffer = new byte[CopyBytes];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            file.Stream.Write(buffer.AsSpan(0, read));
            report.Written(read);
        }

        requireUnchanged();
        file.Complete();
        report.Done();
        return from.Length;
    }

    // Empty tensors that mark what the UNet predicts, if A says it outside of its tensors.
    private static IEnumerable<SafetensorsDeclaration> Marks(TensorFile first)
    {
        PredictionMark? mark = PredictionMarks.Find(first);
        bool isMarked = PredictionMarks.TensorMarks.Any(first.Tensors.ContainsKey);
        if (mark is null || isMarked || mark.Type != PredictionType.Velocity) yield break;
        yield return new SafetensorsDeclaration(PredictionMarks.VelocityTensor, ElementType.F32, [0]);
        if (mark.ZeroTerminalSnr) yield return new SafetensorsDeclaration(PredictionMarks.ZeroSnrTensor, ElementType.F32, [0]);
    }

    private static Dictionary<string, string> Metadata(
        MergeOptions options, TensorFile first, IProgress<ExportProgress>? progress, CancellationToken cancellationToken)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in Kept)
            if (first.Metadata.TryGetValue(name, out string? value)) metadata[name] = value;
        // A model of the EDM formulation says so in its tensors or here.
        if (PredictionMarks.Find(first)?.Type is PredictionType.Edm or PredictionType.VelocityEdm)
            metadata["modelspec.prediction_type"] = PredictionMarks.Find(first)!.Type == PredictionType.Edm ? "edm" : "edm_vpred";
        progress?.Report(new ExportProgress("digests of the checkpoints", 0, 0));
        var models = new JsonArray();
        foreach (string path in options.Checkpoints)
        {
            models.Add(new JsonObject
            {
                ["name"] = ModelFolder.NameOf(path),
                ["sha256"] = CheckpointDigest.Of(path, cancellationToken),
            });
        }

        metadata[RecipeName] = new JsonObject
        {
            ["mode"] = options.Mode == MergeMode.Sum ? "sum" : "difference",
            ["weight"] = options.Weight,
            ["models"] = models,
        }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        return metadata;
    }

    private static void RequireOtherFile(MergeOptions options, string output)
    {
        string target = FinalPath.Of(output);
        string? same = options.Checkpoints.FirstOrDefault(path => Path.GetFullPath(FinalPath.Of(path)) == target);
        if (same is not null) throw new MergeMismatchException(
            same, $"{output} is one of the checkpoints to merge", "another file for the result");
    }
}
