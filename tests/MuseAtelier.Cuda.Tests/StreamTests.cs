using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Tests;

public sealed class StreamTests
{
    private static readonly PictureShape Shape = new(1, 32, 32, 1);

    [Theory]
    [InlineData(ComponentNames.VaeDecoder, "image")]
    [InlineData(ComponentNames.UNet, "noise")]
    public void Run_WaitedForOnOurStreamAlone_IsComplete(string component, string output)
    {
        using var rig = new CudaRig();
        using ComponentRunner runner = rig.Runner(component, Shape);
        float[] expected = rig.Run(runner, output);
        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        for (int i = 0; i < 10; i++)
        {
            rig.Poison(runner.Address(output), runner.Size(output));
            // Were the run on another stream, the poison would still lie there.
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, output), expected), 0, 2e-3);
        }
    }

    [Fact]
    public void Run_WithWeightsOverwrittenInPlace_ChangesWithThem()
    {
        using var rig = new CudaRig();
        ComponentSpec component = rig.Component(ComponentNames.CrossAttention);
        using ComponentRunner runner = rig.Runner(ComponentNames.CrossAttention, Shape);
        StageWeights weights = rig.Sessions.Weights(component);
        TensorSpec output = component.Outputs[0];
        int stage = component.Stages.ToList().FindIndex(candidate => candidate.Outputs.Any(binding => binding.Tensor == output.Name));
        Half[] before = Read();
        Assert.Contains(before, value => value != Half.Zero);

        List<byte[]> kept = [];
        foreach (WeightSpec weight in component.Stages[stage].Weights)
            kept.Add(Replace(weights.Address(stage, weight), new byte[weight.Bytes]));
        Assert.All(Read(), value => Assert.Equal(Half.Zero, value));

        for (int i = 0; i < kept.Count; i++) Replace(weights.Address(stage, component.Stages[stage].Weights[i]), kept[i]);
        Assert.Equal(before, Read());

        Half[] Read()
        {
            using RunOptions options = rig.Device.CreateRunOptions();
            runner.Run(options, TestContext.Current.CancellationToken);
            using NativeBuffer host = rig.Device.AllocateHost(runner.Size(output.Name));
            rig.Device.Download(runner.Address(output.Name), host.Address, host.Bytes);
            rig.Device.Synchronize();
            return host.AsSpan<Half>().ToArray();
        }

        byte[] Replace(nint address, byte[] bytes)
        {
            using NativeBuffer host = rig.Device.AllocateHost(bytes.Length);
            rig.Device.Download(address, host.Address, bytes.Length);
            rig.Device.Synchronize();
            byte[] old = host.AsSpan<byte>().ToArray();
            bytes.CopyTo(host.AsSpan<byte>());
            rig.Device.Upload(host.Address, address, bytes.Length);
            rig.Device.Synchronize();
            return old;
        }
    }
}
