using MuseAtelier.Checking;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>Compares the engine with reference values, and reports the error of each part.</summary>
public static class ReferenceCheck
{
    /// <summary>Computes every part that the reference file has values for.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="reference">
    /// Path of a safetensors file with reference values. A JSON file of the same name beside it has the prompts and their ids.
    /// </param>
    /// <param name="options">The settings of the engine.</param>
    /// <param name="progress">Receives, on another thread, the name of the part that is being computed.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="MuseAtelierException">
    /// The model or the reference file cannot be used; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static async Task<ReferenceReport> RunAsync(
        string model, string reference, AtelierOptions options, IProgress<string>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(reference);
        OptionRules.Check(options);
        await using var thread = new EngineThread("MuseAtelier check");
        return await thread.RunAsync(
            stopping =>
            {
                using ReferenceValues values = ReferenceValues.Open(reference);
                using ReferenceRun run = ReferenceRun.Open(model, values, options, progress, stopping);
                return run.Compare();
            },
            cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>The result of a comparison with reference values.</summary>
public sealed record ReferenceReport
{
    internal ReferenceReport(IReadOnlyList<ReferencePart> parts, IReadOnlyList<string> leftOut)
    {
        Parts = parts;
        LeftOut = leftOut;
    }

    /// <summary>The parts that were compared, in the order of the model.</summary>
    public IReadOnlyList<ReferencePart> Parts { get; init; }

    /// <summary>The parts without values in the file, in words.</summary>
    public IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>Whether there is at least one part, and the error of every part is allowed.</summary>
    public bool Passed => Parts.Count > 0 && Parts.All(part => part.Passed);
}

/// <summary>One part of the model, compared with its reference values.</summary>
public sealed record ReferencePart
{
    internal ReferencePart(string name, double relativeError, double allowedError)
    {
        Name = name;
        RelativeError = relativeError;
        AllowedError = allowedError;
    }

    /// <summary>The name of the part, such as <c>CLIP-L hidden</c> or <c>UNet 128x128</c> (the size in px).</summary>
    public string Name { get; init; }

    /// <summary>||ours - reference|| / ||reference||, over all values; NaN if ours are not finite.</summary>
    public double RelativeError { get; init; }

    /// <summary>The largest relative error that passes.</summary>
    public double AllowedError { get; init; }

    /// <summary>For pictures: the peak signal-to-noise ratio in dB; +infinity if equal.</summary>
    public double? Psnr { get; init; }

    /// <summary>For pictures: the least PSNR in dB that passes.</summary>
    public double? RequiredPsnr { get; init; }

    /// <summary>Whether the part passes.</summary>
    public bool Passed => RelativeError <= AllowedError && (RequiredPsnr is null || Psnr >= RequiredPsnr);
}
