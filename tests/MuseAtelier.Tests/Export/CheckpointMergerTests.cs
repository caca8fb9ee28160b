using System.Text.Json.Nodes;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Merging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Cli;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Merging of checkpoints, with made-up ones of a few tensors.</summary>
public sealed class CheckpointMergerTests : IDisposable
{
    private const string Kernel = "model.diffusion_model.input_blocks.0.0.weight";
    private const string Matrix = "model.diffusion_model.time_embed.0.weight";
    private const string Text = "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight";
    private const string Positions = "conditioner.embedders.0.transformer.text_model.embeddings.position_ids";
    private const string Other = "conditioner.embedders.1.model.ln_final.weight";
    private const string Decoder = "first_stage_model.decoder.conv_in.weight";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0.3f)]
    [InlineData(1.5f)]
    [InlineData(-0.25f)]
    public void Write_OfASum_WeighsEveryFloatingPointTensor(float weight)
    {
        RawCheckpoint a = Made(1), b = Made(2);
        Merge(a, b, null, weight);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        Assert.Equal(a.Tensors.Keys, merged.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (string name in (string[])[Kernel, Matrix, Text, Other, Decoder])
        {
            Assert.Equal(a.Tensors[name].Type, merged.Tensors[name].TypeName);
            AssertNear(Values(a, name).Zip(Values(b, name), (x, y) => x * (1 - (double)weight) + y * (double)weight), merged, name);
        }

        Assert.Equal(a.Tensors[Positions].Bytes, merged.Span(merged.Tensors[Positions]).ToArray());
    }

    [Fact]
    public void Write_OfADifference_AddsIt()
    {
        RawCheckpoint a = Made(1), b = Made(2), c = Made(3);
        Merge(a, b, c, 0.75f);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        foreach (string name in (string[])[Kernel, Matrix, Text, Other, Decoder])
        {
            double[] second = Values(b, name), third = Values(c, name);
            AssertNear(Values(a, name).Select((value, i) => value + 0.75 * (second[i] - third[i])), merged, name);
        }
    }

    [Fact]
    public void Write_WithAnInpaintingModel_MergesTheChannelsOfTheLatent()
    {
        RawCheckpoint a = Made(1), b = Made(2), c = Made(3);
        a.SetHalves(Kernel, Numbers(8 * 9 * 9, 7), [8, 9, 3, 3]);
        Merge(a, b, c, 0.5f);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        double[] own = Values(a, Kernel), second = Values(b, Kernel), third = Values(c, Kernel);
        AssertNear(
            own.Select((value, i) =>
            {
                int output = i / 81, inner = i % 81, base4 = output * 36 + inner;
                return inner < 36 ? value + 0.5 * (second[base4] - third[base4]) : value;
            }),
            merged,
            Kernel);
        Assert.Throws<MergeMismatchException>(() => Merge(Made(2), a, null, 0.5f));
    }

    // A difference of an inpainting model and a base model has the channels that both have.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_OfADifferenceWithOneInpaintingModel_MergesTheSharedChannels(bool isSecond)
    {
        RawCheckpoint a = Made(1), b = Made(2), c = Made(3);
        a.SetHalves(Kernel, Numbers(8 * 9 * 9, 7), [8, 9, 3, 3]);
        RawCheckpoint wide = isSecond ? b : c, narrow = isSecond ? c : b;
        wide.SetHalves(Kernel, Numbers(8 * 9 * 9, 8), [8, 9, 3, 3]);
        Merge(a, b, c, 0.5f);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        double[] own = Values(a, Kernel), nine = Values(wide, Kernel), four = Values(narrow, Kernel);
        double sign = isSecond ? 1 : -1;
        AssertNear(
            own.Select((value, i) =>
            {
                int output = i / 81, inner = i % 81;
                return inner < 36 ? value + sign * 0.5 * (nine[i] - four[output * 36 + inner]) : value;
            }),
            merged,
            Kernel);
    }

    [Theory]
    [InlineData(0, false, "a")]
    [InlineData(1, false, "b")]
    [InlineData(0, true, "a")]
    public void Write_WithAWeightThatLeavesOneAsItIs_CopiesItsBytes(float weight, bool isDifference, string expected)
    {
        RawCheckpoint a = Made(1);
        a.Metadata["author"] = "someone";
        Merge(a, Made(2), isDifference ? Made(3) : null, weight);
        Assert.Equal(File.ReadAllBytes(_folder[expected + ".safetensors"]), File.ReadAllBytes(_folder["out.safetensors"]));
        Assert.DoesNotContain(Directory.GetFiles(_folder[""]), file => file.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Write_WithAMarkBesideTheFile_CopiesTheTensorsAndWritesTheMark(float weight)
    {
        RawCheckpoint a = Made(1), b = Made(2);
        a.SetHalves(Text, [-0f, 2], [2]);
        b.SetHalves(Text, [3, -0f], [2]);
        foreach (string name in (string[])["a", "b"]) File.WriteAllText(_folder[name + ".yaml"], "parameterization: v");
        Merge(a, b, null, weight);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        Assert.Equal(CheckpointKind.SdxlVelocity, CheckpointInspector.Detect(merged));
        RawCheckpoint expected = weight == 0 ? a : b;
        foreach (string name in (string[])[Kernel, Matrix, Text, Other, Decoder])
            Assert.Equal(expected.Tensors[name].Bytes, merged.Span(merged.Tensors[name]).ToArray());
    }

    [Fact]
    public void Write_OfAFolderWithWeight0_GivesEqualTensorsAndTheMarksOfItsScheduler()
    {
        foreach (string name in (string[])["m", "n"])
        {
            SplitModel.WriteDiffusers(_folder[name]);
            SplitModel.WriteDescriptions(_folder[name], """{"prediction_type": "v_prediction", "rescale_betas_zero_snr": true}""");
        }

        var options = new MergeOptions { First = _folder["m"], Second = _folder["n"], Weight = 0 };
        CheckpointMerger.Write(options, _folder["out.safetensors"], null, Cancellation);
        using TensorFile folder = CheckpointFile.Open(_folder["m"]), merged = CheckpointFile.Open(_folder["out.safetensors"]);
        Assert.Equal(
            ((string[])[.. folder.Tensors.Keys, "v_pred", "ztsnr"]).Order(StringComparer.Ordinal),
            merged.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, SafetensorsTensor tensor) in folder.Tensors)
        {
            byte[] expected = new byte[tensor.Bytes], found = new byte[tensor.Bytes];
            folder.CopyTo(tensor, 0, expected);
            merged.CopyTo(merged.Tensors[name], 0, found);
            Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void Write_NamesTheCheckpointsAndKeepsTheMarks()
    {
        RawCheckpoint a = Made(1), b = Made(2);
        foreach (RawCheckpoint made in (RawCheckpoint[])[a, b]) made.Metadata["modelspec.prediction_type"] = "v";
        a.Metadata["modelspec.title"] = "A";
        a.Set("model_ema.x", "F16", [0], []);
        Merge(a, b, null, 0.5f);
        using SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]);
        Assert.Equal(CheckpointKind.SdxlVelocity, CheckpointInspector.Detect(merged));
        Assert.DoesNotContain("model_ema.x", merged.Tensors.Keys);
        Assert.DoesNotContain("modelspec.title", merged.Metadata.Keys);
        JsonNode recipe = JsonNode.Parse(merged.Metadata[CheckpointMerger.RecipeName])!;
        Assert.Equal(("sum", 0.5f), ((string)recipe["mode"]!, (float)recipe["weight"]!));
        Assert.Equal(
            ((string[])["a", "b"]).Select(name => (name, Sha256.Hash(File.ReadAllBytes(_folder[$"{name}.safetensors"])))),
            recipe["models"]!.AsArray().Select(model => ((string)model!["name"]!, (string)model["sha256"]!)));
    }

    [Fact]
    public void Write_OfCheckpointsThatDoNotFit_NamesTheFaultAndLeavesNothing()
    {
        AssertRefused("shape [3, 5]", b => b.SetSingles(Matrix, Numbers(15, 1), 3, 5));
        AssertRefused("lacks " + Decoder, b => b.Tensors.Remove(Decoder), b => b.SetSingles("first_stage_model.decoder.x", [1], 1));
        AssertRefused("is SdxlVelocity", b => b.Set("v_pred", "F32", [0], []));
        AssertRefused("fp8", b => b.Set(Matrix, "F8_E4M3", [3, 4], new byte[12]));
        AssertRefused("type I8", b => b.Set(Matrix, "I8", [3, 4], new byte[12]));
        AssertRefused("not finite", b => b.SetSingles(Matrix, [.. Numbers(11, 1), float.NaN], 3, 4));
        AssertRefused("Flux", b => b.SetSingles("double_blocks.0.x", [1], 1));
        AssertRefused("65,504", b => b.SetHalves(Text, [60000, -60000], [2]), weight: -5);

        void AssertRefused(string word, Action<RawCheckpoint> change, Action<RawCheckpoint>? further = null, float weight = 0.5f)
        {
            RawCheckpoint b = Made(2);
            change(b);
            further?.Invoke(b);
            CheckpointException refusal = Assert.ThrowsAny<CheckpointException>(() => Merge(Made(1), b, null, weight));
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
            Assert.Equal(["a.safetensors", "b.safetensors"], Directory.GetFiles(_folder[""]).Select(Path.GetFileName).Order());
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(10.5f)]
    public void Write_WithAnotherWeight_IsRefused(float weight) =>
        Assert.Throws<ArgumentException>(() => Merge(Made(1), Made(2), null, weight));

    [Theory]
    [InlineData(0)]
    [InlineData(0.5f)]
    public void Write_Cancelled_LeavesNothing(float weight)
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Merge(Made(1), Made(2), null, weight, cancellation.Token));
        Assert.Equal(["a.safetensors", "b.safetensors"], Directory.GetFiles(_folder[""]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Merge_OfTheCommand_WritesTheFileOnce()
    {
        Made(1).Write(_folder["a.safetensors"]);
        Made(2).Write(_folder["b.safetensors"]);
        string[] merge = ["merge", _folder["a.safetensors"], _folder["b.safetensors"], "--weight", "0.5"];
        MuseResult result = await Muse.RunAsync([.. merge, "--fp16", "--out", _folder["out.safetensors"], "--json"]);
        Assert.Equal(0, result.Code);
        Assert.Equal(new FileInfo(_folder["out.safetensors"]).Length, (long)JsonNode.Parse(result.Out)!["bytes"]!);
        using (SafetensorsFile merged = SafetensorsFile.Open(_folder["out.safetensors"]))
            Assert.Equal("F16", merged.Tensors[Matrix].TypeName);
        (await Muse.RunAsync([.. merge, "--out", _folder["out.safetensors"]])).AssertFailed(2, "--force");
        (await Muse.RunAsync([.. merge, "--out", _folder["out.ckpt"]])).AssertFailed(2, ".safetensors");
        (await Muse.RunAsync([.. merge, "--mode", "difference", "--out", _folder["o.safetensors"]])).AssertFailed(2, "three");
        (await Muse.RunAsync([.. merge, "--force", "--out", _folder["b.safetensors"]])).AssertFailed(1, "one of the checkpoints");
        string[] infinite = ["merge", "a", "b", "--weight", "Infinity", "--out", _folder["o.safetensors"]];
        (await Muse.RunAsync(infinite)).AssertFailed(2, "--weight is 'Infinity'");
    }

    private void Merge(RawCheckpoint a, RawCheckpoint b, RawCheckpoint? c, float weight, CancellationToken? cancellation = null)
    {
        var options = new MergeOptions
        {
            First = a.Write(_folder["a.safetensors"]),
            Second = b.Write(_folder["b.safetensors"]),
            Third = c?.Write(_folder["c.safetensors"]),
            Mode = c is null ? MergeMode.Sum : MergeMode.Difference,
            Weight = weight,
        };
        CheckpointMerger.Write(options, _folder["out.safetensors"], null, cancellation ?? Cancellation);
    }

    private static RawCheckpoint Made(int seed)
    {
        var made = new RawCheckpoint();
        made.SetHalves(Kernel, Numbers(8 * 4 * 9, seed), [8, 4, 3, 3]);
        made.SetSingles(Matrix, Numbers(12, seed), 3, 4);
        made.SetHalves(Text, Numbers(2, seed), [2]);
        made.Set(Other, "BF16", [2], [0, (byte)(0x40 + seed), 0, 0x3F]);
        made.SetHalves(Decoder, Numbers(8, seed), [2, 4]);
        made.Set(Positions, "I64", [1], [(byte)seed, 0, 0, 0, 0, 0, 0, 0]);
        return made;
    }

    private static float[] Numbers(int count, int seed) =>
        [.. Enumerable.Range(0, count).Select(i => (float)(Half)MathF.Sin(i * 1.7f + seed * 0.9f))];

    private double[] Values(RawCheckpoint made, string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(made.Write(_folder["values.safetensors"]));
        return [.. file.ReadFloats(name).Select(value => (double)value)];
    }

    // The result is rounded once, so that it is within half a step of its type.
    private static void AssertNear(IEnumerable<double> expected, SafetensorsFile merged, string name)
    {
        double step = merged.Tensors[name].TypeName switch { "F32" => 1e-7, "F16" => 1.0 / 2048, _ => 1.0 / 256 };
        float[] found = merged.ReadFloats(name);
        double[] all = [.. expected];
        Assert.Equal(all.Length, found.Length);
        for (int i = 0; i < all.Length; i++) Assert.InRange(Math.Abs(all[i] - found[i]), 0, Math.Max(1, Math.Abs(all[i])) * step + 1e-6);
    }
}
