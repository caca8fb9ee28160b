using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Decoding;
using MuseAtelier.Diffusion;
using MuseAtelier.Packages;
using MuseAtelier.Prompting;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>The way from a request to a picture. Lives on the engine's thread.</summary>
internal sealed class PictureEngine : IDisposable
{
    /// <summary>What a picture needs, in the order in which it does.</summary>
    private static readonly string[] PictureComponents =
    [
        ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding, ComponentNames.UNet, ComponentNames.VaeDecoder, ComponentNames.Finishing,
    ];

    private readonly AtelierOptions _options;
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly PromptEncoder _prompts;
    private readonly VaeDecoder _decoder;
    private DenoisingNetwork? _network;

    private PictureEngine(ModelPackage package, ExecutionDevice device, AtelierOptions options)
    {
        (_package, _device, _options) = (package, device, options);
        _sessions = new SessionPool(package, device);
        _prompts = new PromptEncoder(package, _sessions, device);
        _decoder = new VaeDecoder(package, _sessions, device);
        PackageManifest manifest = package.Manifest;
        Model = new ModelInfo(manifest.Checkpoint.Name, manifest.Checkpoint.Sha256, package.Folder)
        {
            Title = manifest.Checkpoint.Title,
            License = manifest.Checkpoint.License,
            Parameters = manifest.Model.Parameters,
        };
    }

    public ModelInfo Model { get; }

    public string Device => _device.Description;

    public static PictureEngine Open(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        ModelPackage package = ModelPackage.OpenFor(model, options, progress, cancellationToken);
        PictureEngine? engine = null;
        try
        {
            engine = new PictureEngine(package, options.Backend.Open(package, options), options);
            engine._sessions.Preload([.. PictureComponents.Select(package.Manifest.Component)]);
            return engine;
        }
        catch
        {
            if (engine is null) package.Dispose();
            else engine.Dispose();
            throw;
        }
    }

