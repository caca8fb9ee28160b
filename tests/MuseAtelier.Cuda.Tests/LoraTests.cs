using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Tests;

/// <summary>Weights that LoRAs change, on a card: the same in every place, replaced at their addresses.</summary>
public sealed class LoraTests : IDisposable
{
    private const int Rank = 4;
    private const int Runs = 4;

    private static readonly PictureShape Shape = new(2, 32, 32, 1);
    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse", NegativePrompt = "fog", Width = 256, Height = 256, Steps = 4 };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muse-lora-");
    private readonly List<LoraFile> _files = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (LoraFile file in _files) file.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Switch_OfResidentWeights_PutsTheMergedBytesAtTheirAddresses(bool convolutions)
    {
        using var rig = new CudaRig();
        ComponentSpec[] components = [.. rig.Package.Manifest.Components.Where(component => component.Stages.Any(HasWeights))];
        foreach (ComponentSpec component in components) rig.Sessions.Weights(component).BeforeStage(0);
        AppliedLoras?[] sets = [Applied(rig, "a", seed: 1, convolutions), Applied(rig, "b", seed: 2, convolutions), null];
        foreach (AppliedLoras? loras in sets)
        {
            rig.Sessions.Switch(loras, Cancellation);
            int changed = 0;
            foreach (ComponentSpec component in components)
            {
                StageWeights weights = rig.Sessions.Weights(component);
                foreach ((int index, StageSpec stage) in component.Stages.Index().Where(stage => HasWeights(stage.Item)))
                {
                    weights.BeforeStage(index);
                    foreach (WeightSpec weight in stage.Weights)
                    {
                        if (loras?.Touches(weight) == true) changed++;
                        byte[] found = Download(rig, weights.Address(index, weight), weight);
                        bool isEqual = Expected(rig, component, weight, loras).SequenceEqual(found);
                        Assert.True(isEqual, $"{stage.Name}: {weight.Source}");
                    }
                }
            }

            Assert.Equal(loras is not null, changed > 0);
        }

        static bool HasWeights(StageSpec stage) => stage.Weights.Count > 0;
    }

    // The card finds the number, and the processor says which one it is.
    [Fact]
    public void Switch_ToLorasThatOverflowFp16_NamesTheFile()
    {
        using var rig = new CudaRig();
        ComponentSpec unet = rig.Component(ComponentNames.UNet);
        rig.Sessions.Weights(unet).BeforeStage(0);
        AppliedLoras loras = Applied(rig, "strong", seed: 1, convolutions: false, strength: 1e8f);
        var exception = Assert.Throws<LoraOverflowException>(() => rig.Sessions.Switch(loras, Cancellation));
        Assert.Contains("strong", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resident")]
    [InlineData("swapped out")]
    [InlineData("streamed")]
    [InlineData("staged")]
    [InlineData("mixed")]
    public void Switch_InEveryPlace_EqualsResidentOfAFreshEngine(string place)
    {
        float[][] expected = [Fresh(null), Fresh(1), Fresh(2)];
        using var rig = new CudaRig();
        rig.PlaceUNet(Placement(place));
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        AppliedLoras?[] sets = [null, Applied(rig, "a", seed: 1), Applied(rig, "b", seed: 2)];
        foreach (int set in (int[])[0, 1, 2, 1, 0, 2])
        {
            Assert.True(rig.Sessions.KeepsBindings(rig.Component(ComponentNames.UNet), sets[set]));
            rig.Sessions.Switch(sets[set], Cancellation);
            for (int i = 0; i < 2; i++)
            {
                rig.Poison(runner.Address("noise"), runner.Size("noise"));
                Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected[set]), 0, 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("resident")]
    [InlineData("swapped out")]
    [InlineData("streamed")]
    [InlineData("mixed without staged")]
    public void Switch_BetweenCapturedRuns_KeepsTheCapture(string place)
    {
        float[][] expected = [Fresh(null), Fresh(1), Fresh(2)];
        using var rig = new CudaRig(new CudaOptions { CaptureSteps = true });
        rig.PlaceUNet(Placement(place));
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        using var step = new StepCapture(runner, rig.Sessions, rig.Device);
        using RunOptions options = rig.Device.CreateRunOptions();
        AppliedLoras?[] sets = [null, Applied(rig, "a", seed: 1), Applied(rig, "b", seed: 2)];
        for (int i = 0; i < Runs; i++) step.Run(options, isLastRound: false, Cancellation);
        Assert.True(step.IsCaptured);
        foreach (int set in (int[])[1, 2, 0, 1])
        {
            rig.Sessions.Switch(sets[set], Cancellation);
            for (int i = 0; i < Runs; i++)
            {
                rig.Poison(runner.Address("noise"), runner.Size("noise"));
                step.Run(options, isLastRound: false, Cancellation);
                // A capture that was dropped would be made again after two plain runs.
                Assert.True(step.IsCaptured);
                Assert.InRange(CudaRig.RelativeError(rig.Read(runner, "noise"), expected[set]), 0, 1e-5);
                if (i % 2 == 1) rig.Sessions.ReleaseIdle();
            }
        }
    }

    [Fact]
    public void Switch_ThatIsStopped_LoadsAgainWhatItChanged()
    {
        float[][] expected = [Fresh(null), Fresh(1)];
        using var rig = new CudaRig();
        AppliedLoras loras = Applied(rig, "a", seed: 1);
        using (ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape))
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected[0]), 0, 1e-5);
        IReadOnlyList<ComponentSpec> changed = rig.Sessions.ChangedBy(loras);
        Assert.ThrowsAny<OperationCanceledException>(() => rig.Sessions.Switch(loras, new CancellationToken(canceled: true)));
        rig.Sessions.Abandon(changed);
        using (ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape))
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected[0]), 0, 1e-5);
        rig.Sessions.Switch(loras, Cancellation);
        using (ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape))
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected[1]), 0, 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_WithLoras_GivesTheSameBytesInEveryMode(bool convolutions)
    {
        CudaRig.Require();
        PictureRequest first = With("a", seed: 1, convolutions), second = With("b", seed: 2, convolutions);
        byte[]? expected = null, plain = null;
        foreach (OffloadMode mode in Enum.GetValues<OffloadMode>())
        {
            AtelierOptions options = CudaRig.Options() with { Offload = mode };
            await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
            byte[] before = await PaintAsync(atelier, Request);
            byte[] one = await PaintAsync(atelier, first), two = await PaintAsync(atelier, second);
            Assert.NotEqual(before, one);
            Assert.NotEqual(one, two);
            Assert.Equal(plain ??= before, before);
            Assert.Equal(expected ??= two, two);
            Assert.Equal(one, await PaintAsync(atelier, first));
            Assert.Equal(plain, await PaintAsync(atelier, Request));
        }

        await using Atelier alone = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Assert.Equal(expected, await PaintAsync(alone, second));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_WithOtherLorasInTheSecondPass_GivesTheSameBytesInEveryMode(bool convolutions)
    {
        CudaRig.Require();
        PictureRequest same = With("a", seed: 1, convolutions) with { Hires = new HiresPass { Scale = 1.25f, Steps = 2 } };
        PictureRequest switching = same with { Hires = same.Hires! with { Loras = With("b", seed: 2, convolutions).Loras } };
        PictureRequest none = same with { Hires = same.Hires! with { Loras = [] } };
        byte[]? expected = null, plain = null, shared = null;
        foreach (OffloadMode mode in Enum.GetValues<OffloadMode>())
        {
            AtelierOptions options = CudaRig.Options() with { Offload = mode };
            await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
            byte[] first = await PaintAsync(atelier, switching);
            Assert.Equal(expected ??= first, first);
            // The first pass is painted again after the second pass's LoRAs were in force, and so is a picture without any.
            Assert.Equal(expected, await PaintAsync(atelier, switching));
            byte[] alone = await PaintAsync(atelier, none), both = await PaintAsync(atelier, same);
            Assert.Equal(plain ??= alone, alone);
            Assert.Equal(shared ??= both, both);
        }

        Assert.NotEqual(expected, plain);
        Assert.NotEqual(expected, shared);
        Assert.NotEqual(plain, shared);
    }

    // A card merges in the package's types, so the bits of the overlay are those that the engine makes in memory.
    [Fact]
    public async Task Generate_OfAnOverlay_EqualsTheMergeInMemory()
    {
        CudaRig.Require();
        PictureRequest request = With("a", seed: 1, convolutions: true);
        string basis = Path.Combine(_folder.FullName, "base"), overlay = Path.Combine(_folder.FullName, "overlay");
        CheckpointExporter.Export(
            CudaRig.Checkpoint, basis, new ExportOptions { Lowering = Lowering.Cuda }, cancellationToken: Cancellation);
        using (var file = LoraFile.Open(request.Loras[0].Path))
            LoraOverlay.Write(basis, "changed", [new LoraUse(file, 1, 1)], overlay, Cancellation);
        await using Atelier one = await Atelier.OpenAsync(basis, CudaRig.Options(), cancellationToken: Cancellation);
        await using Atelier other = await Atelier.OpenAsync(overlay, CudaRig.Options(), cancellationToken: Cancellation);
        byte[] merged = await PaintAsync(one, request);
        Assert.Equal(merged, await PaintAsync(other, Request));
        Assert.NotEqual(merged, await PaintAsync(one, Request));
    }

    [Fact]
    public async Task Generate_CancelledWhileWeightsAreMerged_LeavesNothingBehind()
    {
        CudaRig.Require();
        PictureRequest request = With("a", seed: 1, convolutions: true);
        await using Atelier alone = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        byte[] plain = await PaintAsync(alone, Request), expected = await PaintAsync(alone, request);
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Assert.Equal(plain, await PaintAsync(atelier, Request));
        for (int milliseconds = 0; milliseconds < 40; milliseconds += 4)
        {
            using var cancelling = new CancellationTokenSource(milliseconds);
            try
            {
                await atelier.GenerateAsync(request, cancellationToken: cancelling.Token);
            }
            catch (OperationCanceledException)
            {
                // Whether the switch or a later step was stopped, the next picture is whole.
            }

            Assert.Equal(milliseconds % 8 == 0 ? plain : expected, await PaintAsync(atelier, milliseconds % 8 == 0 ? Request : request));
        }
    }

    private static Func<int, StagePlacement> Placement(string place) => place switch
    {
        "resident" => _ => StagePlacement.Resident,
        "swapped out" => _ => StagePlacement.SwappedOut,
        "streamed" => _ => StagePlacement.Streamed,
        "staged" => _ => StagePlacement.Staged,
        "mixed without staged" => stage => (stage % 3) switch
        {
            0 => StagePlacement.Resident,
            1 => StagePlacement.SwappedOut,
            _ => StagePlacement.Streamed,
        },
        _ => stage => (stage % 4) switch
        {
            0 => StagePlacement.Resident,
            1 => StagePlacement.SwappedOut,
            2 => StagePlacement.Streamed,
            _ => StagePlacement.Staged,
        },
    };

    private static async Task<byte[]> PaintAsync(Atelier atelier, PictureRequest request)
    {
        using Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        return picture.Pixels.ToArray();
    }

    private static unsafe byte[] Expected(CudaRig rig, ComponentSpec component, WeightSpec weight, AppliedLoras? loras)
    {
        byte[] bytes = new byte[weight.Bytes];
        if (loras?.Touches(weight) == true) loras.Merge(component, weight, bytes);
        else new ReadOnlySpan<byte>((void*)rig.Package.MappedWeight(weight), bytes.Length).CopyTo(bytes);
        return bytes;
    }

    private static byte[] Download(CudaRig rig, nint address, WeightSpec weight)
    {
        using NativeBuffer host = rig.Device.AllocateHost(weight.Bytes);
        rig.Device.Download(address, host.Address, host.Bytes);
        rig.Device.Synchronize();
        return host.AsSpan<byte>().ToArray();
    }

    // What a fresh engine computes with all weights resident; null for no LoRA.
    private float[] Fresh(int? seed)
    {
        using var rig = new CudaRig();
        if (seed is { } number) rig.Sessions.Switch(Applied(rig, $"fresh-{number}", (ulong)number), Cancellation);
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        return rig.Run(runner, "noise");
    }

    private AppliedLoras Applied(CudaRig rig, string name, ulong seed, bool convolutions = false, float strength = 1)
    {
        var file = LoraFile.Open(Write(name, seed, convolutions));
        _files.Add(file);
        return new AppliedLoras(rig.Package, LoraSet.Of(rig.Package.Manifest, [new LoraUse(file, strength, strength)]));
    }

    private PictureRequest With(string name, ulong seed, bool convolutions) =>
        Request with { Loras = [new PictureLora { Path = Write(name, seed, convolutions) }] };

    private string Write(string name, ulong seed, bool convolutions)
    {
        string path = Path.Combine(_folder.FullName, $"{name}.safetensors");
        using SafetensorsFile checkpoint = SafetensorsFile.Open(CudaRig.Checkpoint);
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> shapes = RandomLora.Shapes(
            checkpoint.Tensors.Values.Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Shape)), Rank, convolutions);
        RandomCheckpoint.Write(path, shapes, seed: seed, cancellationToken: Cancellation);
        return path;
    }
}
