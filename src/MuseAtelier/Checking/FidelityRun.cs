using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Decoding;
using MuseAtelier.Diffusion;
using MuseAtelier.Packages;
using MuseAtelier.Prompting;

namespace MuseAtelier.Checking;

/// <summary>
/// One fidelity report. The fp32 model comes first: what it makes of prompts, and the latents that it paints, are what every part is given, so that a
/// part's figure is its own. Lives on one thread, as the engine does.
/// </summary>
internal sealed class FidelityRun(string model, AtelierOptions options, FidelityRequest request, IProgress<string>? progress, CancellationToken cancellationToken)
{
    private const string NegativePrompt = "blurry, low quality";

    private static readonly Precisions Exact = Precisions.All(Precision.Fp32), Rounded = Precisions.All(Precision.Fp16), ExactText = Rounded with { TextEncoders = Precision.Fp32 }, RoundedText = Exact with { TextEncoders = Precision.Fp16 };

    private static readonly string[] Subjects =
    [
        "a starry night over a quiet Renaissance city, glowing yellow stars, deep blues", "a vase of sunflowers on a wooden table, warm light", "a stormy sea under a heavy sky, breaking waves",
        "a cathedral at dawn, stained glass, gilded domes", "cypresses on a hill, swirling clouds", "snowy mountains above a green valley", "a blue vase with white flowers", "a crescent moon over a calm sea",
    ];

    private static readonly string[] Manners = ["oil painting", "watercolor", "fresco", "ink drawing"];

    private readonly int _height = request.Height / VaeDecoder.VaeScaleFactor, _width = request.Width / VaeDecoder.VaeScaleFactor;

    /// <summary>The picture of a seed, counted from 0.</summary>
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
        List<Picture>? exactPictures = Paint(Exact), exactText = Paint(ExactText), roundedText = Paint(RoundedText), roundedPictures = Paint(Rounded);
        Results exact, rounded;
        Given given;
        ModelInfo info;
        string device;
        using (OpenedModel opened = Open(Exact))
        {
            CheckpointSpec checkpoint = opened.Package.Manifest.Checkpoint;
            (info, device) = (new ModelInfo(checkpoint.Name, checkpoint.Sha256, opened.Package.Folder) { Parameters = opened.Model.Parameters }, opened.Device.Description);
            exact = Compute(opened, null, exactPictures, out given);
        }

        using (OpenedModel opened = Open(Rounded)) rounded = Compute(opened, given, null, out _);

        List<FidelityPart> parts =
        [
            Part("CLIP-L hidden", exact.HiddenL, rounded.HiddenL, Peak),
            Part("CLIP-G hidden", exact.HiddenG, rounded.HiddenG, Peak),
            Part("CLIP-G pooled", exact.Pooled, rounded.Pooled, Peak),
            Part("UNet prediction", exact.Predictions, rounded.Predictions, Peak),
            // From -1 to 1, as pictures have it.
            Part("VAE decode", exact.Images, rounded.Images, static _ => 2),
        ];
        if (request.WithPictures)
        {
            parts.Add(PicturePart("picture", exactText!, ExactText, exactPictures!, Exact));
            parts.Add(PicturePart("picture", roundedPictures!, Rounded, exactPictures!, Exact));
            // Whether CLIP may run in fp16: beside an exact rest, and beside one that is rounded anyway.
            parts.Add(PicturePart("picture, text encoders alone", roundedText!, RoundedText, exactPictures!, Exact));
            parts.Add(PicturePart("picture, text encoders alone", roundedPictures!, Rounded, exactText!, ExactText));
        }

