using MuseAtelier.Checking;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>
/// Measures what fp16 costs: the same parts and the same pictures of one model in fp16 and in fp32, on one device. Exports a package for each
/// arithmetic where there is none; one at a time is open.
/// </summary>
public static class FidelityCheck
{
    /// <summary>Computes the report.</summary>
    /// <param name="model">Path of an SDXL single-file checkpoint. A package is refused: its arithmetic is fixed.</param>
    /// <param name="options">Where it runs and how; budgets hold for the pictures, not for the parts.</param>
    /// <param name="request">What is compared.</param>
    /// <param name="progress">Told on another thread what is being done.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the number of seeds is not from 1 to 10,000.</exception>
    /// <exception cref="PictureRequestException">The pictures are out of range.</exception>
    /// <exception cref="FidelityModelException">The model is a package.</exception>
    /// <exception cref="MuseAtelierException">The model cannot be used; the exception's type and message say why and what to do.</exception>
    public static async Task<FidelityReport> RunAsync(string model, AtelierOptions options, FidelityRequest request, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        OptionRules.Check(options);
        OptionRules.Check(request);
        if (Directory.Exists(model)) throw new FidelityModelException(model);
        await using var thread = new EngineThread("MuseAtelier fidelity");
        return await thread.RunAsync(stopping => new FidelityRun(model, options, request, progress, stopping).Compare(), cancellationToken)
            .ConfigureAwait(false);
    }
}

/// <summary>What a fidelity report compares.</summary>
public sealed record FidelityRequest
{
    /// <summary>How many seeds, from 1 on; each has a prompt of its own.</summary>
    public int Seeds { get; init; } = 16;

    /// <summary>Width of the pictures in px.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height of the pictures in px.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Steps of a picture; also of the schedule from which predictions take their timesteps.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Whether pictures are painted too. Without them predictions and decodings start from noise: the choice for a model that paints nothing, as one of random weights.</summary>
    public bool WithPictures { get; init; } = true;
}

/// <summary>What fp16 costs, part by part and in whole pictures.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Sha256">SHA-256 of the checkpoint, lower-case hex.</param>
/// <param name="Device">The device, in words.</param>
/// <param name="Arithmetic">How the device computes in fp16, in words.</param>
/// <param name="RuntimeVersion">Version of ONNX Runtime.</param>
/// <param name="Request">What was compared.</param>
/// <param name="Parts">The comparisons: parts first, in the order of the model, then whole pictures.</param>
public sealed record FidelityReport(string Model, string Sha256, string Device, string Arithmetic, string RuntimeVersion, FidelityRequest Request, IReadOnlyList<FidelityPart> Parts);

/// <summary>One thing, computed twice.</summary>
/// <param name="Name">What was computed.</param>
/// <param name="Compared">In which arithmetic.</param>
/// <param name="Reference">Against which.</param>
/// <param name="Values">What was found, seed by seed.</param>
public sealed record FidelityPart(string Name, string Compared, string Reference, IReadOnlyList<FidelityValue> Values)
{
    /// <summary>Median of the peak signal-to-noise ratios, in dB.</summary>
    public double MedianPsnr => Median(Values.Select(value => value.Psnr));

    /// <summary>The seed that came out worst: with the lowest ratio, or with numbers that are not finite.</summary>
    public FidelityValue Worst => Values.MinBy(value => value.Psnr)!;

    /// <summary>Median of the relative errors.</summary>
    public double MedianRelativeError => Median(Values.Select(value => value.RelativeError));

    /// <summary>Largest relative error.</summary>
    public double WorstRelativeError => Values.Any(value => double.IsNaN(value.RelativeError)) ? double.NaN : Values.Max(value => value.RelativeError);

    /// <summary>Median of the histogram differences; null where no pictures were compared.</summary>
    public double? MedianHistogramDifference => Values[0].HistogramDifference is null ? null : Median(Values.Select(value => value.HistogramDifference!.Value));

    /// <summary>Largest histogram difference; null where no pictures were compared.</summary>
    public double? WorstHistogramDifference => Values.Max(value => value.HistogramDifference);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        double upper = sorted[sorted.Length / 2], lower = sorted[(sorted.Length - 1) / 2];
        // Two infinities have no mean.
        return upper == lower ? upper : (lower + upper) / 2;
    }
}

/// <summary>How far one seed's result is off.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Psnr">
/// Peak signal-to-noise ratio in dB: +infinity when equal, NaN where numbers are not finite. The peak is 255 for pictures, 2 for decoded numbers (-1 to 1),
/// and the largest magnitude of the reference for text and predictions.
/// </param>
/// <param name="RelativeError">||fp16 - reference|| / ||reference||.</param>
public sealed record FidelityValue(ulong Seed, double Psnr, double RelativeError)
{
    /// <summary>For pictures: the share of pixels that lie in another of 64 bins, mean of the three channels; 0 to 1.</summary>
    public double? HistogramDifference { get; init; }

    /// <summary>For pictures: whether the VAE overflowed fp16, so that the picture was decoded once more in fp32.</summary>
    public bool DecodedInFp32 { get; init; }
}

/// <summary>A fidelity report was asked of a package, whose arithmetic is fixed.</summary>
public sealed class FidelityModelException(string model)
    : MuseAtelierException($"{model} is a folder, and a package's arithmetic is fixed", "a checkpoint (.safetensors), of which packages in fp16 and in fp32 are made", "Give the checkpoint that the package was made from.")
{
    /// <summary>The folder.</summary>
    public string Model { get; } = model;
}