    public Picture Paint(PictureRequest request, IProgress<GenerationProgress>? progress, long start, CancellationToken cancellationToken)
    {
        // 1. One run option for the picture: terminating it stops a run in the middle of a step.
        using RunOptions options = _device.CreateRunOptions();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        int height = request.Height / VaeDecoder.Zoom, width = request.Width / VaeDecoder.Zoom;
        bool guided = request.GuidanceScale > 1;
        int latents = _package.Manifest.Model.LatentChannels * height * width;

        // 2. Encode the prompts.
        long begin = Stopwatch.GetTimestamp();
        Report(GenerationPhase.Encoding, 0, null);
        var notices = new List<string>();
        PromptEmbedding prompt = Encode(request.Prompt, "prompt", notices, options, cancellationToken);
        PromptEmbedding[] rows = guided ? [EncodeNegative(request, prompt, notices, options, cancellationToken), prompt] : [prompt];

        // 3. What the network needs once per picture.
        var schedule = new SigmaSchedule(request.Schedule, request.Steps);
        var shape = new PictureShape(rows.Length, height, width, 1);
        if (_network?.Shape != shape)
        {
            _network?.Dispose();
            _network = null;
            _network = new DenoisingNetwork(_package, shape, _sessions, _device);
        }

        MicroConditioning conditioning = request.Conditioning ?? new MicroConditioning(request.Width, request.Height, 0, 0, request.Width, request.Height);
        float[] timeIds = [conditioning.OriginalHeight, conditioning.OriginalWidth, conditioning.CropTop, conditioning.CropLeft, conditioning.TargetHeight, conditioning.TargetWidth];
        _network.Prepare(rows, timeIds, schedule.Timesteps, options, cancellationToken);
        TimeSpan text = Stopwatch.GetElapsedTime(begin);

        // 4. Denoise.
        begin = Stopwatch.GetTimestamp();
        NoiseStreams streams = NoiseStreams.Create(request.NoiseSource, request.Seed);
        using NativeBuffer state = _device.AllocateHost(latents * sizeof(float)), noise = _device.AllocateHost(latents * sizeof(float));
        var sampler = new EulerAncestralSampler(schedule);
        streams.Start.Fill(state.AsSpan<float>());
        sampler.ScaleInitialNoiseInPlace(state.AsSpan<float>());
        byte[]? previewPixels = _options.Previews ? new byte[height * width * 3] : null;
        LatentPreview? preview = previewPixels is null ? null : new LatentPreview(width, height, previewPixels);
        var steps = new TimeSpan[request.Steps];
        long managedBytes = 0;
        for (int step = 0; step < request.Steps; step++)
        {
            long stepBegin = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            cancellationToken.ThrowIfCancellationRequested();
            Span<float> x = state.AsSpan<float>(), input = _network.Input, output = _network.Output;
            EulerAncestralSampler.ScaleInput(x, schedule.Sigmas[step], input[..latents]);
            if (guided) input[..latents].CopyTo(input[latents..]);
            _network.Predict(step, options, cancellationToken);
            Span<float> prediction = output[^latents..];
            if (guided) EulerAncestralSampler.Guide(output[..latents], prediction, request.GuidanceScale, prediction);
            if (previewPixels is not null)
            {
                // The picture that this prediction amounts to shows more than latents that are still full of noise; the input has served.
                sampler.Denoise(x, prediction, step, input[..latents]);
                LatentPreviewer.Paint(input[..latents], previewPixels);
            }

            if (sampler.AddsNoise(step)) streams.Steps.Fill(noise.AsSpan<float>());
            sampler.Step(x, prediction, noise.AsSpan<float>(), step);
            managedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            steps[step] = Stopwatch.GetElapsedTime(stepBegin);
            Report(GenerationPhase.Denoising, step + 1, preview);
        }

        TimeSpan denoising = Stopwatch.GetElapsedTime(begin);

        // 5. Decode.
        begin = Stopwatch.GetTimestamp();
        Report(GenerationPhase.Decoding, request.Steps, null);
        float[] final = state.AsSpan<float>().ToArray();
        (byte[] pixels, bool inFp32) = _decoder.Decode(final, height, width, _options.VaeTiling == VaeTiling.Tiled, request.Frame, options, cancellationToken);
        if (inFp32) notices.Add("The decoder overflowed in fp16; this picture was decoded in fp32.");
        (int canvasWidth, int canvasHeight) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
        TimeSpan decoding = Stopwatch.GetElapsedTime(begin);
        Report(GenerationPhase.Done, request.Steps, null);
        return new Picture
        {
            Width = canvasWidth,
            Height = canvasHeight,
            Pixels = pixels,
            Request = request,
            Model = Model,
            Notices = notices,
            Timings = new PictureTimings(text, denoising, decoding) { Steps = steps, DenoisingManagedBytes = managedBytes },
            Latents = final,
            DecodedInFp32 = inFp32,
        };

        void Report(GenerationPhase phase, int step, LatentPreview? preview) =>
            progress?.Report(new GenerationProgress(phase, step, request.Steps, Stopwatch.GetElapsedTime(start), preview));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network?.Dispose();
        _prompts.Dispose();
        _decoder.Dispose();
        _sessions.Dispose();
        _device.Dispose();
        _package.Dispose();
    }

    private PromptEmbedding EncodeNegative(PictureRequest request, PromptEmbedding prompt, List<string> notices, RunOptions options, CancellationToken cancellationToken) =>
        request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros
            ? new PromptEmbedding(new float[prompt.Context.Length], new float[prompt.Pooled.Length])
            : Encode(request.NegativePrompt, "negative prompt", notices, options, cancellationToken);

    private PromptEmbedding Encode(string text, string name, List<string> notices, RunOptions options, CancellationToken cancellationToken)
    {
        PromptTokens tokens = PromptTokenizer.Encode(text);
        if (tokens.CutCount > 0)
            notices.Add(string.Create(CultureInfo.InvariantCulture, $"The {name} has {tokens.CutCount} tokens more than the 75 that the model reads; cut off: {Shorten(tokens.CutText)}"));
        return _prompts.Encode(tokens, text, options, cancellationToken);
    }

    private static string Shorten(string text)
    {
        const int shown = 120;
        return text.Length <= shown ? text : string.Concat(text.AsSpan(0, shown), "…");
    }
}
