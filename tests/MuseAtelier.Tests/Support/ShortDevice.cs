using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cpu;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Support;

/// <summary>The processor, with no more memory for tensors than a test grants it.</summary>
internal sealed class ShortBackend : Backend
{
    private readonly Backend _processor = CpuBackend.Create();

    /// <summary>Bytes that may be taken in all; may change while something is painted.</summary>
    public long Limit { get; set; } = long.MaxValue;

    /// <summary>What devices answer that are asked for what their context takes.</summary>
    public Func<long?> ContextBytes { get; init; } = () => null;

    /// <summary>What weights say of how they come.</summary>
    public string? WeightsNotice { get; init; }

    /// <summary>Devices that are open.</summary>
    public int Devices { get; set; }

    /// <summary>Bytes that are taken.</summary>
    public long Taken { get; set; }

    /// <summary>The most that were taken at once.</summary>
    public long Most { get; set; }

    /// <summary>Called before a session is made; null for nothing.</summary>
    public Action? MakingSession { get; set; }

    /// <summary>Sessions that were made.</summary>
    public int Sessions { get; set; }

    /// <summary>The components whose weights were loaded, with their plans; null means all resident.</summary>
    public List<(string Component, ComponentPlan? Plan)> Loaded { get; } = [];

    internal override Lowering Lowering => _processor.Lowering;

    internal override DeviceProfile Profile => _processor.Profile;

    internal override ExecutionDevice Open(ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default)
    {
        Devices++;
        return new ShortDevice(this, _processor.Open(package, options, cancellationToken));
    }
}

internal sealed class ShortDevice(ShortBackend memory, ExecutionDevice processor) : ExecutionDevice
{
    public override string Description => processor.Description;

    public override string Arena => processor.Arena;

    public override OrtMemoryInfo Memory => processor.Memory;

    public override SessionOptions CreateSessionOptions(SessionTraits traits)
    {
        memory.Sessions++;
        memory.MakingSession?.Invoke();
        return processor.CreateSessionOptions(traits);
    }

    public override long? ContextBytes => memory.ContextBytes();

    public override RunOptions CreateRunOptions() => processor.CreateRunOptions();

    public override NativeBuffer Allocate(long bytes)
    {
        if (memory.Taken + bytes > memory.Limit)
            throw new DeviceMemoryException(FormattableString.Invariant($"{memory.Taken + bytes} bytes are more than {memory.Limit}"));
        NativeBuffer buffer = processor.Allocate(bytes);
        memory.Taken += bytes;
        memory.Most = Math.Max(memory.Most, memory.Taken);
        return new NativeBuffer(buffer.Address, bytes, _ =>
        {
            buffer.Dispose();
            memory.Taken -= bytes;
        });
    }

    public override NativeBuffer AllocateHost(long bytes) => Allocate(bytes);

    public override void Upload(nint host, nint device, long bytes) => processor.Upload(host, device, bytes);

    public override void Download(nint device, nint host, long bytes) => processor.Download(device, host, bytes);

    public override void Copy(nint from, nint to, long bytes) => processor.Copy(from, to, bytes);

    public override void Synchronize() => processor.Synchronize();

    public override StageWeights LoadWeights(
        ComponentSpec component, ComponentPlan? plan, AppliedLoras? loras, CancellationToken stopping)
    {
        memory.Loaded.Add((component.Name, plan));
        return new NoticedWeights(processor.LoadWeights(component, plan, loras, stopping), memory.WeightsNotice);
    }

    public override void Dispose()
    {
        processor.Dispose();
        memory.Devices--;
    }
}

/// <summary>Weights that have something to say.</summary>
internal sealed class NoticedWeights(StageWeights weights, string? notice) : StageWeights
{
    public override string? Notice => notice;

    public override ElementType TypeOf(WeightSpec weight) => weights.TypeOf(weight);

    public override nint Address(int stage, WeightSpec weight) => weights.Address(stage, weight);

    public override void Dispose() => weights.Dispose();
}
