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

    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(5);

    private readonly AtelierOptions _options;
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly PromptEncoder _prompts;
    private readonly VaeDecoder _decoder;
    private readonly ModelSizes _sizes;
    private readonly long _budget;
    private readonly DeviceMemoryWatch? _watch;
    private DenoisingNetwork? _network;
    private ResidencyPlan? _plan;

    private PictureEngine(ModelPackage package, ExecutionDevice device, AtelierOptions options)
    {
        (_package, _device, _options) = (package, device, options);
        _watch = options.WatchMemory ? new DeviceMemoryWatch(device, WatchInterval) : null;
        _sessions = new SessionPool(package, device);
        _prompts = new PromptEncoder(package, _sessions, device);
        _decoder = new VaeDecoder(package, _sessions, device);
        PackageManifest manifest = package.Manifest;
        _sizes = ModelSizes.Of(manifest);
        // What the process holds already is its own to plan with. Asked once: what is free changes with every picture.
        _budget = options.Backend.Profile.MapsWeights
            ? options.MemoryBudget ?? long.MaxValue
            : options.VideoMemoryBudget ?? ResidencyPlanner.DefaultBudget(device.FreeBytes() + (device.ProcessBytes() ?? 0) ?? long.MaxValue);
        Model = new ModelInfo(manifest.Checkpoint.Name, manifest.Checkpoint.Sha256, package.Folder)
        {
            Title = manifest.Checkpoint.Title,
            License = manifest.Checkpoint.License,
            Parameters = manifest.Model.Parameters,
        };
    }

    public ModelInfo Model { get; }

    public string Device => _device.Description;

    public string RuntimeVersion { get; } = OrtEnv.Instance().GetVersionString();

    public static PictureEngine Open(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // A third of a second, most of it compilation, that the first picture should not wait for.
        _ = Task.Run(() => ClipTokenizer.Shared, CancellationToken.None);
        ModelPackage package = ModelPackage.OpenFor(model, options, progress, cancellationToken);
        PictureEngine? engine = null;
        try
        {
            engine = new PictureEngine(package, options.Backend.Open(package, options), options);
            engine.Preload();
            return engine;
        }
        catch
        {
            if (engine is null) package.Dispose();
            else engine.Dispose();
            throw;
        }
    }

    /// <summary>The plan of a picture, from sizes alone: nothing is exported, opened or loaded.</summary>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        DeviceProfile device = options.Backend.Profile;
        ModelSizes sizes = ModelSizes.Read(PackageCache.Find(model, options) ?? model, options.Backend.Lowering, options.Precisions);
        long budget = device.MapsWeights ? options.MemoryBudget ?? long.MaxValue : options.VideoMemoryBudget ?? ResidencyRequest.DefaultBudget;
        return ResidencyPlanner.Plan(sizes, Wanted(request, options, budget), device);
    }

    public Picture Paint(PictureRequest request, IProgress<GenerationProgress>? progress, long start, CancellationToken cancellationToken)
    {
        ResidencyPlan plan = Plan(request, _budget);
        _watch?.Reset();
        try
        {
            return Paint(request, plan, [], progress, start, cancellationToken);
        }
        catch (DeviceMemoryException exception) when (Shrink(request, plan) is { } smaller)
        {
            // Another program took memory meanwhile. The next picture is planned as ever.
            string notice = string.Create(CultureInfo.InvariantCulture, $"The device's memory ran out ({exception.Found}); painted within {ByteSize.Format(smaller.Request.Budget)}.");
            return Paint(request, smaller, [notice], progress, start, cancellationToken);
        }
        finally
        {
            // A picture that was stopped leaves what nobody waits for any more.
            _sessions.Rest();
        }
    }

    private Picture Paint(PictureRequest request, ResidencyPlan plan, List<string> notices, IProgress<GenerationProgress>? progress, long start, CancellationToken cancellationToken)
    {
        // 1. One run option for the picture: terminating it stops a run in the middle of a step.
        using RunOptions options = _device.CreateRunOptions();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        int height = request.Height / VaeDecoder.Zoom, width = request.Width / VaeDecoder.Zoom;
        bool guided = request.GuidanceScale > 1;
        int latents = _package.Manifest.Model.LatentChannels * height * width;
        var memory = new List<PhaseMemory>();

        // 2. Encode the prompts.
        long begin = Stopwatch.GetTimestamp();
        Report(GenerationPhase.Encoding, 0, null);
        PromptEmbedding prompt = Encode(request.Prompt, "prompt", notices, options, cancellationToken);
        PromptEmbedding[] rows = guided ? [EncodeNegative(request, prompt, notices, options, cancellationToken), prompt] : [prompt];

        Leave(PlanPhase.Text);

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
        Leave(PlanPhase.Conditioning);
        TimeSpan text = Stopwatch.GetElapsedTime(begin);

        // 4. Denoise.
        begin = Stopwatch.GetTimestamp();
        NoiseStreams streams = NoiseStreams.Create(request.NoiseSource, request.Seed);
        using NativeBuffer state = _device.AllocateHost(latents * sizeof(float)), noise = _device.AllocateHost(latents * sizeof(float));
        var sampler = new EulerAncestralSampler(schedule);
        streams.Start.Fill(noise.AsSpan<float>());
        noise.AsSpan<float>().CopyTo(state.AsSpan<float>());
        sampler.ScaleInitialNoiseInPlace(state.AsSpan<float>());
        var hashes = new StepHashes(request.Steps);
        hashes.Take(0, noise.AsSpan<float>(), state.AsSpan<float>());
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
            // Drawn while the device is at work: it depends on nothing that the device computes.
            if (sampler.AddsNoise(step)) streams.Steps.Fill(noise.AsSpan<float>());
            _network.Await();
            Span<float> prediction = output[^latents..];
            if (guided) EulerAncestralSampler.Guide(output[..latents], prediction, request.GuidanceScale, prediction);
            if (previewPixels is not null)
            {
                // The picture that this prediction amounts to shows more than latents that are still full of noise; the input has served.
                sampler.Denoise(x, prediction, step, input[..latents]);
                LatentPreviewer.Paint(input[..latents], previewPixels);
            }

            Span<float> added = sampler.AddsNoise(step) ? noise.AsSpan<float>() : [];
            sampler.Step(x, prediction, added, step);
            hashes.Take(step + 1, added, x);
            managedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            steps[step] = Stopwatch.GetElapsedTime(stepBegin);
            Report(GenerationPhase.Denoising, step + 1, preview);
        }

        Leave(PlanPhase.Denoising);
        TimeSpan denoising = Stopwatch.GetElapsedTime(begin);

        // 5. Decode.
        begin = Stopwatch.GetTimestamp();
        _sessions.Rest();
        Report(GenerationPhase.Decoding, request.Steps, null);
        float[] final = state.AsSpan<float>().ToArray();
        (byte[] pixels, bool inFp32, TimeSpan finishing) = _decoder.Decode(final, height, width, plan, request.Frame, options, cancellationToken);
        if (TakesTurns(plan, ComponentNames.VaeDecoder)) _decoder.Release();
        if (inFp32) notices.Add("The decoder overflowed in fp16; this picture was decoded in fp32.");
        (int canvasWidth, int canvasHeight) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
        Leave(PlanPhase.Decoding);
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
            Timings = new PictureTimings(text, denoising, decoding) { Steps = steps, Finishing = finishing, DenoisingManagedBytes = managedBytes },
            Memory = new PictureMemory(plan, memory, _watch is null ? null : _device.ArenaCounter?.Read()?.MostInUse),
            Latents = final,
            Provenance = new PictureProvenance
            {
                Engine = PictureProvenance.CurrentEngine,
                Runtime = PictureProvenance.CurrentRuntime,
                Device = Device,
                Plan = $"{plan.Offload}, {ByteSize.Format(plan.PeakBytes)}",
                DecodedInTiles = !plan.Decoding.IsWhole,
                GraphsSha256 = _package.GraphsSha256,
                StepHashes = hashes.All,
            },
            DecodedInFp32 = inFp32,
        };

        void Leave(PlanPhase phase)
        {
            memory.Add(new PhaseMemory(phase, plan.Phases.First(planned => planned.Phase == phase).Bytes, _watch?.PeakBytes, _watch?.ArenaPeakBytes));
            _watch?.Reset();
        }

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
        _watch?.Dispose();
        _device.Dispose();
        _package.Dispose();
    }

    private static ResidencyRequest Wanted(PictureRequest request, AtelierOptions options, long budget) => new()
    {
        Budget = budget,
        Width = request.Width,
        Height = request.Height,
        Steps = request.Steps,
        Guided = request.GuidanceScale > 1,
        Offload = options.Offload,
        VaeTiling = options.VaeTiling,
        Frame = request.Frame,
    };

    // Whether a picture can be painted within the budget is known before anything of it is loaded.
    private ResidencyPlan Plan(PictureRequest request, long budget)
    {
        ResidencyRequest wanted = Wanted(request, _options, budget);
        if (_plan?.Request == wanted) return _plan;
        ResidencyPlan plan = ResidencyPlanner.Plan(_sizes, wanted, _options.Backend.Profile);
        Follow(plan);
        return _plan = plan;
    }

    // A plan that takes a quarter less than one that ran out of memory, with everything released that was loaded for that; null where there is none.
    private ResidencyPlan? Shrink(PictureRequest request, ResidencyPlan plan)
    {
        _network?.Dispose();
        _network = null;
        _prompts.Release();
        _decoder.Release();
        foreach (ComponentSpec component in _package.Manifest.Components) _sessions.Release(component);
        try
        {
            return Plan(request, plan.PeakBytes / 4 * 3);
        }
        catch (BudgetTooSmallException)
        {
            return null;
        }
    }

    // What is loaded before the first picture is what one of the usual size needs.
    private void Preload()
    {
        if (_device.SessionThreads == 0) return;
        try
        {
            ResidencyPlan plan = Plan(new PictureRequest { Prompt = "" }, _budget);
            _sessions.Preload([.. PictureComponents.Where(name => !TakesTurns(plan, name)).Select(_package.Manifest.Component)], plan.MakesSessionsInParallel);
        }
        catch (BudgetTooSmallException)
        {
            // A smaller picture may fit.
        }
    }

    private void Follow(ResidencyPlan plan)
    {
        ComponentSpec unet = _package.Manifest.Component(ComponentNames.UNet);
        bool turns = TakesTurns(plan, ComponentNames.UNet), windowsChange = _plan is not null && (_plan.WindowBytes, _plan.PreparingWindowBytes) != (plan.WindowBytes, plan.PreparingWindowBytes);
        foreach (ComponentPlan component in plan.Components)
        {
            ComponentSpec spec = _package.Manifest.Component(component.Name);
            ComponentPlan? planned = _plan?.Components.FirstOrDefault(former => former.Name == component.Name);
            List<WeightPlacement> places = [.. component.Stages.Select(PlacementOf)], before = planned is null ? [.. places.Select(_ => WeightPlacement.Resident)] : [.. planned.Stages.Select(PlacementOf)];
            bool moves = !places.SequenceEqual(before), isAffected = moves || (windowsChange && component.Stages.Any(stage => stage.Placement is StagePlacement.Streamed or StagePlacement.Staged));
            if (!isAffected && (component.Name != ComponentNames.UNet || turns == _sessions.Turns(unet) is not null)) continue;

            // Bindings know where weights lie and which sessions they belong to.
            if (component.Name is ComponentNames.ClipL or ComponentNames.ClipG)
            {
                _prompts.Release();
            }
            else if (component.Name == ComponentNames.VaeDecoder)
            {
                _decoder.Release();
            }
            else
            {
                _network?.Dispose();
                _network = null;
            }

            _sessions.Release(spec);
            if (moves) _sessions.Place(spec, places);
        }

        _sessions.LetTakeTurns(unet, turns);
        _sessions.EmptiesArena = !plan.KeepsArena;
        _sessions.EmptiesOwnArenas = !plan.KeepsDecodingArena;
        _sessions.MayCapture = plan.CapturesSteps;
        _device.ReserveWindows(plan.PreparingWindowBytes, plan.WindowBytes);
    }

    private static WeightPlacement PlacementOf(StagePlan stage) => stage.Placement switch
    {
        StagePlacement.Lent => WeightPlacement.Lent,
        StagePlacement.Streamed => WeightPlacement.Streamed,
        StagePlacement.Staged => WeightPlacement.Staged,
        _ => WeightPlacement.Resident,
    };

    private static bool TakesTurns(ResidencyPlan plan, string component) => plan.Component(component).Count(StagePlacement.SessionTurn) > 0;

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
