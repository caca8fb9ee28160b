using MuseAtelier.Checking;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>
/// Measures the error of fp16: computes the same parts and the same pictures of one model in fp16 and in fp32, on one device. Exports a
/// package for each arithmetic if there is none yet. Only one package is open at a time.
/// </summary>
internal static class FidelityCheck
{
    /// <summary>Computes the report.</summary>
    /// <param name="model">Path of an SDXL checkpoint. A package is refused, because its arithmetic is fixed.</param>
    /// <param name="options">The settings of the engine. Budgets bound the pictures, not the parts.</param>
    /// <param name="request">The pictures to compare.</param>
    /// <param name="progress">Receives, on another thread, the name of the part that is being computed.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the number of seeds is not from 1 to 10,000.</exception>
    /// <exception cref="PictureRequestException">The pictures are out of range.</exception>
    /// <exception cref="FidelityModelException">The model is a package.</exception>
    /// <exception cref="MuseAtelierException">
    /// The model cannot be used; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static async Task<FidelityReport> RunAsync(
        string model, AtelierOptions options, FidelityRequest request, IProgress<string>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        FidelityRules.Check(request);
        if (Directory.Exists(model) && !ModelFolder.IsFolder(model)) throw new FidelityModelException(model);
        await using var thread = new EngineThread("MuseAtelier fidelity");
        return await thread.RunAsync(
            stopping => new FidelityRun(model, options, request, progress, stopping).Compare(),
            cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>The pictures that a fidelity report compares.</summary>
internal sealed record FidelityRequest
{
    /// <summary>The number of seeds, 1 to 10,000. Each seed has a prompt of its own.</summary>
    public int Seeds { get; init; } = 16;

    /// <summary>Width of the pictures in px.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height of the pictures in px.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Steps of a picture, and of the schedule from which predictions take their timesteps.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>
    /// Whether whole pictures are compared too. Without them predictions and decodings start from noise, which suits a model with random
    /// weights.
    /// </summary>
    public bool WithPictures { get; init; } = true;
}

/// <summary>The error of fp16, part by part and in whole pictures.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="Device">The device, in words.</param>
/// <param name="Arithmetic">How the device computes in fp16, in words.</param>
/// <param name="RuntimeVersion">Version of ONNX Runtime.</param>
/// <param name="Request">The pictures that were compared.</param>
/// <param name="Parts">The comparisons: first the parts, in the order of the model, then whole pictures.</param>
internal sealed record FidelityReport(
    string Model, string Sha256, string Device, string Arithmetic, string RuntimeVersion, FidelityRequest Request,
    IReadOnlyList<FidelityPart> Parts);

/// <summary>A part of the model or a picture, computed in two arithmetics.</summary>
/// <param name="Name">The name of the part or picture.</param>
/// <param name="Compared">The arithmetic that is judged.</param>
/// <param name="Reference">The arithmetic of the reference.</param>
/// <param name="Values">The errors, seed by seed.</param>
internal sealed record FidelityPart(string Name, string Compared, string Reference, IReadOnlyList<FidelityValue> Values)
{
    /// <summary>Median of the peak signal-to-noise ratios, in dB.</summary>
    public double MedianPsnr => Median(Values.Select(value => value.Psnr));

    /// <summary>The worst seed: the one with the lowest ratio, or with numbers that are not finite.</summary>
    public FidelityValue Worst => Values.MinBy(value => value.Psnr)!;

    /// <summary>Median of the relative errors.</summary>
    public double MedianRelativeError => Median(Values.Select(value => value.RelativeError));

    /// <summary>Largest relative error.</summary>
    public double WorstRelativeError =>
        Values.Any(value => double.IsNaN(value.RelativeError)) ? double.NaN : Values.Max(value => value.RelativeError);

    /// <summary>Median of the histogram differences; null if the part is not a picture.</summary>
    public double? MedianHistogramDifference =>
        Values[0].HistogramDifference is null ? null : Median(Values.Select(value => value.HistogramDifference!.Value));

    /// <summary>Largest histogram difference; null if the part is not a picture.</summary>
    public double? WorstHistogramDifference => Values.Max(value => value.HistogramDifference);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double upper = sorted[sorted.Length / 2];
        double lower = sorted[(sorted.Length - 1) / 2];
        // Equal values, two infinities among them, need no mean.
        return upper == lower ? upper : (lower + upper) / 2;
    }
}

/// <summary>The error of one seed's result.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Psnr">
/// Peak signal-to-noise ratio in dB: +infinity if equal, NaN if numbers are not finite. The peak is 255 for pictures, 2 for decoded numbers
/// (-1 to 1), and the largest magnitude of the reference for text and predictions.
/// </param>
/// <param name="RelativeError">||fp16 - reference|| / ||reference||.</param>
internal sealed record FidelityValue(ulong Seed, double Psnr, double RelativeError)
{
    /// <summary>For pictures: the share of pixels that lie in another of 64 bins, 0 to 1; the mean of the three channels.</summary>
    public double? HistogramDifference { get; init; }

    /// <summary>For pictures: whether the VAE overflowed in fp16, so that the picture was decoded once more in fp32.</summary>
    public bool DecodedInFp32 { get; init; }
}

/// <summary>A fidelity report was requested of a package, whose arithmetic is fixed.</summary>
internal sealed class FidelityModelException(string model)
    : MuseAtelierException(
        $"{model} is a folder, and a package's arithmetic is fixed",
        "a checkpoint (.safetensors), from which packages in fp16 and in fp32 are made",
        "Give the checkpoint that the package was made from.")
{
    /// <summary>The folder.</summary>
    public string Model { get; } = model;
}
