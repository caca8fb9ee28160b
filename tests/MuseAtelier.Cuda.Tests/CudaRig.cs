using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Cuda.Devices;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Streaming;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace MuseAtelier.Cuda.Tests;

/// <summary>
/// The Miniature on the first card, opened on the test's own thread; skips the test, and says why, where nothing can be opened.
/// </summary>
internal sealed class CudaRig : IDisposable
{
    private static readonly Lazy<string> Cache = new(MakeCache);

    private readonly ModelPackage _package;
    private ResidencyPlan? _plan;

    public CudaRig(CudaOptions? options = null)
    {
        Require();
        AtelierOptions atelier = Options(options);
        _package = atelier.OpenPackage(Checkpoint, null, TestContext.Current.CancellationToken);
        Device = (CudaDevice)atelier.Backend.Open(_package, atelier, TestContext.Current.CancellationToken);
        Sessions = new SessionPool(_package, Device);
    }

    /// <summary>The checkpoint, which is copied beside the tests.</summary>
    public static string Checkpoint { get; } = Path.Combine(AppContext.BaseDirectory, "miniature.safetensors");

    public CudaDevice Device { get; }

    public SessionPool Sessions { get; }

    public ModelPackage Package => _package;

    public ComponentSpec Component(string name) => _package.Manifest.Component(name);

    /// <summary>Skips the test unless there is a card with all that it needs.</summary>
    public static void Require()
    {
        CudaDiagnosis diagnosis = CudaDiagnosis.Run();
        Assert.SkipWhen(diagnosis.Problem(0) is not null, $"No card to test on: {diagnosis.Problem(0)?.Message}");
    }

    /// <summary>Options with a cache that all tests of a run share.</summary>
    public static AtelierOptions Options(CudaOptions? options = null) =>
        new() { Backend = CudaBackend.Create(options ?? new CudaOptions()), CacheFolder = Cache.Value };

    /// <summary>Puts the weights of the UNet's transformer stages into the places that a test chooses.</summary>
    /// <param name="placement">The place of a transformer stage's weights, by the stage's index among them.</param>
    public void PlaceUNet(Func<int, StagePlacement> placement) => Place(ComponentNames.UNet, placement);

    /// <summary>Puts the weights of a component's transformer stages into the places that a test chooses.</summary>
    /// <param name="component">The component's name.</param>
    /// <param name="placement">The place of a transformer stage's weights, by the stage's index among them.</param>
    public void Place(string component, Func<int, StagePlacement> placement)
    {
        List<StagePlan> stages = [];
        List<long> streamed = [];
        int transformers = 0;
        foreach (StageSpec stage in Component(component).Stages)
        {
            long bytes = stage.WeightRange?.Length ?? 0;
            StagePlacement place = bytes == 0 ? StagePlacement.Session : placement(transformers++);
            stages.Add(new StagePlan(stage.Name, place, bytes));
            if (place is StagePlacement.Streamed or StagePlacement.Staged) streamed.Add(bytes);
        }

        // The least buffer: stages must share places in it, so that weights are copied again in every run.
        StreamingBufferLayout? buffer =
            streamed.Count == 0 ? null : new StreamingBufferLayout(streamed, StreamingBufferLayout.LeastBytes(streamed));
        var placed = new ComponentPlan(component, stages) { Buffer = buffer };
        _plan ??= ResidencyPlanner.Plan(
            ModelSizes.Of(_package.Manifest), new ResidencyRequest { Offload = OffloadMode.Resident }, DeviceProfile.Hopper);
        _plan = _plan with { Components = [.. _plan.Components.Select(part => part.Name == component ? placed : part)] };
        Sessions.Apply(_plan);
    }

    /// <summary>A runner of a component whose inputs are all filled with the same numbers each time.</summary>
    public ComponentRunner Runner(string component, PictureShape shape, int seed = 1)
    {
        var runner = new ComponentRunner(Component(component), shape, Sessions, Device);
        foreach (TensorSpec input in Component(component).Inputs)
            Fill(runner.Address(input.Name), input.Type, runner.Size(input.Name), seed++);
        return runner;
    }

    /// <summary>Runs, and gives what came out.</summary>
    public float[] Run(ComponentRunner runner, string output)
    {
        using RunOptions options = Device.CreateRunOptions();
        runner.Run(options, TestContext.Current.CancellationToken);
        return Read(runner, output);
    }

    /// <summary>What lies in an fp32 output once the compute stream is through.</summary>
    public float[] Read(ComponentRunner runner, string output)
    {
        using NativeBuffer host = Device.AllocateHost(runner.Size(output));
        Device.Download(runner.Address(output), host.Address, host.Bytes);
        Device.Synchronize();
        return host.AsSpan<float>().ToArray();
    }

    /// <summary>Fills device memory with 0xFF bytes, which are NaN in every width.</summary>
    public void Poison(nint address, long bytes)
    {
        using NativeBuffer host = Device.AllocateHost(bytes);
        host.AsSpan<byte>().Fill(0xFF);
        Device.Upload(host.Address, address, bytes);
        Device.Synchronize();
    }

    /// <summary>||a - b|| / ||b||; NaN where a is not finite.</summary>
    public static double RelativeError(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double difference = 0, norm = 0;
        for (int i = 0; i < a.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }

        return Math.Sqrt(difference / norm);
    }

    public void Dispose()
    {
        Sessions.Dispose();
        Device.Dispose();
        _package.Dispose();
    }

    private static string MakeCache()
    {
        string folder = Directory.CreateTempSubdirectory("muse-cuda-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }

    private void Fill(nint address, ElementType type, long bytes, int seed)
    {
        using NativeBuffer host = Device.AllocateHost(bytes);
#pragma warning disable CA5394 // Test values need to be the same each time, not secret.
        var random = new Random(seed);
        if (type == ElementType.F32) foreach (ref float value in host.AsSpan<float>()) value = (random.NextSingle() - 0.5f) * 2;
        else if (type == ElementType.F16) foreach (ref Half value in host.AsSpan<Half>()) value = (Half)((random.NextSingle() - 0.5f) * 2);
        else host.AsSpan<byte>().Clear();
#pragma warning restore CA5394
        Device.Upload(host.Address, address, bytes);
        Device.Synchronize();
    }
}
