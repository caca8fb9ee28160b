using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Pipeline;
using MuseAtelier.Recipe;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Checking;

/// <summary>
/// One fidelity report. The fp32 model runs first. Its text embeddings and its final latents are the inputs of every part in both
/// arithmetics, so that the error of a part does not include the errors of earlier parts. Like the engine, it must stay on one thread.
/// </summary>
internal sealed class FidelityRun(
    string model, AtelierOptions options, FidelityRequest request, IProgress<string>? progress, CancellationToken cancellationToken)
{
    private const string NegativePrompt = "blurry, low quality";

    private static readonly Precisions Exact = Precisions.All(Precision.Fp32);
    private static readonly Precisions Rounded = Precisions.All(Precision.Fp16);
    private static readonly Precisions ExactText = Rounded with { TextEncoders = Precision.Fp32 };
    private static readonly Precisions RoundedText = Exact with { TextEncoders = Precision.Fp16 };

    private static readonly string[] Subjects =
    [
        "a starry night over a quiet Renaissance city, glowing yellow stars, deep blues",
        "a vase of sunflowers on a wooden table, warm light",
        "a stormy sea under a heavy sky, breaking waves",
        "a cathedral at dawn, stained glass, gilded domes",
        "cypresses on a hill, swirling clouds",
        "snowy mountains above a green valley",
        "a blue vase with white flowers",
        "a crescent moon over a calm sea",
    ];

    private static readonly string[] Manners = ["oil painting", "watercolor", "fresco", "ink drawing"];

    private readonly int _height = request.Height / LatentGeometry.VaeScaleFactor;
    private readonly int _width = request.Width / LatentGeometry.VaeScaleFactor;

    /// <summary>The request of the picture with the given index, from 0.</summary>
    public PictureRequest PictureOf(int index) => new()
    {
        Prompt = $"{Subjects[index % Subjects.Length]}, {Manners[index / Subjects.Length % Manners.Length]}",
        NegativePrompt = NegativePrompt,
        Width = request.Width,
        Height = request.Height,
        Steps = request.Steps,
        Seed = SeedOf(index),
    };

    public FidelityReport Compare()
    {
        List<Picture>? exactPictures = Paint(Exact);
        List<Picture>? exactText = Paint(ExactText);
        List<Picture>? roundedText = Paint(RoundedText);
        List<Picture>? roundedPictures = Paint(Rounded);
        Results exact;
        Results rounded;
        Inputs inputs;
        CheckpointSpec checkpoint;
        string device;
        using (OpenedModel opened = Open(Exact))
        {
            checkpoint = opened.Package.Manifest.Checkpoint;
            device = opened.Device.Description;
            exact = Compute(opened, null, exactPictures, out inputs);
        }

        using (OpenedModel opened = Open(Rounded)) rounded = Compute(opened, inputs, null, out _);

        List<FidelityPart> parts = Parts(exact, rounded);
        if (request.WithPictures)
        {
            parts.Add(PicturePart("picture", exactText!, ExactText, exactPictures!, Exact));
            parts.Add(PicturePart("picture", roundedPictures!, Rounded, exactPictures!, Exact));
            // These two tell whether CLIP may run in fp16, with the other parts in fp32 and with the other parts in fp16.
            parts.Add(PicturePart("picture, text encoders alone", roundedText!, RoundedText, exactPictures!, Exact));
            parts.Add(PicturePart("picture, text encoders alone", roundedPictures!, Rounded, exactText!, ExactText));
        }

        string arithmetic = Arithmetic(options.Backend.Lowering);
        string version = OrtEnv.Instance().GetVersionString();
        return new FidelityReport(checkpoint.Name, checkpoint.Sha256, device, arithmetic, version, request, parts);
    }

    private static List<FidelityPart> Parts(Results exact, Results rounded) =>
    [
        Part("CLIP-L hidden", exact.HiddenL, rounded.HiddenL, Peak),
        Part("CLIP-G hidden", exact.HiddenG, rounded.HiddenG, Peak),
        Part("CLIP-G pooled", exact.Pooled, rounded.Pooled, Peak),
        Part("UNet prediction", exact.Predictions, rounded.Predictions, Peak),
        // Decoded numbers range from -1 to 1.
        Part("VAE decode", exact.Images, rounded.Images, static _ => 2),
    ];

    private static ulong SeedOf(int index) => (ulong)index + 1;

    private static string Arithmetic(Lowering lowering) => lowering == Lowering.Cuda
        ? "fp16 operators of the card"
        : "fp32 operators, what each of them hands on rounded to fp16";

    private static double Peak(float[] reference) => Math.Abs(TensorPrimitives.MaxMagnitude(reference));

    private static FidelityPart Part(string name, List<float[]> exact, List<float[]> rounded, Func<float[], double> peak) =>
        new(name, "fp16", "fp32", [.. exact.Select((reference, index) =>
        {
            var deviation = Deviation.Of(rounded[index], reference);
            return new FidelityValue(SeedOf(index), deviation.PsnrAt(peak(reference)), deviation.Relative);
        })]);

    private static FidelityPart PicturePart(
        string name, List<Picture> pictures, Precisions compared, List<Picture> references, Precisions reference) =>
        new(name, compared.ToString(), reference.ToString(), [.. pictures.Select((picture, index) =>
        {
            ReadOnlySpan<byte> ours = picture.Pixels.Span;
            ReadOnlySpan<byte> theirs = references[index].Pixels.Span;
            var deviation = Deviation.Of(ours, theirs);
            return new FidelityValue(SeedOf(index), deviation.Psnr, deviation.Relative)
            {
                HistogramDifference = ColourHistogram.Difference(ours, theirs),
                DecodedInFp32 = picture.DecodedInFp32,
            };
        })]);

    private List<Picture>? Paint(Precisions precisions)
    {
        if (!request.WithPictures) return null;
        AtelierOptions own = options with { Precisions = precisions };
        progress?.Report($"{precisions}: opening");
        using PictureEngine engine = PictureEngine.Open(model, own, new LoadNotice(progress, precisions), cancellationToken);
        var pictures = new List<Picture>();
        for (int index = 0; index < request.Seeds; index++)
        {
            Report(precisions, "picture", index);
            var series = new PictureSeries(PictureOf(index), 1, 1);
            engine.Paint(series, 0, pictures.Add, null, Stopwatch.GetTimestamp(), cancellationToken);
        }

        return pictures;
    }

    private OpenedModel Open(Precisions precisions)
    {
        progress?.Report($"{precisions}: opening, part by part");
        AtelierOptions own = options with { Precisions = precisions };
        return OpenedModel.Open(model, own, new LoadNotice(progress, precisions), cancellationToken);
    }

    // Each part must be released before the next one is loaded, because parts are large in fp32.
    private Results Compute(OpenedModel opened, Inputs? known, List<Picture>? pictures, out Inputs inputs)
    {
        var results = new Results();
        PromptEmbeds[] embeddings = Encode(opened, results);
        inputs = known ?? new Inputs(embeddings, InitialLatents(opened.Model.LatentChannels, pictures));
        Predict(opened, inputs, results);
        Decode(opened, inputs, results);
        return results;
    }

    private List<float[]> InitialLatents(int channels, List<Picture>? pictures) =>
        pictures is null ? NoiseLatents(channels) : [.. pictures.Select(picture => picture.Latents.ToArray())];

    private void Predict(OpenedModel opened, Inputs inputs, Results results)
    {
        var schedule = new SigmaSchedule(TrainedSchedule.Of(opened.Model), new NoiseSchedule(), request.Steps);
        float variance = Prediction.Of(opened.Model.Prediction).DataVariance;
        float[] timeIds = [request.Height, request.Width, 0, 0, request.Height, request.Width];
        for (int index = 0; index < request.Seeds; index++)
        {
            Report(opened.Package.Manifest.PartPrecisions, "UNet prediction", index);
            // The seeds spread their steps over the whole schedule.
            int step = (int)((long)index * request.Steps / request.Seeds);
            float[] latents = inputs.Latents[index];
            // Latents that are pure noise already are the scaled input of the first step.
            float[] input = request.WithPictures ? Noisy(latents, schedule.Sigmas[step], index, variance) : latents;
            PromptEmbeds[] rows = [inputs.Embeddings[^1], inputs.Embeddings[index]];
            ReadOnlySpan<float> prediction = opened.Predict(rows, timeIds, schedule.Timesteps[step], _height, _width, span =>
            {
                // An inpainting model also reads a mask and a masked picture. Any numbers do for a comparison.
                span.Fill(1);
                input.CopyTo(span);
                input.CopyTo(span[(span.Length / 2)..]);
            });
            results.Predictions.Add(prediction.ToArray());
        }

        opened.FreeDenoiser();
        opened.Sessions.Release(opened.Package.Manifest.Component(ComponentNames.UNet));
    }

    private void Decode(OpenedModel opened, Inputs inputs, Results results)
    {
        var format = LatentFormat.Of(opened.Model, opened.Model.Prediction);
        bool tiled = options.VaeTiling == VaeTiling.Tiled;
        for (int index = 0; index < request.Seeds; index++)
        {
            Report(opened.Package.Manifest.PartPrecisions, "VAE decode", index);
            float[] image = new float[3 * request.Height * request.Width];
            float[] latents = format?.ToSdxl(inputs.Latents[index]) ?? inputs.Latents[index];
            opened.Decoder.Decode(latents, _height, _width, tiled, image, opened.Options, cancellationToken);
            results.Images.Add(image);
        }
    }

    // Encodes each seed's prompt, and the negative prompt last.
    private PromptEmbeds[] Encode(OpenedModel opened, Results results)
    {
        using var encoder = new TextConditioner(opened.Package, opened.Sessions, opened.Device);
        var embeddings = new PromptEmbeds[request.Seeds + 1];
        ModelSpec sizes = opened.Model;
        for (int index = 0; index <= request.Seeds; index++)
        {
            PromptTokens tokens = PromptTokenizer.Encode(index == request.Seeds ? NegativePrompt : PictureOf(index).Prompt);
            PromptEmbeds embedding = encoder.Encode(PromptChunks.Of(tokens), opened.Options, cancellationToken);
            embeddings[index] = embedding;
            if (index == request.Seeds) break;
            Report(opened.Package.Manifest.PartPrecisions, "text encoders", index);
            results.HiddenL.Add(embedding.Columns(0, sizes.ClipLWidth));
            results.HiddenG.Add(embedding.Columns(sizes.ClipLWidth, sizes.ClipGWidth));
            results.Pooled.Add(embedding.Pooled);
        }

        encoder.Release();
        return embeddings;
    }

    private List<float[]> NoiseLatents(int channels)
    {
        List<float[]> latents = [];
        for (int index = 0; index < request.Seeds; index++)
        {
            latents.Add(new float[channels * _height * _width]);
            new TorchCpuNoise(SeedOf(index)).Fill(latents[^1]);
        }

        return latents;
    }

    // Adds noise to the latents and scales the sum, which gives the denoiser's input at that sigma.
    private static float[] Noisy(float[] latents, float sigma, int index, float dataVariance)
    {
        float[] noisy = new float[latents.Length];
        new TorchCpuNoise(SeedOf(index)).Fill(noisy);
        TensorPrimitives.MultiplyAdd(noisy, sigma, latents, noisy);
        Prediction.ScaleInput(noisy, sigma, noisy, dataVariance);
        return noisy;
    }

    private void Report(Precisions precisions, string part, int index) =>
        progress?.Report(Invariant($"{precisions}: {part} {index + 1} of {request.Seeds}"));

    /// <summary>The inputs of the parts, equal for both arithmetics.</summary>
    /// <param name="Embeddings">The embedding of each prompt, then that of the negative prompt.</param>
    /// <param name="Latents">[4, h, w] for each seed: final latents, or noise.</param>
    private sealed record Inputs(IReadOnlyList<PromptEmbeds> Embeddings, IReadOnlyList<float[]> Latents);

    private sealed class Results
    {
        public List<float[]> HiddenL { get; } = [];

        public List<float[]> HiddenG { get; } = [];

        public List<float[]> Pooled { get; } = [];

        public List<float[]> Predictions { get; } = [];

        public List<float[]> Images { get; } = [];
    }

    private sealed class LoadNotice(IProgress<string>? progress, Precisions precisions) : IProgress<LoadProgress>
    {
        private string? _phase;

        public void Report(LoadProgress value)
        {
            if (value.Phase == _phase) return;
            _phase = value.Phase;
            progress?.Report($"{precisions}: {value.Phase}");
        }
    }
}
