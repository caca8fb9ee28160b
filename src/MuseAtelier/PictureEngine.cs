using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Conditioning;
using MuseAtelier.Decoding;
using MuseAtelier.Diffusion;
using MuseAtelier.Packages;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>Paints the pictures of requests, batch by batch. All members run on the engine's thread.</summary>
internal sealed class PictureEngine : IDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(5);

    private readonly AtelierOptions _options;
    private readonly ModelPackage _package;
    private readonly ExecutionDevice _device;
    private readonly SessionPool _sessions;
    private readonly TextConditioner _prompts;
    private readonly VaeDecoder _decoder;
    private readonly ModelSizes _sizes;
    private readonly DeviceProfile _profile;
    private readonly MemoryAllowance _allowance;
    private readonly DeviceMemoryWatch? _watch;
    private readonly string[] _standingNotices;

    /// <summary>
    /// Bytes of working memory that earlier batches left in the arenas and in the decoder, by the kind of picture that can reuse them.
    /// </summary>
    private readonly Dictionary<PictureKind, long> _kept = [];

    private Denoiser? _denoiser;
    private ResidencyPlan? _plan;

    private PictureEngine(ModelPackage package, ExecutionDevice device, AtelierOptions options)
    {
        _package = package;
        _device = device;
        _options = options;
        _sessions = new SessionPool(package, device);
        _prompts = new TextConditioner(package, _sessions, device);
        _decoder = new VaeDecoder(package, _sessions, device);
        PackageManifest manifest = package.Manifest;
        _sizes = ModelSizes.Of(manifest);
        _profile = options.Backend.Profile.WithContext(device.ContextBytes).WithBaseline(device.BaselineBytes);
        _allowance = new MemoryAllowance(DeclaredBudget());
        _standingNotices = [.. IgnoredBudgetNotices(options, _profile.MapsWeights), .. device.Notices];
        Model = new ModelInfo(manifest.Checkpoint.Name, manifest.Checkpoint.Sha256, package.Folder)
        {
            Title = manifest.Checkpoint.Title,
            License = manifest.Checkpoint.License,
            Parameters = manifest.Model.Parameters,
        };
        // The watch must be the last, because its thread would never end if a later statement of the constructor failed.
        _watch = options.WatchMemory ? new DeviceMemoryWatch(device, WatchInterval) : null;
    }

    public ModelInfo Model { get; }

    public string Device => _device.Description;

    public string RuntimeVersion { get; } = OrtEnv.Instance().GetVersionString();

    public static PictureEngine Open(
        string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // Building the tokenizer takes a third of a second, most of it compilation. It starts here so that the first picture does not wait.
        _ = Task.Run(() => ClipTokenizer.Shared, CancellationToken.None);
        ModelPackage package = options.OpenPackage(model, progress, cancellationToken);
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

    /// <summary>Plans a picture from the model's sizes alone: exports, opens and loads nothing.</summary>
    public static ResidencyPlan Plan(string model, AtelierOptions options, PictureRequest request)
    {
        DeviceProfile device = options.Backend.Profile;
        string path = PackageCache.Find(model, options.PackageChoice) ?? model;
        ModelSizes sizes = ModelSizes.Read(path, options.Backend.Lowering, options.Precisions);
        long budget = device.MapsWeights
            ? options.MemoryBudget ?? options.Backend.DefaultMemoryBudget()
            : options.VideoMemoryBudget ?? ResidencyRequest.DefaultBudget;
        return ResidencyPlanner.Plan(sizes, Wanted(new PictureSeries(request, 1, 1), options, budget), device);
    }

    /// <summary>
    /// Paints the next batch of a series. If the device's memory runs out, it paints the rest of the batch by a smaller plan.
    /// </summary>
    /// <param name="series">The series.</param>
    /// <param name="first">Index of the first picture of the series that is not painted yet.</param>
    /// <param name="deliver">Receives each picture as soon as it is decoded.</param>
    /// <param name="progress">Receives a report of every step.</param>
    /// <param name="start">Timestamp of the request for the batch.</param>
    /// <param name="cancellationToken">Stops within a step.</param>
    public void Paint(
        PictureSeries series, int first, Action<Picture> deliver, IProgress<GenerationProgress>? progress, long start,
        CancellationToken cancellationToken)
    {
        _package.RequireUnchanged();
        using DeviceLease lease = _device.Enter(cancellationToken);
        List<string> notices = [.. _standingNotices];
        ResidencyPlan plan = PlanWithinAvailable(series, notices);
        int next = first;
        int end = Math.Min(first + plan.BatchSize, series.Wanted);
        _watch?.Reset();
        try
        {
            PaintBatch(plan);
        }
        catch (DeviceMemoryException exception)
        {
            // Another program took memory meanwhile. The smaller plan stays in force until memory is free again.
            if (Shrink(series, end - next, plan) is not { } smaller) throw;
            notices.Add(ShrinkNotice(exception, plan, smaller));
            while (next < end) PaintBatch(smaller);
        }
        finally
        {
            // After a cancellation, this releases the sessions and weights that were prefetched for steps that will not run. The device
            // must have finished its work before another engine is admitted.
            _sessions.ReleaseIdle();
            _device.Settle();
        }

        void PaintBatch(ResidencyPlan plan)
        {
            int count = Math.Min(plan.BatchSize, end - next);
            PictureRequest[] pictures = [.. Enumerable.Range(next, count).Select(series.Picture)];
            BatchSlot slot = series.Place ?? new BatchSlot(count, 0);
            bool isWhole = false;
            try
            {
                Paint(pictures, slot, plan, [.. notices], Deliver, Report, cancellationToken);
                isWhole = true;
            }
            finally
            {
                ReleaseAfterBatch(plan, isWhole);
            }
        }

        // A delivered picture is not painted again when memory runs out after it.
        void Deliver(Picture picture)
        {
            next++;
            deliver(picture);
        }

        void Report(GenerationPhase phase, int step, LatentPreview? preview, int count)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            progress?.Report(new GenerationProgress(phase, step, series.Request.Steps, elapsed, preview, next, count));
        }
    }

    private void Paint(
        PictureRequest[] pictures, BatchSlot slot, ResidencyPlan plan, List<string> notices, Action<Picture> deliver,
        Action<GenerationPhase, int, LatentPreview?, int> report, CancellationToken cancellationToken)
    {
        // 1. All runs of the batch share one run option: terminating it stops a run in the middle of a step.
        using RunOptions options = _device.CreateRunOptions();
        using CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        PictureRequest request = pictures[0];
        int height = request.Height / VaeDecoder.VaeScaleFactor;
        int width = request.Width / VaeDecoder.VaeScaleFactor;
        var memory = new List<PhaseMemory>();

        // 2. Encode the prompts.
        long begin = Stopwatch.GetTimestamp();
        report(GenerationPhase.Encoding, 0, null, pictures.Length);
        PromptEmbeds[] rows = EncodeRows(request, slot.BatchSize, notices, options, cancellationToken);
        memory.Add(EndPhase(plan, PlanPhase.Text));

        // 3. Compute what the denoiser needs once per batch.
        var schedule = new SigmaSchedule(request.Schedule, request.Steps);
        Denoiser denoiser = Prepare(rows, request, schedule, options, cancellationToken);
        memory.Add(EndPhase(plan, PlanPhase.Conditioning));
        TimeSpan text = Stopwatch.GetElapsedTime(begin);

        // 4. Denoise.
        begin = Stopwatch.GetTimestamp();
        PreviewGrid? previews = _options.Previews ? new PreviewGrid(pictures.Length, height, width) : null;
        using var loop = new DenoisingLoop(pictures, slot, denoiser, schedule, previews, _device);
        var steps = new TimeSpan[request.Steps];
        long managedBytes = 0;
        for (int step = 0; step < request.Steps; step++)
        {
            long stepBegin = Stopwatch.GetTimestamp();
            long before = GC.GetAllocatedBytesForCurrentThread();
            cancellationToken.ThrowIfCancellationRequested();
            loop.Step(step, options, cancellationToken);
            managedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            steps[step] = Stopwatch.GetElapsedTime(stepBegin);
            report(GenerationPhase.Denoising, step + 1, previews?.Preview, pictures.Length);
        }

        if (PredictionResemblance.Notice(loop.FirstResemblance) is { } unlike) notices.Add(unlike);
        memory.Add(EndPhase(plan, PlanPhase.Denoising));
        TimeSpan denoising = Stopwatch.GetElapsedTime(begin);
        _sessions.ReleaseIdle();

        // 5. Decode one picture after the other.
        for (int i = 0; i < pictures.Length; i++)
        {
            begin = Stopwatch.GetTimestamp();
            report(GenerationPhase.Decoding, request.Steps, null, 1);
            float[] latents = loop.Latents(i).ToArray();
            DecodedPicture decoded = _decoder.Decode(latents, height, width, plan, request.Frame, options, cancellationToken);
            bool isRescued = decoded.InFp32 && !plan.DecodesInFp32;
            PhaseMemory decodingMemory = EndPhase(plan, PlanPhase.Decoding, isRescued ? plan.DecodingInFp32Bytes : 0);
            var timings = new PictureTimings(text / pictures.Length, denoising / pictures.Length, Stopwatch.GetElapsedTime(begin))
            {
                Steps = steps,
                Finishing = decoded.Finishing,
                DenoisingManagedBytes = managedBytes,
            };
            report(GenerationPhase.Done, request.Steps, null, 1);
            deliver(Assemble(
                pictures[i], decoded, latents, timings,
                AllNotices(notices, isRescued),
                MemoryOf(plan, [.. memory, decodingMemory]),
                ProvenanceOf(plan, slot with { Index = slot.Index + i }, isRescued, loop.Hashes(i))));
        }
    }

    private Picture Assemble(
        PictureRequest request, DecodedPicture decoded, float[] latents, PictureTimings timings, IReadOnlyList<string> notices,
        PictureMemory memory, PictureProvenance provenance)
    {
        (int width, int height) = request.Frame?.CanvasOf(request.Width, request.Height) ?? (request.Width, request.Height);
        return new Picture
        {
            Width = width,
            Height = height,
            Pixels = decoded.Pixels,
            Request = request,
            Model = Model,
            Notices = notices,
            Timings = timings,
            Memory = memory,
            Latents = latents,
            Provenance = provenance,
            DecodedInFp32 = decoded.InFp32,
        };
    }

    private IReadOnlyList<string> AllNotices(List<string> notices, bool isRescued)
    {
        string[] rescue = isRescued ? ["The decoder overflowed in fp16; this picture was decoded in fp32."] : [];
        return [.. notices, .. _sessions.Notices, .. rescue];
    }

    private PictureMemory MemoryOf(ResidencyPlan plan, IReadOnlyList<PhaseMemory> phases) =>
        new(plan, phases, _watch is null ? null : _device.ArenaStatistics?.Read()?.MostInUse);

    private PictureProvenance ProvenanceOf(ResidencyPlan plan, BatchSlot slot, bool isRescued, IReadOnlyList<StepHash> hashes)
    {
        TilePlan? tiles = isRescued ? plan.DecodingInFp32 : plan.Decoding;
        return new PictureProvenance
        {
            Engine = PictureProvenance.CurrentEngine,
            Runtime = PictureProvenance.CurrentRuntime,
            Device = Device,
            Plan = $"{plan.Offload}, {ByteSize.Format(plan.PeakBytes)}",
            BatchSlot = slot,
            VaeTile = tiles is { IsWhole: false } ? new TileSize(tiles.TileHeight, tiles.TileWidth) : null,
            GraphsSha256 = _package.GraphsSha256,
            StepHashes = hashes,
        };
    }

    // Reads the memory of the phase that has ended, and starts to watch the next one.
    private PhaseMemory EndPhase(ResidencyPlan plan, PlanPhase phase, long rescueBytes = 0)
    {
        long planned = Math.Max(rescueBytes, plan.Phases.First(planned => planned.Phase == phase).Bytes);
        var memory = new PhaseMemory(phase, planned, _watch?.PeakBytes, _watch?.ArenaPeakBytes);
        _watch?.Reset();
        return memory;
    }

    private void ReleaseAfterBatch(ResidencyPlan plan, bool isWhole)
    {
        // A decoder whose sessions rotate makes room for the other phases. A batch that was stopped has not given its working memory back.
        if (Rotates(plan.Decoder) || (!isWhole && !plan.KeepsDecodingArena)) _decoder.Release();

        // A plan that does not keep the arena shrinks it at its last run, which also frees the memory that earlier pictures left there.
        if (isWhole && !plan.KeepsArena) _kept.Clear();
        else _kept[PictureKind.Of(plan)] = KeptBytes(plan);
    }

    private Denoiser Prepare(
        PromptEmbeds[] rows, PictureRequest request, SigmaSchedule schedule, RunOptions options, CancellationToken cancellationToken)
    {
        int height = request.Height / VaeDecoder.VaeScaleFactor;
        int width = request.Width / VaeDecoder.VaeScaleFactor;
        var shape = new PictureShape(rows.Length, height, width, 1);
        if (_denoiser?.Shape != shape)
        {
            FreeDenoiser();
            _denoiser = new Denoiser(_package, shape, _sessions, _device);
        }

        MicroConditioning conditioning =
            request.Conditioning ?? new MicroConditioning(request.Width, request.Height, 0, 0, request.Width, request.Height);
        float[] timeIds =
        [
            conditioning.OriginalHeight,
            conditioning.OriginalWidth,
            conditioning.CropTop,
            conditioning.CropLeft,
            conditioning.TargetHeight,
            conditioning.TargetWidth,
        ];
        _denoiser.Prepare(rows, timeIds, schedule.Timesteps, options, cancellationToken);
        return _denoiser;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using (_device.Enter(CancellationToken.None))
        {
            _denoiser?.Dispose();
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

    // The command line's automatic choice of a device may differ from the device that the budget was meant for.
    private static string[] IgnoredBudgetNotices(AtelierOptions options, bool isProcessor)
    {
        if (isProcessor)
            return options.VideoMemoryBudget is null ? [] : ["A processor paints: the budget of video memory is without effect."];
        return options.MemoryBudget is null ? [] : ["A card paints: the budget of the processor's memory is without effect."];
    }

    // Memory that this engine already holds counts as available.
    private long DeclaredBudget()
    {
        if (_profile.MapsWeights) return _options.MemoryBudget ?? _options.Backend.DefaultMemoryBudget();
        return _options.VideoMemoryBudget
            ?? ResidencyPlanner.DefaultBudget(MemoryAllowance.Available(_device.FreeBytes(), HeldBytes()));
    }

    // Bytes of device memory that this engine holds, by the engine's own count. The driver's count includes other engines of the process,
    // and other programs too where the driver does not count processes separately.
    private long HeldBytes() => _profile.MapsWeights ? 0 : _profile.FixedBytes + _device.AllocatedBytes + _sessions.HeldBytes(_profile);

    // Finds the plan before anything is loaded, so that a picture that does not fit the budget is refused at once.
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

    // Plans within the declared budget, or within the memory that is available on the device if that is less.
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

        if (_allowance.Bytes != before) notices.Add(AllowanceNotice(available));
        if (_plan != plan) Follow(plan, available);
        return _plan = plan;
    }

    private string AllowanceNotice(long available)
    {
        string allowed = ByteSize.Format(_allowance.Bytes);
        if (!_allowance.IsReduced) return $"Memory of the device is free again: pictures are painted within {allowed}.";
        string free = ByteSize.Format(available);
        return $"Other programs hold most of the device: {free} of the budget of {ByteSize.Format(_allowance.Declared)} are available. "
            + $"Pictures are painted within {allowed} until more is free.";
    }

    private static string ShrinkNotice(DeviceMemoryException exception, ResidencyPlan plan, ResidencyPlan smaller)
    {
        string alone = plan.BatchSize > smaller.BatchSize ? ", one picture at a time" : "";
        return $"The device's memory ran out ({exception.Found}); painted within {ByteSize.Format(smaller.Request.Budget)}{alone}.";
    }

    // Releases everything that is loaded, and plans the rest of a batch with a quarter less memory than the plan that ran out. Returns null
    // if there is no such plan.
    private ResidencyPlan? Shrink(PictureSeries series, int left, ResidencyPlan plan)
    {
        ReleaseAll();
        try
        {
            TrimArenas();
            long available = MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());
            long budget = Math.Min(plan.PeakBytes / 4 * 3, available);
            // Where the device reports its free memory, the lower budget stays in force. Elsewhere the next batch is planned as before.
            if (_device.FreeBytes() is not null) _allowance.RanOut(budget);
            // A batch of one takes the least memory. A picture with a fixed slot must keep its batch, because its last bits depend on it.
            PictureSeries rest = series.Place is null ? series with { Count = left, BatchSize = 1 } : series;
            return Plan(rest, budget, available);
        }
        catch (Exception exception) when (exception is BudgetTooSmallException or DeviceMemoryException or InferenceException)
        {
            return null;
        }
    }

    // Arena chunks that were cached for one picture size cannot be reused for a larger one, so they are freed before a plan is loaded that
    // needs their room.
    private void MakeRoom(ResidencyPlan plan, long available)
    {
        var kind = PictureKind.Of(plan);
        long left = _kept.Where(kept => kept.Key != kind).Sum(kept => kept.Value);
        if (left > Math.Min(plan.Request.Budget, available) - plan.PeakBytes) TrimArenas();
    }

    private void TrimArenas()
    {
        // A captured step refers to the memory that is freed here.
        FreeDenoiser();
        _decoder.Release();
        // Where sessions have arenas of their own, an arena is freed only with its session.
        if (_device.ArenaStatistics is null) ReleaseAll();
        else ArenaTrimmer.Empty(_device);
        _kept.Clear();
    }

    private void ReleaseAll()
    {
        FreeDenoiser();
        _prompts.Release();
        _decoder.Release();
        foreach (ComponentSpec component in _package.Manifest.Components) _sessions.Release(component);
    }

    private void FreeDenoiser()
    {
        _denoiser?.Dispose();
        _denoiser = null;
    }

    // Loads the weights and sessions of a picture of the default size before the first request.
    private void Preload()
    {
        if (!_device.LoadsAhead) return;
        try
        {
            long available = MemoryAllowance.Available(_device.FreeBytes(), HeldBytes());
            var usual = new PictureSeries(new PictureRequest { Prompt = "" }, 1, 1);
            ResidencyPlan plan = Plan(usual, Math.Min(_allowance.Bytes, available), available);
            IEnumerable<ComponentPlan> staying = plan.Components.Where(component => !Rotates(component));
            _sessions.Preload(
                [.. staying.Select(component => _package.Manifest.Component(component.Name))], plan.MakesSessionsInParallel);
        }
        catch (BudgetTooSmallException)
        {
            // A smaller picture may still fit the budget.
        }
    }

    // Applies a plan: releases each component that the plan places elsewhere, so that it is loaded into its new place when it next runs.
    private void Follow(ResidencyPlan plan, long available)
    {
        MakeRoom(plan, available);
        ComponentSpec unet = _package.Manifest.Component(ComponentNames.UNet);
        bool rotates = Rotates(plan.Component(ComponentNames.UNet));
        bool buffersChange = _plan is not null
            && (_plan.StreamingBufferBytes != plan.StreamingBufferBytes || _plan.PreparingBufferBytes != plan.PreparingBufferBytes);
        foreach (ComponentPlan component in plan.Components)
        {
            ComponentSpec spec = _package.Manifest.Component(component.Name);
            List<WeightPlacement> placements = [.. component.Stages.Select(PlacementOf)];
            bool moves = !placements.SequenceEqual(PlacementsInForce(component));
            bool isAffected = moves || (buffersChange && UsesStreamingBuffer(component));
            bool rotationChanges = component.Name == ComponentNames.UNet && rotates != (_sessions.Turns(unet) is not null);
            if (!isAffected && !rotationChanges) continue;

            // The encoder and the denoiser hold bindings to the addresses of weights and to sessions, so they must be released first.
            if (component.Name is ComponentNames.ClipL or ComponentNames.ClipG)
            {
                _prompts.Release();
            }
            else
            {
                FreeDenoiser();
            }

            _sessions.Release(spec);
            if (moves) _sessions.Place(spec, placements);
        }

        _sessions.RotateSessions(unet, rotates);
        _sessions.TrimsArena = !plan.KeepsArena;
        _sessions.TrimsOwnArenas = !plan.KeepsDecodingArena;
        _sessions.MayCapture = plan.CapturesSteps;
        _device.ReserveStreamingBuffers(plan.PreparingBufferBytes, plan.StreamingBufferBytes);
    }

    private IEnumerable<WeightPlacement> PlacementsInForce(ComponentPlan component)
    {
        ComponentPlan? former = _plan?.Components.FirstOrDefault(former => former.Name == component.Name);
        return former is null ? component.Stages.Select(_ => WeightPlacement.Resident) : former.Stages.Select(PlacementOf);
    }

    private static bool UsesStreamingBuffer(ComponentPlan component) =>
        component.Stages.Any(stage => stage.Placement is StagePlacement.Streamed or StagePlacement.Staged);

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

    // The rows of the denoiser's batch: with guidance the negative prompt's rows come first, then the prompt's, one for each picture.
    private PromptEmbeds[] EncodeRows(
        PictureRequest request, int pictures, List<string> notices, RunOptions options, CancellationToken cancellationToken)
    {
        PromptEmbeds prompt = Encode(request.Prompt, "prompt", notices, options, cancellationToken);
        IEnumerable<PromptEmbeds> rows = Enumerable.Repeat(prompt, pictures);
        if (request.GuidanceScale > 1)
        {
            PromptEmbeds negative = EncodeNegative(request, prompt, notices, options, cancellationToken);
            rows = Enumerable.Repeat(negative, pictures).Concat(rows);
        }

        return [.. rows];
    }

    private PromptEmbeds EncodeNegative(
        PictureRequest request, PromptEmbeds prompt, List<string> notices, RunOptions options, CancellationToken cancellationToken) =>
        request.NegativePrompt.Length == 0 && request.EmptyNegative == EmptyNegative.Zeros
            ? prompt.Zeros()
            : Encode(request.NegativePrompt, "negative prompt", notices, options, cancellationToken);

    private PromptEmbeds Encode(
        string text, string name, List<string> notices, RunOptions options, CancellationToken cancellationToken)
    {
        PreparedPrompt prompt = PreparedPrompt.Of(text, name);
        notices.AddRange(prompt.Notices);
        return _prompts.Encode(prompt.Chunks, options, cancellationToken);
    }

    /// <summary>The properties of a plan that decide the sizes of working memory.</summary>
    private readonly record struct PictureKind(
        int Width, int Height, bool Guided, PictureFrame? Frame, int BatchSize, TilePlan Decoding)
    {
        public static PictureKind Of(ResidencyPlan plan)
        {
            ResidencyRequest request = plan.Request;
            return new PictureKind(request.Width, request.Height, request.Guided, request.Frame, plan.BatchSize, plan.Decoding);
        }
    }
}