        return new FidelityReport(info.Name, info.Sha256, device, Arithmetic(options.Backend.Lowering), OrtEnv.Instance().GetVersionString(), request, parts);
    }

    private static ulong SeedOf(int index) => (ulong)index + 1;

    private static string Arithmetic(Lowering lowering) => lowering == Lowering.Cuda ? "fp16 operators of the card" : "fp32 operators, what each of them hands on rounded to fp16";

    private static double Peak(float[] reference) => Math.Abs(TensorPrimitives.MaxMagnitude(reference));

    private static FidelityPart Part(string name, List<float[]> exact, List<float[]> rounded, Func<float[], double> peak) =>
        new(name, "fp16", "fp32", [.. exact.Select((reference, index) =>
        {
            var deviation = Deviation.Of(rounded[index], reference);
            return new FidelityValue(SeedOf(index), deviation.PsnrAt(peak(reference)), deviation.Relative);
        })]);

    private static FidelityPart PicturePart(string name, List<Picture> pictures, Precisions compared, List<Picture> references, Precisions reference) =>
        new(name, compared.ToString(), reference.ToString(), [.. pictures.Select((picture, index) =>
        {
            ReadOnlySpan<byte> ours = picture.Pixels.Span, theirs = references[index].Pixels.Span;
            var deviation = Deviation.Of(ours, theirs);
            return new FidelityValue(SeedOf(index), deviation.Psnr, deviation.Relative) { HistogramDifference = ColourHistogram.Difference(ours, theirs), DecodedInFp32 = picture.DecodedInFp32 };
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
            Tell(precisions, "picture", index);
            engine.Paint(new PictureSeries(PictureOf(index), 1, 1), 0, pictures.Add, null, Stopwatch.GetTimestamp(), cancellationToken);
        }

        return pictures;
    }

    private OpenedModel Open(Precisions precisions)
    {
        progress?.Report($"{precisions}: opening, part by part");
        return OpenedModel.Open(model, options with { Precisions = precisions }, new LoadNotice(progress, precisions), cancellationToken);
    }

    // One part after the other, each gone before the next comes: in fp32 they are large.
    private Results Compute(OpenedModel opened, Given? known, List<Picture>? pictures, out Given given)
    {
        Precisions precisions = opened.Package.Manifest.PartPrecisions;
        var results = new Results();
        PromptEmbeds[] embeddings = Encode(opened, results);
        given = known ?? new Given(embeddings, pictures is null ? NoiseLatents(opened.Model.LatentChannels) : [.. pictures.Select(picture => picture.Latents.ToArray())]);

        var schedule = new SigmaSchedule(new NoiseSchedule(), request.Steps);
        float[] timeIds = [request.Height, request.Width, 0, 0, request.Height, request.Width];
        for (int index = 0; index < request.Seeds; index++)
        {
            Tell(precisions, "UNet prediction", index);
            // Every part of the schedule gets its turn.
            int step = (int)((long)index * request.Steps / request.Seeds);
            // Latents that are noise themselves are what the network sees of a picture that has not begun.
            float[] input = request.WithPictures ? Noisy(given.Latents[index], schedule.Sigmas[step], index) : given.Latents[index];
            PromptEmbeds[] rows = [given.Embeddings[^1], given.Embeddings[index]];
            results.Predictions.Add(opened.Predict(rows, timeIds, schedule.Timesteps[step], _height, _width, span =>
            {
                input.CopyTo(span);
                input.CopyTo(span[input.Length..]);
            }).ToArray());
        }

        opened.FreeNetwork();
        opened.Sessions.Release(opened.Package.Manifest.Component(ComponentNames.UNet));
        for (int index = 0; index < request.Seeds; index++)
        {
            Tell(precisions, "VAE decode", index);
            float[] image = new float[3 * request.Height * request.Width];
            opened.Decoder.Decode(given.Latents[index], _height, _width, options.VaeTiling == VaeTiling.Tiled, image, opened.Options, cancellationToken);
            results.Images.Add(image);
        }

        return results;
    }

    // One embedding for each seed's prompt, and the negative prompt's last.
    private PromptEmbeds[] Encode(OpenedModel opened, Results results)
    {
        using var encoder = new PromptEncoder(opened.Package, opened.Sessions, opened.Device);
        var embeddings = new PromptEmbeds[request.Seeds + 1];
        ModelSpec sizes = opened.Model;
        for (int index = 0; index <= request.Seeds; index++)
        {
            PromptTokens tokens = PromptTokenizer.Encode(index == request.Seeds ? NegativePrompt : PictureOf(index).Prompt);
            PromptEmbeds embedding = embeddings[index] = encoder.Encode(tokens.ClipL.Span, tokens.ClipG.Span, opened.Options, cancellationToken);
            if (index == request.Seeds) break;
            Tell(opened.Package.Manifest.PartPrecisions, "text encoders", index);
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
            NoiseStreams.Create(NoiseSource.Diffusers, SeedOf(index)).Start.Fill(latents[^1]);
        }

        return latents;
    }

    // What the network sees of latents under that much noise.
    private static float[] Noisy(float[] latents, float sigma, int index)
    {
        float[] noisy = new float[latents.Length];
        NoiseStreams.Create(NoiseSource.Diffusers, SeedOf(index)).Start.Fill(noisy);
        TensorPrimitives.MultiplyAdd(noisy, sigma, latents, noisy);
        EulerAncestralSampler.ScaleInput(noisy, sigma, noisy);
        return noisy;
    }

    private void Tell(Precisions precisions, string part, int index) =>
        progress?.Report(string.Create(CultureInfo.InvariantCulture, $"{precisions}: {part} {index + 1} of {request.Seeds}"));

    /// <summary>What every arithmetic is given alike.</summary>
    /// <param name="Embeddings">Each prompt's, and the negative prompt's last.</param>
    /// <param name="Latents">[4, h, w] each: finished latents, or noise.</param>
    private sealed record Given(IReadOnlyList<PromptEmbeds> Embeddings, IReadOnlyList<float[]> Latents);

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
