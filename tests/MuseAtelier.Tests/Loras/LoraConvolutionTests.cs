using System.Runtime.InteropServices;
using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Loras;

/// <summary>Changes of constants, which are part of their sessions, compared with a checkpoint that has the changed values.</summary>
public sealed class LoraConvolutionTests(TestAtelier miniature) : IDisposable
{
    private const string UNet = "model.diffusion_model.";
    private const float Strength = 0.5f;

    // A first and a second convolution of a block, the two ends of the network, and the bias behind the output projection.
    private static readonly string[] Changed =
    [
        "input_blocks.0.0.weight", "input_blocks.1.0.in_layers.2.weight", "input_blocks.1.0.out_layers.3.bias",
        "middle_block.0.out_layers.3.weight",
        "middle_block.1.proj_out.bias", "middle_block.1.proj_in.weight", "out.2.weight",
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muse-lora-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Switch_ToChangedConvolutions_ComputesWhatTheChangedCheckpointComputes()
    {
        string lora = Path.Combine(_folder.FullName, "lora.safetensors");
        string checkpoint = Path.Combine(_folder.FullName, "changed.safetensors");
        Write(lora, checkpoint);
        AtelierOptions options = TestAtelier.Options with { CacheFolder = Path.Combine(_folder.FullName, "cache") };
        float[] expected;
        using (OpenedModel changed = OpenedModel.Open(checkpoint, options, null, Cancellation)) expected = Predict(changed);

        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        float[] plain = Predict(model);
        using var file = LoraFile.Open(lora);
        var loras = new AppliedLoras(
            model.Package, LoraSet.Of(model.Package.Manifest, [new LoraUse(file, Strength, Strength)]));
        ComponentSpec unet = model.Package.Manifest.Component(ComponentNames.UNet);
        Assert.Contains(unet.Stages, loras.ChangesConstants);
        Assert.False(model.Sessions.KeepsBindings(unet, loras));
        model.FreeDenoiser();
        model.Sessions.Switch(loras, Cancellation);
        Assert.InRange(Error(expected, Predict(model)), 0, 1e-6);
        Assert.True(Error(expected, plain) > 0.01);

        model.FreeDenoiser();
        model.Sessions.Switch(null, Cancellation);
        Assert.Equal(plain, Predict(model));
    }

    private static double Error(float[] expected, float[] actual) =>
        MadeUpModel.RelativeError([.. expected.Select(value => (double)value)], actual);

    private static float[] Predict(OpenedModel model)
    {
        GoldenFile inputs = GoldenFiles.Miniature;
        float[] context = inputs.Floats("unet.sq.context"), pooled = inputs.Floats("unet.sq.pooled");
        int tokens = context.Length / 2, width = pooled.Length / 2;
        PromptEmbeds[] rows =
            [new PromptEmbeds(77, context[..tokens], pooled[..width]), new PromptEmbeds(77, context[tokens..], pooled[width..])];
        float[] timeIds = inputs.Floats("unet.sq.time_ids")[..6];
        float timestep = inputs.Floats("unet.sq.timestep")[0];
        return [.. model.Predict(rows, timeIds, timestep, 16, 16, input => inputs.Floats("unet.sq.x").CopyTo(input))];
    }

    // Writes full differences, and the checkpoint with these differences in fp32.
    private static void Write(string lora, string checkpoint)
    {
        using SafetensorsFile source = SafetensorsFile.Open(TestAtelier.Checkpoint);
        Dictionary<string, float[]> differences = [];
        foreach (string name in Changed)
        {
            float[] values = source.ReadFloats(UNet + name);
            float size = values.Max(Math.Abs);
            for (int i = 0; i < values.Length; i++) values[i] = (float)(Half)(0.3f * size * MathF.Sin(i * 1.7f));
            differences[UNet + name] = values;
        }

        SafetensorsDeclaration[] tensors =
        [
            .. source.Tensors.Values.OrderBy(tensor => tensor.Offset)
                .Select(tensor => new SafetensorsDeclaration(
                    tensor.Name, tensor.Type == ElementType.F16 ? ElementType.F32 : tensor.Type!.Value, tensor.Shape)),
        ];
        CheckpointVariant.Write(source, checkpoint, tensors, (name, values) =>
        {
            if (!differences.TryGetValue(name, out float[]? difference)) return;
            for (int i = 0; i < values.Length; i++) values[i] += Strength * difference[i];
        });
        SafetensorsDeclaration[] changes =
            [.. Changed.Select(name => new SafetensorsDeclaration(NameOf(name), ElementType.F32, source.Tensors[UNet + name].Shape))];
        using SafetensorsWriter writer = SafetensorsWriter.Create(lora, changes, new Dictionary<string, string>());
        foreach (string name in Changed) writer.Write(MemoryMarshal.AsBytes<float>(differences[UNet + name]));
        writer.Complete();
    }

    private static string NameOf(string name) => name.EndsWith(".bias", StringComparison.Ordinal)
        ? $"diffusion_model.{name[..^".bias".Length]}.diff_b"
        : $"diffusion_model.{name[..^".weight".Length]}.diff";
}
