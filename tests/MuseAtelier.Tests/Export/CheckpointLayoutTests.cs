using System.Runtime.InteropServices;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Checkpoints in the layouts and types that other tools write, and what is said of those that cannot be read.</summary>
public sealed class CheckpointLayoutTests(TestAtelier miniature) : IDisposable
{
    private const string UNet = "model.diffusion_model.";
    private const string ClipL = "conditioner.embedders.0.transformer.text_model.";
    private const string ClipG = "conditioner.embedders.1.model.";
    private const string Vae = "first_stage_model.";

    private readonly TemporaryFolder _folder = new();
    private int _refused;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("text_projection.weight")]
    [InlineData("VAE attention as matrices")]
    [InlineData("proj_in as convolutions")]
    [InlineData("1x1 convolutions as matrices")]
    [InlineData("VAE without a prefix")]
    [InlineData("other prefixes")]
    [InlineData("CLIP-G under transformers' names")]
    [InlineData("copies for training")]
    [InlineData("F64")]
    public void Export_OfAnotherLayout_GivesTheSameFiles(string layout)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        Arrange(raw, layout);
        PackageManifest changed = Export(raw, "changed"), original = PackageManifest.Read(miniature.Atelier.Model.Package);
        if (layout == "F64")
        {
            // Widened weights are kept as F32: the numbers are equal, the files are not.
            Assert.Equal(original.Model, changed.Model);
            return;
        }

        Assert.Equal(original.Files, changed.Files);
        Assert.Equal(original.Components.Count, changed.Components.Count);
    }

    [Theory]
    [InlineData("F8_E4M3")]
    [InlineData("F8_E5M2")]
    public void Export_OfFp8_GivesThePackageOfTheSameNumbersInF16(string type)
    {
        // Every code but NaNs and infinities occurs; the reference is a checkpoint in which each weight is the number that its code stands
        // for.
        RawCheckpoint codes = RawCheckpoint.Miniature(), numbers = RawCheckpoint.Miniature();
        codes.Set("scaled_fp8", type, [0], []);
        foreach (string name in Quantised(codes))
        {
            byte[] quantised = Quantise(codes.Floats(name), type);
            codes.Set(name, type, codes.Tensors[name].Shape, quantised);
            float[] values = new float[quantised.Length];
            Float8.Widen(type, quantised, values);
            numbers.SetHalves(name, values, codes.Tensors[name].Shape);
        }

        Assert.Equal(Export(numbers, "numbers").Files, Export(codes, "codes").Files);
    }

    [Theory]
    [InlineData("scale_weight", false)]
    [InlineData("weight_scale", false)]
    [InlineData("scale_weight", true)]
    public void Export_OfScaledFp8_MultipliesByTheScale(string scaleName, bool byRow)
    {
        RawCheckpoint codes = RawCheckpoint.Miniature(), numbers = RawCheckpoint.Miniature();
        foreach (string name in Quantised(codes))
        {
            string owner = name[..^"weight".Length];
            long[] shape = codes.Tensors[name].Shape;
            long rows = byRow ? shape[0] : 1, rowLength = codes.Tensors[name].Bytes.Length / 2 / rows;
            // Powers of two and others: their products round as F16 rounds.
            float[] scales = [.. Enumerable.Range(0, (int)rows).Select(row => 0.0007f + 0.0001f * (row % 5))];
            byte[] quantised = Quantise([.. codes.Floats(name).Select((value, i) => value / scales[i / (int)rowLength])], "F8_E4M3");
            codes.Set(name, "F8_E4M3", shape, quantised);
            codes.SetSingles(owner + scaleName, scales, byRow ? [rows, 1] : []);
            codes.SetSingles(owner + "scale_input", [1f], []);
            float[] values = new float[quantised.Length];
            Float8.Widen("F8_E4M3", quantised, values);
            numbers.SetHalves(name, [.. values.Select((value, i) => value * scales[i / (int)rowLength])], shape);
        }

        Assert.Equal(Export(numbers, "numbers").Files, Export(codes, "codes").Files);
    }

    [Fact]
    public async Task Open_OfAVaeWithoutEncoder_PaintsAndRefusesOnlyToEncode()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.Rename(name => name.StartsWith($"{Vae}encoder.", StringComparison.Ordinal)
            || name.StartsWith($"{Vae}quant_conv.", StringComparison.Ordinal) ? null : name);
        await using Atelier atelier = await Atelier.OpenAsync(
            raw.Write(_folder["half.safetensors"]), TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        PictureRequest request = TestAtelier.Small with { Steps = 1 };
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: Cancellation),
            original = await miniature.ReferenceAsync(request);
        Assert.Equal(original.Pixels.ToArray(), picture.Pixels.ToArray());

        PictureRequest painted = request with { Source = new PictureSource(Starry.Small) };
        var refusal = await Assert.ThrowsAsync<ModelPartMissingException>(() =>
            atelier.GenerateAsync(painted, cancellationToken: Cancellation));
        Assert.Equal(ComponentNames.VaeEncoder, refusal.Part);

        string golden = Path.Combine(GoldenFiles.Folder, "miniature.golden.safetensors");
        var exception = await Assert.ThrowsAsync<ModelPartMissingException>(
            () => ReferenceCheck.RunAsync(atelier.Model.Package, golden, TestAtelier.Options, cancellationToken: Cancellation));
        Assert.Equal(ComponentNames.VaeEncoder, exception.Part);
    }

    // What SSD-1B, Segmind Vega and KOALA leave out of SDXL's UNet: transformer blocks, the middle's attention, all of the middle, a
    // ResBlock of each level.
    [Theory]
    [InlineData("no attention in the middle")]
    [InlineData("no middle")]
    [InlineData("uneven depths")]
    [InlineData("one ResBlock a level")]
    public async Task Open_OfADistilledUNet_Paints(string design)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        Distil(raw, design);
        await using Atelier atelier = await Atelier.OpenAsync(
            raw.Write(_folder["distilled.safetensors"]), TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        Picture picture = await atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: Cancellation);
        Assert.NotEmpty(picture.Pixels.ToArray());
        CheckpointExporter.Describe(_folder["distilled.safetensors"], new ExportOptions { Lowering = Lowering.Cuda });
    }

    [Theory]
    [InlineData(Vae, "VAE", "UNet, CLIP-L, CLIP-G")]
    [InlineData("conditioner.embedders.0.", "CLIP-L", "UNet, CLIP-G, VAE")]
    public void Export_WithoutAPart_NamesThePart(string prefix, string missing, string present)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.Rename(name => name.StartsWith(prefix, StringComparison.Ordinal) ? null : name);
        MissingPartException exception = Refuse<MissingPartException>(raw);
        Assert.Equal([missing], exception.Missing);
        Assert.Contains($"has no {missing}: it holds only {present}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("I8", 1)]
    [InlineData("I32", 4)]
    [InlineData("BOOL", 1)]
    [InlineData("U8", 1)]
    [InlineData("F8_E8M0", 1)]
    [InlineData("X9", 3)]
    public void Export_OfATypeThatIsNotRead_NamesTheType(string type, int size)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        string name = UNet + "input_blocks.0.0.weight";
        raw.Set(name, type, raw.Tensors[name].Shape, new byte[raw.Tensors[name].Bytes.Length / 2 * size]);
        TensorTypeException exception = Refuse<TensorTypeException>(raw);
        Assert.Equal((name, type), (exception.Name, exception.Type));
    }

    [Theory]
    [InlineData("weight.absmax", "bitsandbytes")]
    [InlineData("weight.quant_state.bitsandbytes__nf4", "NF4")]
    [InlineData("SCB", "int8")]
    [InlineData("qweight", "GPTQ")]
    public void Export_OfAQuantisedFormat_ThrowsWithTheFormat(string mark, string format)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        string owner = UNet + "middle_block.1.proj_in.";
        raw.Set(owner + "weight", "U8", [128 * 64, 1], new byte[128 * 64]);
        raw.Set(owner + mark, "U8", [4], new byte[4]);
        Assert.Contains(format, Refuse<QuantisedCheckpointException>(raw).Format, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClipL + "encoder.layers.0.mlp.fc1.weight", ComponentNames.ClipL, 0x7E00)]
    [InlineData(ClipG + "transformer.resblocks.1.attn.in_proj_weight", ComponentNames.ClipG, 0x7C00)]
    [InlineData(UNet + "middle_block.0.in_layers.2.weight", ComponentNames.UNet, 0xFC00)]
    [InlineData(Vae + "decoder.conv_in.weight", ComponentNames.VaeDecoder, 0x7E00)]
    [InlineData(UNet + "time_embed.0.bias", ComponentNames.TimeEmbedding, 0x7E00)]
    public void Export_OfADamagedWeight_NamesPartAndTensor(string name, string component, int code)
    {
        foreach (Lowering lowering in (Lowering[])[Lowering.Portable, Lowering.Cuda])
        {
            RawCheckpoint raw = RawCheckpoint.Miniature();
            // The last element, behind what vectors take.
            BitConverter.TryWriteBytes(raw.Tensors[name].Bytes.AsSpan(^2..), (ushort)code);
            DamagedWeightException exception = Refuse<DamagedWeightException>(raw, lowering);
            Assert.Equal(component, exception.Component);
            Assert.Contains(name, exception.Weight, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a block after a gap")]
    [InlineData("a huge block")]
    [InlineData("a block beyond any number")]
    [InlineData("a tensor without elements")]
    [InlineData("16 latent channels")]
    [InlineData("five levels")]
    [InlineData("narrow text")]
    [InlineData("a wide query")]
    [InlineData("a short skip")]
    [InlineData("a small vocabulary")]
    [InlineData("an odd kernel")]
    public void Export_OfAnotherDesign_NamesWhatIsWrong(string design)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        string wrong = Spoil(raw, design);
        Assert.Contains(wrong, Refuse<MissingTensorsException>(raw).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Export_OfAMisshapenTensor_NamesItsType()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.Reshape(UNet + "out.2.bias", 2, 2);
        Assert.Contains("found [2, 2] of F16, expected [4]", Refuse<MissingTensorsException>(raw).Message, StringComparison.Ordinal);
    }

    private static void Arrange(RawCheckpoint raw, string layout)
    {
        switch (layout)
        {
            case "text_projection.weight":
                Transpose(raw, ClipG + "text_projection", ClipG + "text_projection.weight");
                break;
            case "VAE attention as matrices":
                foreach (string name in Named(raw, ".attn_1.", ".weight").Where(name => raw.Tensors[name].Shape.Length == 4))
                    raw.Reshape(name, raw.Tensors[name].Shape[..2]);
                break;
            case "proj_in as convolutions":
                foreach (string name in Named(raw, ".proj_", ".weight")
                    .Where(name => name.StartsWith(UNet, StringComparison.Ordinal))) raw.Reshape(name, [.. raw.Tensors[name].Shape, 1, 1]);
                break;
            case "1x1 convolutions as matrices":
                foreach (string name in raw.Tensors.Keys.Where(name => raw.Tensors[name].Shape is [_, _, 1, 1]).ToArray())
                    raw.Reshape(name, raw.Tensors[name].Shape[..2]);
                break;
            case "VAE without a prefix":
                raw.Rename(name => name.StartsWith(Vae, StringComparison.Ordinal) ? name[Vae.Length..] : name);
                break;
            case "other prefixes":
                raw.Rename(name => name.Replace(UNet, "diffusion_model.", StringComparison.Ordinal)
                    .Replace(Vae, "vae.", StringComparison.Ordinal)
                        .Replace(ClipL, "conditioner.embedders.0.transformer.", StringComparison.Ordinal));
                break;
            case "CLIP-G under transformers' names":
                RenameClipG(raw);
                break;
            case "copies for training":
                raw.SetHalves("model_ema.diffusion_modelinput_blocks00weight", [1, 2], [2]);
                raw.SetHalves("model_ema.decay", [1], []);
                raw.SetHalves("denoiser.sigmas", [1, 2, 3], [3]);
                raw.Set("optimizer.steps", "I32", [1], new byte[4]);
                break;
            default:
                foreach (string name in raw.Tensors.Keys.Where(name => raw.Tensors[name].Type == "F16").ToArray())
                    raw.Set(name, "F64", raw.Tensors[name].Shape,
                        MemoryMarshal.AsBytes<double>(Array.ConvertAll(raw.Floats(name), value => (double)value)).ToArray());
                break;
        }
    }

    private static void Distil(RawCheckpoint raw, string design)
    {
        switch (design)
        {
            case "no attention in the middle":
                raw.Rename(name => name.StartsWith($"{UNet}middle_block.1.", StringComparison.Ordinal)
                    || name.StartsWith($"{UNet}middle_block.2.", StringComparison.Ordinal) ? null : name);
                break;
            case "no middle":
                raw.Rename(name => name.StartsWith($"{UNet}middle_block.", StringComparison.Ordinal) ? null : name);
                break;
            case "uneven depths":
                // A second block where the first level with attention ends; none where the last begins.
                foreach (string name in Named(raw, $"{UNet}output_blocks.2.1.transformer_blocks.0.", ""))
                    raw.Tensors[name.Replace("transformer_blocks.0.", "transformer_blocks.1.", StringComparison.Ordinal)] =
                        raw.Tensors[name];
                raw.Rename(name => name.StartsWith($"{UNet}input_blocks.7.1.", StringComparison.Ordinal) ? null : name);
                break;
            default:
                raw.Rename(OneBlockALevel);
                break;
        }
    }

    // Blocks down: first, ResBlock, half, ResBlock, half, ResBlock. The Miniature's widths are 64, 128, 128, so that its own second blocks
    // up fit.
    private static string? OneBlockALevel(string name)
    {
        (string From, string? To)[] moves =
        [
            ("input_blocks.2.", null), ("input_blocks.3.", "input_blocks.2."), ("input_blocks.4.", "input_blocks.3."),
                ("input_blocks.5.", null),
            ("input_blocks.6.", "input_blocks.4."), ("input_blocks.7.", "input_blocks.5."), ("input_blocks.8.", null),
            ("output_blocks.0.", "output_blocks.0."), ("output_blocks.1.", null), ("output_blocks.2.", "output_blocks.1."),
            ("output_blocks.3.", "output_blocks.2."), ("output_blocks.4.", null), ("output_blocks.5.", "output_blocks.3."),
            ("output_blocks.6.", "output_blocks.4."), ("output_blocks.7.", null), ("output_blocks.8.", "output_blocks.5."),
        ];
        foreach ((string from, string? to) in moves)
            if (name.StartsWith(UNet + from, StringComparison.Ordinal))
                return to is null ? null : UNet + to + name[(UNet.Length + from.Length)..];
        return name;
    }

    private static string Spoil(RawCheckpoint raw, string design)
    {
        const string first = UNet + "input_blocks.0.0.weight";
        switch (design)
        {
            case "a block after a gap":
                raw.Rename(name => name.StartsWith($"{UNet}input_blocks.4.", StringComparison.Ordinal) ? null : name);
                return $"{UNet}input_blocks.4 (missing, though there is a block 5)";
            case "a huge block":
                raw.SetHalves($"{UNet}input_blocks.2147483646.0.weight", [1], [1]);
                return "input_blocks.2147483646.0.weight (block numbers from 0 to 63";
            case "a block beyond any number":
                raw.SetHalves($"{Vae}decoder.up.99999999999999999999.x", [1], [1]);
                return "block numbers from 0 to 63";
            case "a tensor without elements":
                raw.Set(first, "F16", [0, 4, 3, 3], []);
                return "found [0, 4, 3, 3] of F16";
            case "16 latent channels":
                raw.SetHalves(first, new float[64 * 16 * 9], [64, 16, 3, 3]);
                return "found [64, 16, 3, 3] of F16, expected [64, 4, 3, 3]";
            case "five levels":
                foreach (string name in Named(raw, $"{Vae}decoder.up.3.", ""))
                    raw.Tensors[name.Replace(".up.3.", ".up.4.", StringComparison.Ordinal)] = raw.Tensors[name];
                return "found 5 levels, 4 were expected";
            case "narrow text":
                raw.Reshape($"{UNet}middle_block.1.transformer_blocks.0.attn2.to_k.weight", 256, 64);
                return "found [256, 64] of F16, expected [128, 128]";
            case "a wide query":
                raw.SetHalves($"{UNet}middle_block.1.transformer_blocks.0.attn1.to_q.weight", new float[256 * 128], [256, 128]);
                return "found [256, 128] of F16, expected [128, 128]";
            case "a short skip":
                raw.Rename(name => name.StartsWith($"{UNet}output_blocks.8.", StringComparison.Ordinal) ? null : name);
                return "8 blocks up were found for 9 blocks down";
            case "a small vocabulary":
                raw.SetHalves($"{ClipG}token_embedding.weight", new float[1000 * 64], [1000, 64]);
                return "found [1000, 64] of F16, expected [49408, 64]";
            default:
                raw.SetHalves($"{UNet}input_blocks.1.0.in_layers.2.weight", new float[64 * 64 * 4], [64, 64, 2, 2]);
                return "found [64, 64, 2, 2] of F16, expected [64, 64, 3, 3]";
        }
    }

    // As diffusers' converters name them: q, k and v apart, and the projection a layer of its own beside the text model.
    private static void RenameClipG(RawCheckpoint raw)
    {
        const string target = "conditioner.embedders.1.transformer.", model = target + "text_model.";
        Transpose(raw, ClipG + "text_projection", target + "text_projection.weight");
        foreach (string name in Named(raw, ".attn.in_proj_", ""))
        {
            (RawCheckpoint.Tensor tensor, string end) =
                (raw.Tensors[name], name.EndsWith("bias", StringComparison.Ordinal) ? "bias" : "weight");
            int part = tensor.Bytes.Length / 3;
            for (int i = 0; i < 3; i++)
                raw.Tensors[name.Replace($"attn.in_proj_{end}", $"self_attn.{"qkv"[i]}_proj.{end}", StringComparison.Ordinal)] =
                    tensor with { Shape = [tensor.Shape[0] / 3, .. tensor.Shape[1..]], Bytes = tensor.Bytes[(i * part)..((i + 1) * part)] };
            raw.Tensors.Remove(name);
        }

        (string From, string To)[] words =
        [
            (ClipG + "transformer.resblocks.", model + "encoder.layers."), (".ln_1.", ".layer_norm1."), (".ln_2.", ".layer_norm2."),
                (".attn.out_proj.", ".self_attn.out_proj."),
            (".mlp.c_fc.", ".mlp.fc1."), (".mlp.c_proj.", ".mlp.fc2."), (ClipG + "ln_final.", model + "final_layer_norm."),
            (ClipG + "token_embedding.", model + "embeddings.token_embedding."),
                (ClipG + "positional_embedding", model + "embeddings.position_embedding.weight"), (ClipG, target),
        ];
        raw.Rename(name => name.StartsWith(ClipG, StringComparison.Ordinal)
            ? words.Aggregate(name, (text, word) => text.Replace(word.From, word.To, StringComparison.Ordinal)) : name);
    }

    private static void Transpose(RawCheckpoint raw, string from, string to)
    {
        float[] values = raw.Floats(from), turned = new float[values.Length];
        int rows = (int)raw.Tensors[from].Shape[0], columns = (int)raw.Tensors[from].Shape[1];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) turned[j * rows + i] = values[i * columns + j];
        raw.Tensors.Remove(from);
        raw.SetHalves(to, turned, [columns, rows]);
    }

    private static string[] Named(RawCheckpoint raw, string part, string end) =>
        raw.Tensors.Keys.Where(name => name.Contains(part, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal))
            .ToArray();

    // What fp8 checkpoints quantise: the UNet's weights of more than one dimension.
    private static IEnumerable<string> Quantised(RawCheckpoint raw) =>
        Named(raw, UNet, ".weight").Where(name => raw.Tensors[name].Shape.Length > 1);

    // The nearest code for each number, by searching all of them. Every code that is finite is put somewhere at the beginning.
    private static byte[] Quantise(float[] values, string type)
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Select(code => (byte)code)];
        float[] meanings = new float[256];
        Float8.Widen(type, codes, meanings);
        byte[] usable = [.. codes.Where(code => float.IsFinite(meanings[code])).OrderBy(code => meanings[code])];
        float[] sorted = [.. usable.Select(code => meanings[code])];
        byte[] quantised = new byte[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int above = Array.BinarySearch(sorted, values[i]);
            if (above < 0) above = Math.Min(~above, sorted.Length - 1);
            int nearest = above > 0 && values[i] - sorted[above - 1] < sorted[above] - values[i] ? above - 1 : above;
            quantised[i] = i < usable.Length ? usable[i] : usable[nearest];
        }

        return quantised;
    }

    private PackageManifest Export(RawCheckpoint raw, string name)
    {
        CheckpointExporter.Export(
            raw.Write(_folder[$"{name}.safetensors"]), _folder[name], new ExportOptions(), cancellationToken: Cancellation);
        return PackageManifest.Read(_folder[name]);
    }

    private T Refuse<T>(RawCheckpoint raw, Lowering lowering = Lowering.Portable)
        where T : CheckpointException
    {
        // A name of its own: a process that another test starts may hold the file of the last call open for a moment.
        string path = raw.Write(_folder[$"refused-{_refused++}.safetensors"]);
        T exception = Assert.Throws<T>(
            () => CheckpointExporter.Export(
                path, _folder["refused"], new ExportOptions { Lowering = lowering }, cancellationToken: Cancellation));
        Assert.Equal(path, exception.Path);
        Assert.False(Directory.Exists(_folder["refused"]));
        return exception;
    }
}
