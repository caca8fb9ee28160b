using System.Numerics.Tensors;
using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Checking;

/// <summary>
/// One comparison: runs the engine's own parts on the inputs of the reference. Like the engine, it must stay on one thread.
/// </summary>
internal sealed class ReferenceRun : IDisposable
{
    // In latents.
    private const int LargestSide = RequestRules.LargestSide / LatentGeometry.VaeScaleFactor;

    private readonly ReferenceValues _values;
    private readonly OpenedModel _model;
    private readonly AllowedErrors _allowed;
    private readonly bool _tiled;
    private readonly IProgress<string>? _progress;
    private readonly CancellationToken _cancellationToken;
    private readonly List<ReferencePart> _parts = [];
    private readonly List<string> _leftOut = [];

    private ReferenceRun(
        OpenedModel model, ReferenceValues values, bool tiled, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        _model = model;
        _values = values;
        _tiled = tiled;
        _progress = progress;
        _cancellationToken = cancellationToken;
        _allowed = AllowedErrors.For(model.Package.Manifest.Lowering);
    }

    private ModelSpec Model => _model.Model;

    private RunOptions Options => _model.Options;

    public static ReferenceRun Open(
        string model, ReferenceValues values, AtelierOptions options, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        progress?.Report("opening the model");
        OpenedModel opened = OpenedModel.Open(model, options, null, cancellationToken);
        return new ReferenceRun(opened, values, options.VaeTiling == VaeTiling.Tiled, progress, cancellationToken);
    }

