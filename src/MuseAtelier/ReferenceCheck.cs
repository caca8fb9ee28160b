using MuseAtelier.Checking;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>Runs the engine against reference values and says how far each part is off.</summary>
public static class ReferenceCheck
{
    /// <summary>Computes every part that the reference file has values for.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="reference">Path of a safetensors file with reference values; prompts and their ids stand in the JSON file of the same name beside it.</param>
    /// <param name="options">Where it runs and how.</param>
    /// <param name="progress">Told on another thread which part is being computed.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="MuseAtelierException">The model or the reference file cannot be used; the exception's type and message say why and what to do.</exception>
    public static async Task<ReferenceReport> RunAsync(string model, string reference, AtelierOptions options, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
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

/// <summary>What a comparison with reference values found.</summary>
/// <param name="Parts">The parts that were compared, in the order of the model.</param>
/// <param name="LeftOut">The parts that the file has no values for, in words.</param>
public sealed record ReferenceReport(IReadOnlyList<ReferencePart> Parts, IReadOnlyList<string> LeftOut)
{
    /// <summary>Whether every part is within what is allowed, and there was at least one.</summary>
    public bool Passed => Parts.Count > 0 && Parts.All(part => part.Passed);
}

/// <summary>One part of the model against its reference values.</summary>
/// <param name="Name">What was compared, such as <c>CLIP-L hidden</c> or <c>UNet 128x128</c> (the size in px).</param>
/// <param name="RelativeError">||ours - reference|| / ||reference||, over all values; NaN where ours are not finite.</param>
/// <param name="AllowedError">The largest relative error that passes.</param>
public sealed record ReferencePart(string Name, double RelativeError, double AllowedError)
{
    /// <summary>Peak signal-to-noise ratio in dB, for pictures; +infinity when equal.</summary>
    public double? Psnr { get; init; }

    /// <summary>Least PSNR in dB that passes, for pictures.</summary>
    public double? RequiredPsnr { get; init; }

    /// <summary>Whether the part is close enough.</summary>
    public bool Passed => RelativeError <= AllowedError && (RequiredPsnr is null || Psnr >= RequiredPsnr);
}
