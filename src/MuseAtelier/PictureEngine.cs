using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Decoding;
using MuseAtelier.Diffusion;
using MuseAtelier.Packages;
using MuseAtelier.Prompting;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>The way from a request to its pictures. Lives on the engine's thread.</summary>
internal sealed class PictureEngine : IDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(5);

    private readonly AtelierOptions _options;
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly PromptEncoder _prompts;
    private readonly VaeDecoder _decoder;
    private readonly ModelSizes _sizes;
    private readonly DeviceProfile _profile;
    private readonly MemoryAllowance _allowance;
    private readonly DeviceMemoryWatch? _watch;
    private readonly string[] _standingNotices;

    /// <summary>Bytes that pictures left in arenas, and in what decodes, for the next of their kind.</summary>
    private readonly Dictionary<PictureKind, long> _kept = [];

    private Denoiser? _network;
    private ResidencyPlan? _plan;

    private PictureEngine(ModelPackage package, ExecutionDevice device, AtelierOptions options)
    {
        (_package, _device, _options) = (package, device, options);
        _sessions = new SessionPool(package, device);
        _prompts = new PromptEncoder(package, _sessions, device);
        _decoder = new VaeDecoder(package, _sessions, device);
        PackageManifest manifest = package.Manifest;
        _sizes = ModelSizes.Of(manifest);
        _profile = options.Backend.Profile.WithContext(device.ContextBytes).WithBaseline(device.BaselineBytes);
        _allowance = new MemoryAllowance(_profile.MapsWeights
            ? options.MemoryBudget ?? options.Backend.DefaultMemoryBudget()
            : options.VideoMemoryBudget ?? ResidencyPlanner.DefaultBudget(MemoryAllowance.Available(device.FreeBytes(), HeldBytes())));
        // Auto may have chosen another device than the budget was meant for.
        string[] budgetNotices = (_profile.MapsWeights ? options.VideoMemoryBudget : options.MemoryBudget) is null ? []
            : _profile.MapsWeights ? ["A processor paints: the budget of video memory is without effect."] : ["A card paints: the budget of the processor's memory is without effect."];
        _standingNotices = [.. budgetNotices, .. device.Notices];
        Model = new ModelInfo(manifest.Checkpoint.Name, manifest.Checkpoint.Sha256, package.Folder)
        {
            Title = manifest.Checkpoint.Title,
            License = manifest.Checkpoint.License,
            Parameters = manifest.Model.Parameters,
        };
        // Last: it has a thread, which nobody would end where anything above fails.
        _watch = options.WatchMemory ? new DeviceMemoryWatch(device, WatchInterval) : null;
    }

    public ModelInfo Model { get; }

    public string Device => _device.Description;

    public string RuntimeVersion { get; } = OrtEnv.Instance().GetVersionString();

    public static PictureEngine Open(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // A third of a second, most of it compilation, that the first picture should not wait for.
        _ = Task.Run(() => ClipTokenizer.Shared, CancellationToken.None);
        ModelPackage package = ModelPackage.OpenFor(model, options, progress, cancellationToken);
        ExecutionDevice? device = null;
        PictureEngine? engine = null;
        try
        {
            device = options.Backend.Open(package, options, cancellationToken);
            using DeviceLease lease = device.Enter(cancellationToken);
            engine = new PictureEngine(package, device, options);
            engine.Preload();
            return engine;
        }
        catch
        {
            if (engine is not null)
            {
                engine.Dispose();
            }
            else
            {
                device?.Dispose();
                package.Dispose();
            }

            throw;
        }
    }

    /// <summary>The plan of a picture, from sizes alone: nothing is exported, opened or loaded.</summary>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        DeviceProfile device = options.Backend.Profile;
        ModelSizes sizes = ModelSizes.Read(PackageCache.Find(model, options) ?? model, options.Backend.Lowering, options.Precisions);
        long budget = device.MapsWeights ? options.MemoryBudget ?? options.Backend.DefaultMemoryBudget() : options.VideoMemoryBudget ?? ResidencyRequest.DefaultBudget;
        return ResidencyPlanner.Plan(sizes, Wanted(new PictureSeries(request, 1, 1), options, budget), device);
    }

    /// <summary>Paints the next pass of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="first">The first picture of it that is not painted yet.</param>
    /// <param name="deliver">Given each picture as soon as it is decoded.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="start">When the pass was asked for.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(PictureSeries series, int first, Action<Picture> deliver, IProgress<GenerationProgress>? progress, long start, CancellationToken cancellationToken)
    {
        _package.RequireUnchanged();
        using DeviceLease lease = _device.Enter(cancellationToken);
        List<string> notices = [.. _standingNotices];
        ResidencyPlan plan = PlanWithinAvailable(series, notices);
        int next = first, end = Math.Min(first + plan.BatchSize, series.Wanted);
        _watch?.Reset();
        try
        {
            PaintPass(plan, notices);
        }
        catch (DeviceMemoryException exception)
        {
            // Another program took memory meanwhile. The smaller plan stays in force until memory is free again.
            if (Shrink(series, end - next, plan) is not { } smaller) throw;
            string alone = plan.BatchSize > smaller.BatchSize ? ", one picture at a time" : "";
            notices.Add($"The device's memory ran out ({exception.Found}); painted within {ByteSize.Format(smaller.Request.Budget)}{alone}.");
            while (next < end) PaintPass(smaller, notices);
        }
        finally
        {
            // After a cancellation, sessions and weights that were prefetched for steps that will not run are released. The device must have
            // finished before another engine is admitted.
            _sessions.ReleaseIdle();
            _device.Settle();
        }

        void PaintPass(ResidencyPlan plan, List<string> notices)
        {
            int count = Math.Min(plan.BatchSize, end - next);
            PictureRequest[] pictures = [.. Enumerable.Range(next, count).Select(series.Picture)];
            bool isWhole = false;
            try
            {
                Paint(pictures, series.Place ?? new BatchSlot(count, 0), plan, [.. notices], Deliver, Report, cancellationToken);
                isWhole = true;
            }
            finally
            {
                // Where it makes room for the other phases, or was stopped before it gave its working memory back.
                if (Rotates(plan.Decoder) || (!isWhole && !plan.KeepsDecodingArena)) _decoder.Release();
                // What keeps nothing has emptied the arena by now, of what was there before as well.
                if (isWhole && !plan.KeepsArena) _kept.Clear();
                else _kept[PictureKind.Of(plan)] = KeptBytes(plan);
            }
        }

        // What was delivered is not painted again when memory runs out behind it.
        void Deliver(Picture picture)
        {
            next++;
            deliver(picture);
        }

        void Report(GenerationPhase phase, int step, LatentPreview? preview, int count) =>
            progress?.Report(new GenerationProgress(phase, step, series.Request.Steps, Stopwatch.GetElapsedTime(start), preview, next, count));
    }

    private void Paint(
        PictureRequest[] pictures, BatchSlot place, ResidencyPlan plan, List<string> notices, Action<Picture> deliver, Action<GenerationPhase, int, LatentPreview?, int> report, CancellationToken cancellationToken)
    {
        // 1. One run option for the pass: terminating it stops a run in the middle of a step.
        using RunOptions options = _device.CreateRunOptions();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        PictureRequest request = pictures[0];
        int height = request.Height / VaeDecoder.VaeScaleFactor, width = request.Width / VaeDecoder.VaeScaleFactor;
        var memory = new List<PhaseMemory>();

        // 2. Encode the prompts.
        long begin = Stopwatch.GetTimestamp();
        report(GenerationPhase.Encoding, 0, null, pictures.Length);
        PromptEmbeds prompt = Encode(request.Prompt, "prompt", notices, options, cancellationToken);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, place.Pictures);
        if (request.GuidanceScale > 1) rows = Enumerable.Repeat(EncodeNegative(request, prompt, notices, options, cancellationToken), place.Pictures).Concat(rows);
        memory.Add(Leave(PlanPhase.Text));

        // 3. What the network needs once per pass.
        var schedule = new SigmaSchedule(request.Schedule, request.Steps);
        Denoiser network = Prepare([.. rows], request, schedule, options, cancellationToken);
        memory.Add(Leave(PlanPhase.Conditioning));
        TimeSpan text = Stopwatch.GetElapsedTime(begin);

        // 4. Denoise.
        begin = Stopwatch.GetTimestamp();
        PreviewGrid? sheet = _options.Previews ? new PreviewGrid(pictures.Length, height, width) : null;
        using var latents = new DenoisingLoop(pictures, place, network, schedule, sheet, _device);
        var steps = new TimeSpan[request.Steps];
        long managedBytes = 0;
        for (int step = 0; step < request.Steps; step++)
        {
            long stepBegin = Stopwatch.GetTimestamp(), before = GC.GetAllocatedBytesForCurrentThread();
            cancellationToken.ThrowIfCancellationRequested();
            latents.Step(step, options, cancellationToken);
            managedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            steps[step] = Stopwatch.GetElapsedTime(stepBegin);
            report(GenerationPhase.Denoising, step + 1, sheet?.Preview, pictures.Length);
        }

        if (PredictionResemblance.Notice(latents.FirstResemblance) is { } unlike) notices.Add(unlike);
        memory.Add(Leave(PlanPhase.Denoising));
        TimeSpan denoising = Stopwatch.GetElapsedTime(begin);
        _sessions.ReleaseIdle();

        // 5. Decode, one after the other.
        for (int i = 0; i < pictures.Length; i++)
        {
            begin = Stopwatch.GetTimestamp();
            report(GenerationPhase.Decoding, request.Steps, null, 1);
            float[] final = latents.Latents(i).ToArray();
            (byte[] pixels, bool inFp32, TimeSpan finishing) = _decoder.Decode(final, height, width, plan, request.Frame, options, cancellationToken);
            (int canvasWidth, int canvasHeight) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
            bool isRescued = inFp32 && !plan.DecodesInFp32;
            PhaseMemory decoded = Leave(PlanPhase.Decoding, isRescued ? plan.DecodingInFp32Bytes : 0);
            TimeSpan decoding = Stopwatch.GetElapsedTime(begin);
            report(GenerationPhase.Done, request.Steps, null, 1);
            deliver(new Picture
            {
                Width = canvasWidth,
                Height = canvasHeight,
                Pixels = pixels,
                Request = pictures[i],
                Model = Model,
                Notices = [.. notices, .. _sessions.Notices, .. isRescued ? ["The decoder overflowed in fp16; this picture was decoded in fp32."] : Array.Empty<string>()],
                Timings = new PictureTimings(text / pictures.Length, denoising / pictures.Length, decoding) { Steps = steps, Finishing = finishing, DenoisingManagedBytes = managedBytes },
                Memory = new PictureMemory(plan, [.. memory, decoded], _watch is null ? null : _device.ArenaStatistics?.Read()?.MostInUse),
                Latents = final,
                Provenance = new PictureProvenance
                {
                    Engine = PictureProvenance.CurrentEngine,
                    Runtime = PictureProvenance.CurrentRuntime,
                    Device = Device,
                    Plan = $"{plan.Offload}, {ByteSize.Format(plan.PeakBytes)}",
                    Pass = place with { Index = place.Index + i },
                    Tile = (isRescued ? plan.DecodingInFp32 : plan.Decoding) is { IsWhole: false } tiles ? new TileSize(tiles.TileHeight, tiles.TileWidth) : null,
                    GraphsSha256 = _package.GraphsSha256,
                    StepHashes = latents.Hashes(i),
                },
                DecodedInFp32 = inFp32,
            });
        }

        PhaseMemory Leave(PlanPhase phase, long beside = 0)
        {
            var left = new PhaseMemory(phase, Math.Max(beside, plan.Phases.First(planned => planned.Phase == phase).Bytes), _watch?.PeakBytes, _watch?.ArenaPeakBytes);
            _watch?.Reset();
            return left;
        }
    }

    private Denoiser Prepare(PromptEmbeds[] rows, PictureRequest request, SigmaSchedule schedule, RunOptions options, CancellationToken cancellationToken)
    {
        var shape = new PictureShape(rows.Length, request.Height / VaeDecoder.VaeScaleFactor, request.Width / VaeDecoder.VaeScaleFactor, 1);
        if (_network?.Shape != shape)
        {
            FreeNetwork();
            _network = new Denoiser(_package, shape, _sessions, _device);
        }

        MicroConditioning conditioning = request.Conditioning ?? new MicroConditioning(request.Width, request.Height, 0, 0, request.Width, request.Height);
        float[] timeIds = [conditioning.OriginalHeight, conditioning.OriginalWidth, conditioning.CropTop, conditioning.CropLeft, conditioning.TargetHeight, conditioning.TargetWidth];
        _network.Prepare(rows, timeIds, schedule.Timesteps, options, cancellationToken);
        return _network;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_device.Enter(CancellationToken.None))
        {
            _network?.Dispose();
            _prompts.Dispose();
            _decoder.Dispose();
            _sessions.Dispose();
        }

        _watch?.Dispose();
        _device.Dispose();
        _package.Dispose();
    }

    private static ResidencyRequest Wanted(PictureSeries series, AtelierOptions options, long budget) => new()
    {
        Budget = budget,
        Width = series.Request.Width,
        Height = series.Request.Height,
        Steps = series.Request.Steps,
        Count = series.Count,
        BatchSize = series.BatchSize,
        Guided = series.Request.GuidanceScale > 1,
        Offload = options.Offload,
        VaeTiling = options.VaeTiling,
        VaeTile = options.VaeTile,
        DecodesInFp32 = options.DecodesInFp32,
        Frame = series.Request.Frame,
    };

    // Device memory that this engine holds, by its own count: the driver's count takes in other engines of the process, and where it does not tell
    // processes apart, other programs as well.
    private long HeldBytes() => _profile.MapsWeights ? 0 : _profile.FixedBytes + _device.AllocatedBytes + _sessions.HeldBytes(_profile);

    // Whether a picture can be painted within the budget is known before anything of it is loaded.
    private ResidencyPlan Plan(PictureSeries series, long budget, long available)
    {
        ResidencyPlan plan = Find(series, budget);
        Follow(plan, available);
        return _plan = plan;
    }

    private ResidencyPlan Find(PictureSeries series, long budget)
    {
        ResidencyRequest wanted = Wanted(series, _options, budget);
        return _plan?.Request == wanted ? _plan : ResidencyPlanner.Plan(_sizes, wanted, _profile);
    }

    // The plan within the declared budget, or within what is available on the device if that is less.
    private ResidencyPlan PlanWithinAvailable(PictureSeries series, List<string> notices)
    {
        long available = MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());
        long before = _allowance.Bytes;
        _allowance.Raise(available);
        ResidencyPlan plan;
        try
        {
            plan = Find(series, _allowance.Bytes);
            if (plan.PeakBytes > available && _allowance.Lower(available)) plan = Find(series, _allowance.Bytes);
        }
        catch (BudgetTooSmallException exception) when (_allowance.IsReduced)
        {
            throw DeviceMemoryException.OfOthers(available, _allowance.Declared, exception);
        }

        if (_allowance.Bytes != before)
        {
            notices.Add(_allowance.IsReduced
                ? $"Other programs hold most of the device: {ByteSize.Format(available)} of the budget of {ByteSize.Format(_allowance.Declared)} are "
                    + $"available. Pictures are painted within {ByteSize.Format(_allowance.Bytes)} until more is free."
                : $"Memory of the device is free again: pictures are painted within {ByteSize.Format(_allowance.Bytes)}.");
        }

        if (_plan != plan) Follow(plan, available);
        return _plan = plan;
    }

    // A plan for the rest of a pass that takes a quarter less than one that ran out of memory, with everything released that was loaded for that; null where there is none.
    private ResidencyPlan? Shrink(PictureSeries series, int left, ResidencyPlan plan)
    {
        ReleaseAll();
        try
        {
            TrimArenas();
            long available = MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());
            long budget = Math.Min(plan.PeakBytes / 4 * 3, available);
            // A device that tells what is free is planned for with less from now on; on any other the next batch is planned as ever.
            if (_device.FreeBytes() is not null) _allowance.RanOut(budget);
            // One at a time takes the least, unless the picture has to have the numbers of its place.
            return Plan(series.Place is null ? series with { Count = left, BatchSize = 1 } : series, budget, available);
        }
        catch (Exception exception) when (exception is BudgetTooSmallException or DeviceMemoryException or InferenceException)
        {
            return null;
        }
    }

    // Working memory that is kept for the next picture of a kind is of little use for another: what an arena has in pieces of one size serves no larger one.
    // Where a plan has no room for what others left, it is given back before anything of that plan is loaded.
    private void MakeRoom(ResidencyPlan plan, long available)
    {
        var kind = PictureKind.Of(plan);
        long left = _kept.Where(kept => kept.Key != kind).Sum(kept => kept.Value);
        if (left > Math.Min(plan.Request.Budget, available) - plan.PeakBytes) TrimArenas();
    }

    private void TrimArenas()
    {
        // A captured step works on what is given back.
        FreeNetwork();
        _decoder.Release();
        // Sessions that have arenas by themselves have to go with them.
        if (_device.ArenaStatistics is null) ReleaseAll();
        else ArenaTrimmer.Empty(_device);
        _kept.Clear();
    }

    private void ReleaseAll()
    {
        FreeNetwork();
        _prompts.Release();
        _decoder.Release();
        foreach (ComponentSpec component in _package.Manifest.Components) _sessions.Release(component);
    }

    private void FreeNetwork()
    {
        _network?.Dispose();
        _network = null;
    }

    // What is loaded before the first picture is what one of the usual size needs.
    private void Preload()
    {
        if (!_device.LoadsAhead) return;
        try
        {
            long available = MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());
            ResidencyPlan plan = Plan(new PictureSeries(new PictureRequest { Prompt = "" }, 1, 1), Math.Min(_allowance.Bytes, available), available);
            _sessions.Preload([.. plan.Components.Where(component => !Rotates(component)).Select(component => _package.Manifest.Component(component.Name))], plan.MakesSessionsInParallel);
        }
        catch (BudgetTooSmallException)
        {
            // A smaller picture may fit.
        }
    }

    private void Follow(ResidencyPlan plan, long available)
    {
        MakeRoom(plan, available);
        ComponentSpec unet = _package.Manifest.Component(ComponentNames.UNet);
        bool turns = Rotates(plan.Component(ComponentNames.UNet)), buffersChange = _plan is not null && (_plan.StreamingBufferBytes, _plan.PreparingBufferBytes) != (plan.StreamingBufferBytes, plan.PreparingBufferBytes);
        foreach (ComponentPlan component in plan.Components)
        {
            ComponentSpec spec = _package.Manifest.Component(component.Name);
            ComponentPlan? planned = _plan?.Components.FirstOrDefault(former => former.Name == component.Name);
            List<WeightPlacement> places = [.. component.Stages.Select(PlacementOf)], before = planned is null ? [.. places.Select(_ => WeightPlacement.Resident)] : [.. planned.Stages.Select(PlacementOf)];
            bool moves = !places.SequenceEqual(before), isAffected = moves || (buffersChange && component.Stages.Any(stage => stage.Placement is StagePlacement.Streamed or StagePlacement.Staged));
            if (!isAffected && (component.Name != ComponentNames.UNet || turns == _sessions.Turns(unet) is not null)) continue;

            // Bindings know where weights lie and which sessions they belong to.
            if (component.Name is ComponentNames.ClipL or ComponentNames.ClipG)
            {
                _prompts.Release();
            }
            else
            {
                FreeNetwork();
            }

            _sessions.Release(spec);
            if (moves) _sessions.Place(spec, places);
        }

        _sessions.RotateSessions(unet, turns);
        _sessions.TrimsArena = !plan.KeepsArena;
        _sessions.TrimsOwnArenas = !plan.KeepsDecodingArena;
        _sessions.MayCapture = plan.CapturesSteps;
        _device.ReserveStreamingBuffers(plan.PreparingBufferBytes, plan.StreamingBufferBytes);
    }

    private static long KeptBytes(ResidencyPlan plan) => plan.Phases.First(phase => phase.Phase == PlanPhase.Denoising).Shares
        .Where(share => share.Name is ResidencyPlan.WorkingMemoryShare or ResidencyPlan.DecoderShare)
        .Sum(share => share.Bytes);

    private static WeightPlacement PlacementOf(StagePlan stage) => stage.Placement switch
    {
        StagePlacement.SwappedOut => WeightPlacement.SwappedOut,
        StagePlacement.Streamed => WeightPlacement.Streamed,
        StagePlacement.Staged => WeightPlacement.Staged,
        _ => WeightPlacement.Resident,
    };

    private static bool Rotates(ComponentPlan component) => component.Count(StagePlacement.RotatingSession) > 0;

    private PromptEmbeds EncodeNegative(PictureRequest request, PromptEmbeds prompt, List<string> notices, RunOptions options, CancellationToken cancellationToken) =>
        request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros
            ? new PromptEmbeds(new float[prompt.Context.Length], new float[prompt.Pooled.Length])
            : Encode(request.NegativePrompt, "negative prompt", notices, options, cancellationToken);

    private PromptEmbeds Encode(string text, string name, List<string> notices, RunOptions options, CancellationToken cancellationToken)
    {
        PromptTokens tokens = PromptTokenizer.Encode(text);
        if (PromptSyntaxNotice.Of(text, name) is { } syntax) notices.Add(syntax);
        if (tokens.CutCount > 0)
        {
            string count = string.Create(CultureInfo.InvariantCulture, $"{(tokens.IsCutCountExact ? "" : "at least ")}{tokens.CutCount}");
            notices.Add($"The {name} has {count} tokens more than the 75 that the model reads; cut off: {Shorten(tokens.CutText)}");
        }

        return _prompts.Encode(tokens, text, options, cancellationToken);
    }

    private static string Shorten(string text)
    {
        const int shown = 120;
        return text.Length <= shown ? text : string.Concat(text.AsSpan(0, shown), "…");
    }

    /// <summary>What the sizes of working memory depend on.</summary>
    private readonly record struct PictureKind(int Width, int Height, bool Guided, PictureFrame? Frame, int BatchSize, TilePlan Decoding)
    {
        public static PictureKind Of(ResidencyPlan plan) => new(plan.Request.Width, plan.Request.Height, plan.Request.Guided, plan.Request.Frame, plan.BatchSize, plan.Decoding);
    }
}