    public ReferenceReport Compare()
    {
        new ReferenceRules(_values, Model).Check();
        CompareIds();
        CompareTexts();
        ComparePredictions();
        CompareDecodings();
        CompareEncodings();
        CompareRun();
        return new ReferenceReport(_parts, _leftOut);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    private void CompareIds()
    {
        if (_values.Notes is not { Prompts.Count: > 0 } notes)
        {
            string file = Path.GetFileName(Path.ChangeExtension(_values.Path, ".json"));
            _leftOut.Add($"Token ids: no prompts in {file} beside the reference values");
            return;
        }

        var deviation = new Deviation();
        for (int i = 0; i < notes.Prompts.Count; i++)
        {
            PromptTokens tokens = PromptTokenizer.Encode(notes.Prompts[i]);
            deviation.Add(Numbers(tokens.ClipL.Span), Numbers(notes.IdsL[i]));
            deviation.Add(Numbers(tokens.ClipG.Span), Numbers(notes.IdsG[i]));
        }

        Add("Token ids", deviation, 0);
    }

    private void CompareTexts()
    {
        using var encoder = new TextConditioner(_model.Package, _model.Sessions, _model.Device);
        (string Name, Deviation Deviation, bool Found)[] parts =
        [
            ("CLIP-L hidden", new Deviation(), false),
            ("CLIP-G hidden", new Deviation(), false),
            ("CLIP-G pooled", new Deviation(), false),
        ];
        int widthL = Model.ClipLWidth;
        int widthG = Model.ClipGWidth;
        foreach (TextCase text in _values.Texts())
        {
            Report("text encoders");
            PromptEmbeds embedding = encoder.Encode(new PromptChunks(text.IdsL, text.IdsG), Options, _cancellationToken);
            Compare(0, embedding.Columns(0, widthL), text.HiddenL);
            Compare(1, embedding.Columns(widthL, widthG), text.HiddenG);
            Compare(2, embedding.Pooled, text.Pooled);
        }

        encoder.Release();
        foreach ((string name, Deviation deviation, bool found) in parts)
        {
            if (found) Add(name, deviation, _allowed.Text);
            else _leftOut.Add($"{name}: no text of known ids and values");
        }

        void Compare(int part, float[] ours, float[]? reference)
        {
            if (reference is null) return;
            if (reference.Length != ours.Length)
            {
                string expected = Invariant($"[{ours.Length}] for each text");
                throw new ReferenceShapeException(_values.Path, $"the values of {parts[part].Name}", [reference.Length], expected);
            }

            parts[part].Deviation.Add(ours, reference);
            parts[part].Found = true;
        }
    }

    private void ComparePredictions()
    {
        if (Model.IsInpainting)
        {
            _leftOut.Add("UNet: an inpainting model also reads a mask and a masked picture");
            return;
        }

        int before = _parts.Count;
        foreach (UNetCase call in _values.UNetCalls())
        {
            (int batch, int height, int width) = LatentShape(call.Latents, anyBatch: true);
            string name = $"UNet {Pixels(height, width)}";
            Report(name);
            _values.Expect(call.Noise, batch, Model.LatentChannels, height, width);
            PromptEmbeds[] rows = Embeddings(call.Context, call.Pooled, batch);
            float[] timeIds = TimeIds(call.TimeIds, batch);
            float timestep = Timestep(call.Timestep);
            ReadOnlySpan<float> ours = _model.Predict(
                rows, timeIds, timestep, height, width, input => _values.Read(call.Latents, 0, input));
            Add(name, Deviation.Of(ours, _values.Floats(call.Noise)), _allowed.UNet);
        }

        if (_parts.Count == before) _leftOut.Add("UNet: no prediction with all that it was made from");
    }

    private void CompareDecodings()
    {
        _model.FreeDenoiser();
        int before = _parts.Count;
        foreach ((string latent, string image) in _values.Decodings())
        {
            (_, int height, int width) = LatentShape(latent);
            _values.Expect(image, 1, 3, height * LatentGeometry.VaeScaleFactor, width * LatentGeometry.VaeScaleFactor);
            string name = $"VAE decode {Pixels(height, width)}";
            Report(name);
            float[] ours = new float[3 * height * LatentGeometry.VaeScaleFactor * width * LatentGeometry.VaeScaleFactor];
            _model.Decoder.Decode(_values.Floats(latent), height, width, _tiled, ours, Options, _cancellationToken);
            Add(name, Deviation.Of(ours, _values.Floats(image)), _allowed.Vae);
        }

        if (_parts.Count == before) _leftOut.Add("VAE decode: no latents with their picture");
        _model.Decoder.Release();
    }

    private void CompareEncodings()
    {
        int before = _parts.Count;
        var encoder = new VaeEncoder(_model.Package, _model.Sessions, _model.Device);
        foreach ((string image, string mean) in _values.Encodings())
        {
            (_, int height, int width) = LatentShape(mean);
            _values.Expect(image, 1, 3, height * LatentGeometry.VaeScaleFactor, width * LatentGeometry.VaeScaleFactor);
            string name = $"VAE encode {Pixels(height, width)}";
            Report(name);
            float[] ours = new float[Model.LatentChannels * height * width];
            encoder.Encode(_values.Floats(image), height, width, ours, Options, _cancellationToken);
            TensorPrimitives.Multiply(ours, Model.LatentScale, ours);
            Add(name, Deviation.Of(ours, _values.Floats(mean)), _allowed.Vae);
        }

        if (_parts.Count == before) _leftOut.Add("VAE encode: no picture with its latents");
    }

    private void CompareRun()
    {
        if (Model.IsInpainting)
        {
            _leftOut.Add("Run: an inpainting model also reads a mask and a masked picture");
            return;
        }

        if (_values.Run() is not { } run)
        {
            _leftOut.Add("Run: no start, noise, conditioning and latents of a whole run");
            return;
        }

        (_, int height, int width) = LatentShape("run.x0");
        IReadOnlyList<long> shape = _values.Shape("run.latents");
        if (shape is not [>= 1 and <= RequestRules.MostSteps, ..])
            throw new ReferenceShapeException(_values.Path, "run.latents", shape, $"1 to {RequestRules.MostSteps} steps");
        int steps = (int)shape[0];
        int count = Model.LatentChannels * height * width;
        _values.Expect("run.latents", steps, 1, Model.LatentChannels, height, width);
        _values.Expect("run.step_noise", steps, 1, Model.LatentChannels, height, width);
        float[] latents = Denoise(run, steps, height, width);
        _model.FreeDenoiser();
        float[] reference = new float[count];
        _values.Read("run.latents", (steps - 1L) * count, reference);
        Add(Invariant($"Latents after {steps} steps"), Deviation.Of(latents, reference), _allowed.Run);
        if (run.HasImage) ComparePicture(latents, height, width);
        else _leftOut.Add("Picture: no image of the run");
    }

    // Runs the loop that paints pictures, with recorded noise instead of a generator's.
    private float[] Denoise(RunCase run, int steps, int height, int width)
    {
        var request = new PictureRequest { Prompt = "", Steps = steps, GuidanceScale = run.GuidanceScale };
        SamplingRecipe recipe = SamplingRecipe.Of(request, TrainedSchedule.Of(Model), SamplerCatalog.BuiltIn);
        Denoiser denoiser = _model.DenoiserFor(2, height, width);
        PromptEmbeds[] rows = Embeddings(run.Context, run.Pooled, 2);
        denoiser.Prepare(rows, TimeIds(run.TimeIds, 2), recipe.Timesteps(), Options, _cancellationToken);
        var noise = new PictureNoise(
            new RecordedStart(_values, "run.x0", recipe.InitialNoiseScale),
            new RecordedNoise(_values, "run.step_noise"));
        using var loop = new DenoisingLoop(
            recipe, [noise], BatchSlot.Alone, denoiser, DenoisingInputs.FromNoise, null, _model.Device.AllocateHost);
        Report(Invariant($"run, step 1 of {steps}"));
        loop.Run(Options, ReportNext, _cancellationToken);
        return loop.Latents(0).ToArray();

        void ReportNext(int finished)
        {
            if (finished < steps) Report(Invariant($"run, step {finished + 1} of {steps}"));
        }
    }

    private void ComparePicture(float[] latents, int height, int width)
    {
        _values.Expect("run.image", 1, 3, height * LatentGeometry.VaeScaleFactor, width * LatentGeometry.VaeScaleFactor);
        string name = $"Picture {Pixels(height, width)}";
        Report(name);
        var deviation = new Deviation();
        try
        {
            float[] source = LatentFormat.Of(Model, Model.Prediction)?.ToSdxl(latents) ?? latents;
            VaeOutput output = _model.Decoder.Decode(source, height, width, _tiled, frame: null, Options, _cancellationToken);
            using MemoryOwner<byte> pixels = output.Pixels;
            deviation.AddPicture(pixels.Span, _values.Floats("run.image"));
        }
        catch (DecodingException)
        {
            // A picture that is not finite is a result of the comparison: its deviation stays NaN.
        }

        _parts.Add(new ReferencePart(name, deviation.Relative, _allowed.Picture)
        {
            Psnr = deviation.Psnr,
            RequiredPsnr = _allowed.Psnr,
        });
    }

    private (int Batch, int Height, int Width) LatentShape(string name, bool anyBatch = false)
    {
        IReadOnlyList<long> shape = _values.Shape(name);
        bool fits = shape.Count == 4
            && (anyBatch ? shape[0] is 1 or 2 : shape[0] == 1)
            && shape[1] == Model.LatentChannels
            && shape[2] is > 0 and <= LargestSide
            && shape[3] is > 0 and <= LargestSide;
        if (fits) return ((int)shape[0], (int)shape[2], (int)shape[3]);
        string batch = anyBatch ? "1 or 2" : "1";
        string expected = Invariant($"[{batch}, {Model.LatentChannels}, height, width], up to {LargestSide} a side");
        throw new ReferenceShapeException(_values.Path, name, shape, expected);
    }

    private PromptEmbeds[] Embeddings(string context, string pooled, int rows)
    {
        int width = Model.TextLength * (Model.ClipLWidth + Model.ClipGWidth);
        _values.Expect(context, rows, Model.TextLength, Model.ClipLWidth + Model.ClipGWidth);
        _values.Expect(pooled, rows, Model.PooledWidth);
        var embeddings = new PromptEmbeds[rows];
        for (int row = 0; row < rows; row++)
        {
            embeddings[row] = new PromptEmbeds(Model.TextLength, new float[width], new float[Model.PooledWidth]);
            _values.Read(context, (long)row * width, embeddings[row].Hidden);
            _values.Read(pooled, (long)row * Model.PooledWidth, embeddings[row].Pooled);
        }

        return embeddings;
    }

    // All rows must have equal sizes, because the engine gives every row the same ones.
    private float[] TimeIds(string name, int rows)
    {
        const int count = 6;
        _values.Expect(name, rows, count);
        float[] ids = _values.Floats(name);
        for (int row = 1; row < rows; row++)
        {
            if (!ids.AsSpan(0, count).SequenceEqual(ids.AsSpan(row * count, count)))
                throw new ReferenceShapeException(_values.Path, name, _values.Shape(name), "the same six numbers in every row");
        }

        return ids[..count];
    }

    private float Timestep(string name)
    {
        float[] timestep = new float[1];
        _values.Read(name, 0, timestep);
        return timestep[0];
    }

    private void Add(string name, Deviation deviation, double allowed) =>
        _parts.Add(new ReferencePart(name, deviation.Relative, allowed));

    private void Report(string part) => _progress?.Report(part);

    private static float[] Numbers(ReadOnlySpan<int> ids)
    {
        float[] numbers = new float[ids.Length];
        for (int i = 0; i < ids.Length; i++) numbers[i] = ids[i];
        return numbers;
    }

    private static string Pixels(int height, int width) =>
        Invariant($"{width * LatentGeometry.VaeScaleFactor}x{height * LatentGeometry.VaeScaleFactor}");
}
