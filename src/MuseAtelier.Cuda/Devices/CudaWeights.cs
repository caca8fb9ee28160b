using System.Globalization;
using Microsoft.Extensions.Logging;
using MuseAtelier.Format;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;
using MuseAtelier.Streaming;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A component's weights on a card. Each stage's weights belong to the object for their place: <see cref="ResidentWeights"/>,
/// <see cref="SwappedWeights"/> or <see cref="StreamedWeights"/>. To move a stage to another place, the component's weights are disposed
/// and loaded by the new plan, because a move changes addresses, to which sessions are bound.
/// </summary>
internal sealed class CudaWeights : StageWeights
{
    private readonly CardResources _card;
    private readonly ILogger _logger;
    private readonly string _component;
    private readonly PlacedStage[] _stages;
    private readonly ResidentWeights? _resident;
    private readonly SwappedWeights? _swapped;
    private readonly StreamedWeights? _streamed;
    private readonly PlacedWeights[] _placed;
    private readonly Task _load;
    private Task _switch = Task.CompletedTask;
    private string? _notice;
    private bool _loaded;

    /// <summary>Allocates the device memory and begins to load.</summary>
    /// <param name="component">The component.</param>
    /// <param name="plan">The places of its weights, by stage; null means that all are resident.</param>
    /// <param name="card">The card.</param>
    /// <param name="buffers">The streaming buffers.</param>
    /// <param name="store">The resident weights of all components.</param>
    /// <param name="sources">Where the weights come from.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public CudaWeights(
        ComponentSpec component,
        ComponentPlan? plan,
        CardResources card,
        StreamingBuffers buffers,
        WeightStore store,
        WeightSources sources,
        ILogger logger)
    {
        WeightReader reader = sources.Reader;
        (_component, _card, _logger) = (component.Name, card, logger);
        StageMemory?[] stages = StageMemory.OfStages(component, plan);
        List<StageMemory> resident = PlacedAt(stages, StagePlacement.Resident);
        List<StageMemory> swapped = PlacedAt(stages, StagePlacement.SwappedOut);
        List<StageMemory> streamed = PlacedAt(stages, StagePlacement.Streamed, StagePlacement.Staged);
        try
        {
            if (resident.Count > 0) _resident = new ResidentWeights(resident, store, reader);
            if (swapped.Count > 0) _swapped = new SwappedWeights(swapped, card, reader);
            if (streamed.Count > 0)
            {
                bool everyStep = PipelineRecipe.Of(component.Name).RunsInEveryStep;
                _streamed = new StreamedWeights(streamed, LayoutOf(plan!), everyStep, card, buffers, reader);
            }

            _placed = [.. new PlacedWeights?[] { _resident, _swapped, _streamed }.OfType<PlacedWeights>()];
            _stages = [.. stages.Select(Find)];
            _load = Load(sources.Loras);
        }
        catch
        {
            Free();
            throw;
        }
    }

    public override bool CanCapture => _streamed?.CanCapture ?? true;

    public override string? Notice
    {
        get
        {
            int merged = _placed.Sum(placed => placed.StagesMergedInEveryRun);
            if (merged == 0) return _notice;
            string count = merged.ToString(CultureInfo.InvariantCulture);
            return $"{_notice}{(_notice is null ? "" : " ")}LoRAs change {count} stages of {_component} anew in every run, which is slow.";
        }
    }

    public override bool Switches => true;

    public override bool HasFailed => _load.IsFaulted;

    public override nint Address(int stage, WeightSpec weight) => _stages[stage].Memory!.Address(weight);

    public override void BeforeStage(int stage)
    {
        if (!_loaded) AwaitLoad();
        foreach (PlacedWeights placed in _placed) placed.Restore();
        (_, PlacedWeights? weights, int index) = _stages[stage];
        weights?.BeforeStage(index);
    }

    public override void AfterStage(int stage)
    {
        (_, PlacedWeights? weights, int index) = _stages[stage];
        weights?.AfterStage(index);
    }

    public override void SwapOut()
    {
        bool isNeeded = false;
        foreach (PlacedWeights placed in _placed) isNeeded |= placed.PrepareSwapOut();
        if (!isNeeded) return;
        _card.Synchronize();
        foreach (PlacedWeights placed in _placed) placed.SwapOut();
    }

    public override Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping)
    {
        if (!_loaded) AwaitLoad();
        // No run and no copy may read what is replaced, and what lies in device memory besides is copied again by the next run.
        _card.Synchronize();
        SwapOut();
        var switches = new List<Task>();
        try
        {
            foreach (PlacedWeights placed in _placed) switches.Add(placed.Switch(former, next, stopping));
        }
        finally
        {
            // If one of them could not begin, the others write into memory that must stay until they end.
            _switch = Task.WhenAll(switches);
        }

        return _switch;
    }

    public override void BeginCapture()
    {
        if (!_loaded) AwaitLoad();
        foreach (PlacedWeights placed in _placed) placed.BeginCapture();
    }

    public override void JoinCapture()
    {
        foreach (PlacedWeights placed in _placed) placed.JoinCapture();
    }

    public override void EndCapture()
    {
        foreach (PlacedWeights placed in _placed) placed.EndCapture();
    }

    public override void BeforeReplay()
    {
        foreach (PlacedWeights placed in _placed) placed.BeforeReplay();
    }

    public override void Dispose()
    {
        // The wait ignores a failed load: the run that waited for the load reported the failure, or no run needed it.
        Wait(_load);
        Wait(_switch);
        Free();
    }

    private static List<StageMemory> PlacedAt(IEnumerable<StageMemory?> stages, params StagePlacement[] placements) =>
        [.. stages.OfType<StageMemory>().Where(stage => placements.Contains(stage.Placement))];

    private static StreamingBufferLayout LayoutOf(ComponentPlan plan) =>
        plan.Buffer ?? throw new ArgumentException($"The plan streams stages of {plan.Name}, but has no places for them.", nameof(plan));

    private PlacedStage Find(StageMemory? memory)
    {
        if (memory is null) return default;
        PlacedWeights weights = _placed.First(placed => placed.Stages.Contains(memory));
        return new PlacedStage(memory, weights, weights.Stages.ToList().IndexOf(memory));
    }

    private void Free()
    {
        _streamed?.Dispose();
        _swapped?.Dispose();
        _resident?.Dispose();
    }

    // Streamed weights are pinned before swapped-out ones, because they are copied in every run.
    private Task Load(AppliedLoras? loras)
    {
        var loads = new List<Task>();
        try
        {
            if (_resident is not null) loads.Add(_resident.Load(loras));
            if (_streamed is not null) loads.Add(_streamed.Load(loras));
            if (_swapped is not null) loads.Add(_swapped.Load(loras));
            return Task.WhenAll(loads);
        }
        catch
        {
            // The loads that have begun write into memory that the constructor is about to free.
            Wait(Task.WhenAll(loads));
            throw;
        }
    }

    // Waits for a load to end, and ignores whether it failed.
    private static void Wait(Task load) => ((IAsyncResult)load).AsyncWaitHandle.WaitOne();

    private void AwaitLoad()
    {
        _load.GetAwaiter().GetResult();
        int unpinned = _placed.Sum(placed => placed.UnpinnedStages);
        if (unpinned > 0)
        {
            CudaLog.PinnedMemoryShort(_logger, unpinned, _component);
            string count = unpinned.ToString(CultureInfo.InvariantCulture);
            _notice = $"Pinned memory is short: {count} stages of {_component} come from their file, which is slower.";
        }

        foreach (PlacedWeights placed in _placed) placed.FinishLoading();
        // The flag must be set last, because the next run tries again what failed above.
        _loaded = true;
    }

    // A stage without weights has no memory and belongs to no placed weights.
    private readonly record struct PlacedStage(StageMemory? Memory, PlacedWeights? Weights, int Index);
}
