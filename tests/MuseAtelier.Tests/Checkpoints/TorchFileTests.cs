using System.IO.Compression;
using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Tests.Hostile;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Checkpoints;

/// <summary>Files of <c>torch.save</c>, in both of its formats.</summary>
public sealed class TorchFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_OfASavedDictionary_GivesItsTensors(bool isLegacy)
    {
        RawCheckpoint raw = Sample();
        string path = isLegacy
            ? TorchWriter.WriteLegacy(_folder["a.pth"], raw, nested: "params_ema")
            : TorchWriter.Write(_folder["a.pth"], raw, nested: "params_ema");
        using TensorFile file = TensorFile.Open(path);
        Assert.IsType<TorchFile>(file);
        Assert.Equal(raw.Tensors.Keys.Select(name => $"params_ema.{name}").Order(), file.Tensors.Keys.Order());
        Assert.Equal([1.5f, -2, 3, 4, 5, 6], file.ReadFloats("params_ema.body.0.weight"));
        Assert.Equal([0.25f, 8], file.ReadFloats("params_ema.half"));
        Assert.Equal([3L, 2], file.Tensors["params_ema.body.0.weight"].Shape);
        var part = new float[2];
        file.ReadFloats(file.Tensors["params_ema.body.0.weight"], 3, part);
        Assert.Equal([4f, 5], part);
    }

    [Fact]
    public void Open_OfSafetensors_IsStillSafetensors()
    {
        using TensorFile file = TensorFile.Open(Sample().Write(_folder["a.safetensors"]));
        Assert.IsType<SafetensorsFile>(file);
    }

    [Fact]
    public void ReadFloats_OfATransposedTensor_GivesRowMajorOrder()
    {
        byte[] storage = Bytes(0, 1, 2, 3, 4, 5, 6, 7);
        byte[] pickle = One(writer => writer.Tensor("FloatStorage", "0", 8, 1, [3, 2], [1, 3]));
        using TorchFile file = Open(pickle, storage);
        Assert.Equal([1f, 4, 2, 5, 3, 6], file.ReadFloats("w"));
        byte[] bytes = new byte[8];
        file.CopyTo(file.Tensors["w"], 8, bytes);
        Assert.Equal([2f, 5], MemoryMarshal.Cast<byte, float>(bytes).ToArray());
        Assert.Throws<ArgumentException>(() => file.CopyTo(file.Tensors["w"], 2, bytes));
    }

    [Fact]
    public void Open_OfTensorsThatShareAStorage_GivesEachItsOwn()
    {
        byte[] pickle = new PickleWriter().Dictionary().Mark()
            .Text("a").Tensor("FloatStorage", "0", 4, 0, [2], [1])
            .Text("b").Tensor("FloatStorage", "0", 4, 2, [2], [1])
            .SetItems().End();
        using TorchFile file = Open(pickle, Bytes(1, 2, 3, 4));
        Assert.Equal([1f, 2], file.ReadFloats("a"));
        Assert.Equal([3f, 4], file.ReadFloats("b"));
    }

    [Fact]
    public void Open_OfATensorAlone_NamesIt()
    {
        using TorchFile file = Open(new PickleWriter().Tensor("FloatStorage", "0", 2, 0, [2], [1]).End(), Bytes(1, 2));
        Assert.Equal([1f, 2], file.ReadFloats("tensor"));
    }

    [Fact]
    public void Open_WithANameThatIsNotOnTheList_RefusesItByName()
    {
        byte[] attack = new PickleWriter().Global("os", "system").Mark().Text("touch /tmp/owned").Tuple().Call().End();
        Assert.Equal("os.system", Assert.Throws<ForbiddenPickleException>(() => Open(attack)).Name);
        byte[] builtins = new PickleWriter().Text("builtins").Text("eval").Raw(0x93).End();
        Assert.Equal("builtins.eval", Assert.Throws<ForbiddenPickleException>(() => Open(builtins)).Name);
        byte[] module = new PickleWriter().Global("basicsr.archs.rrdbnet_arch", "RRDBNet").EmptyTuple().Raw(0x81).End();
        ForbiddenPickleException refused = Assert.Throws<ForbiddenPickleException>(() => Open(module));
        Assert.Contains("RRDBNet", refused.Message, StringComparison.Ordinal);
        byte[] instance = new PickleWriter().Mark().Raw("iposix\nsystem\n"u8.ToArray()).End();
        Assert.Contains("INST", Assert.Throws<ForbiddenPickleException>(() => Open(instance)).Name, StringComparison.Ordinal);
        byte[] build = new PickleWriter().Dictionary().Dictionary().Raw((byte)'b').End();
        Assert.Contains("BUILD", Assert.Throws<ForbiddenPickleException>(() => Open(build)).Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfShapesThatLeaveTheirStorage_Refuses()
    {
        byte[] storage = Bytes(1, 2, 3, 4);
        (long Elements, long Offset, long[] Size, long[] Stride)[] impossible =
        [
            (4, 0, [5], [1]),
            (4, 2, [3], [1]),
            (4, 0, [2, 2], [3, 1]),
            (4, 0, [1L << 40], [0]),
            (4, 0, [1L << 62, 1L << 62], [1L << 62, 1L << 62]),
            (4, long.MaxValue, [2], [1]),
        ];
        foreach ((long elements, long offset, long[] size, long[] stride) in impossible)
        {
            byte[] pickle = One(writer => writer.Tensor("FloatStorage", "0", elements, offset, size, stride));
            Assert.Throws<TensorShapeException>(() => Open(pickle, storage));
        }

        Assert.Throws<TensorRangeException>(() => Open(One(writer => writer.Tensor("FloatStorage", "0", 5, 0, [5], [1])), storage));
        Assert.Throws<TensorRangeException>(() => Open(One(writer => writer.Tensor("FloatStorage", "7", 4, 0, [4], [1])), storage));
        Assert.Throws<PickleException>(() => Open(One(writer => writer.Tensor("FloatStorage", "0", -1, 0, [1], [1])), storage));
        Assert.Throws<PickleException>(() => Open(One(writer => writer.Tensor("FloatStorage", "0", 4, 0, [-1], [1])), storage));
        Assert.Throws<PickleException>(() => Open(One(writer => writer.Tensor("FloatStorage", "0", 4, 0, [2, 2], [1])), storage));
    }

    [Fact]
    public void Open_OfAStorageWithTwoTypes_Refuses()
    {
        byte[] pickle = new PickleWriter().Dictionary().Mark()
            .Text("a").Tensor("FloatStorage", "0", 2, 0, [2], [1])
            .Text("b").Tensor("HalfStorage", "0", 4, 0, [4], [1])
            .SetItems().End();
        Assert.Throws<PickleException>(() => Open(pickle, Bytes(1, 2)));
    }

    [Fact]
    public void Open_OfDictionariesThatMultiplyOrHoldThemselves_Refuses()
    {
        byte[] nested = new PickleWriter().Dictionary().Store(0).Mark().Text("again").Recall(0).SetItems().End();
        Assert.Throws<PickleException>(() => Open(nested));
        byte[] doubled = new PickleWriter().Dictionary().Mark()
            .Text("w").Tensor("FloatStorage", "0", 1, 0, [1], [1])
            .Text("w").Tensor("FloatStorage", "0", 1, 0, [1], [1])
            .SetItems().End();
        Assert.Throws<DuplicateTensorException>(() => Open(doubled, Bytes(1)));
        Assert.Throws<PickleException>(() => Open(Multiplied(), Bytes(1)));
    }

    [Fact]
    public void Open_OfAPickleThatMisusesItsStack_Refuses()
    {
        byte[][] pickles =
        [
            new PickleWriter().End(),
            new PickleWriter().Recall(9).End(),
            new PickleWriter().Tuple().End(),
            new PickleWriter().Raw((byte)'u').End(),
            new PickleWriter().Dictionary().Mark().Text("a").SetItems().End(),
            new PickleWriter().Raw((byte)'X', 0xFF, 0xFF, 0xFF, 0x7F).End(),
            new PickleWriter().Number(1).Number(2).End(),
            new PickleWriter().Mark().End(),
            [0x80, 9, (byte)'.'],
            [.. Enumerable.Repeat((byte)'N', 100_000), (byte)'.'],
            [.. Enumerable.Repeat((byte)'(', 100_000), (byte)'.'],
            new PickleWriter().Dictionary().End()[..^1],
        ];
        Assert.All(pickles, pickle => Assert.Throws<PickleException>(() => Open(pickle)));
    }

    [Fact]
    public void Open_OfArchivesThatAreNotStored_Refuses()
    {
        byte[] pickle = One(writer => writer.Tensor("FloatStorage", "0", 4096, 0, [4096], [1]));
        string packed = TorchWriter.WriteArchive(_folder["packed.pth"], pickle, [new byte[16384]], CompressionLevel.Optimal);
        Assert.Contains("compressed", Assert.Throws<TorchArchiveException>(() => TorchFile.Open(packed)).Message, StringComparison.Ordinal);
        byte[] whole = File.ReadAllBytes(TorchWriter.WriteArchive(_folder["whole.pth"], pickle, [new byte[16384]]));
        foreach (int length in (int[])[4, 30, 200, whole.Length / 2, whole.Length - 1])
            Assert.Throws<TorchArchiveException>(() => TorchFile.Open(_folder.Write("cut.pth", whole[..length])));
        byte[] plain = [.. new PickleWriter().Dictionary().End(), .. new byte[32]];
        Assert.Throws<PickleException>(() => TensorFile.Open(_folder.Write("other.pkl", plain)));
        string other = _folder["other.zip"];
        using (ZipArchive archive = ZipFile.Open(other, ZipArchiveMode.Create)) archive.CreateEntry("model/readme.txt");
        Assert.Throws<TorchArchiveException>(() => TorchFile.Open(other));
    }

    [Fact]
    public void Open_OfMutatedFiles_RefusesByTypeOrReads()
    {
        byte[][] originals =
        [
            File.ReadAllBytes(TorchWriter.Write(_folder["zip.pth"], Sample(), nested: "params")),
            File.ReadAllBytes(TorchWriter.WriteLegacy(_folder["legacy.pth"], Sample())),
        ];
        var random = new Random(21);
        var run = new MutationRun();
        string path = _folder["mutated.pth"];
        for (int i = 0; i < MutationRun.Count(2000); i++)
        {
            byte[] input = Mutated(originals[i % 2], random);
            File.WriteAllBytes(path, input);
            run.Try(i, input, () => ReadAll(path));
        }

        TestContext.Current.SendDiagnosticMessage("PyTorch files: {0}", run);
        Assert.InRange(run.Read, 1, MutationRun.Count(2000) - 1);
    }

    private static RawCheckpoint Sample()
    {
        var raw = new RawCheckpoint();
        raw.SetSingles("body.0.weight", [1.5f, -2, 3, 4, 5, 6], 3, 2);
        raw.SetSingles("body.0.bias", [7], 1);
        raw.SetHalves("half", [0.25f, 8], [2]);
        return raw;
    }

    // Each dictionary holds the one before it a hundred times: 100^5 names of one tensor.
    private static byte[] Multiplied()
    {
        PickleWriter pickle = new PickleWriter().Dictionary().Mark();
        pickle.Text("0").Dictionary().Store(0).Mark().Text("w").Tensor("FloatStorage", "0", 1, 0, [1], [1]).SetItems();
        for (byte level = 1; level <= 5; level++)
        {
            pickle.Text($"{level}").Dictionary().Store(level).Mark();
            for (int i = 0; i < 100; i++) pickle.Number(i).Recall((byte)(level - 1));
            pickle.SetItems();
        }

        return pickle.SetItems().End();
    }

    private static byte[] Mutated(byte[] original, Random random)
    {
        byte[] copy = [.. original];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(copy.Length);
            copy[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(copy[at] ^ (1 << random.Next(8))),
                _ => original[random.Next(original.Length)],
            };
        }

        return random.Next(8) == 0 ? copy[..random.Next(copy.Length)] : copy;
    }

    private static void ReadAll(string path)
    {
        using TensorFile file = TensorFile.Open(path);
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            if (tensor.WeightType is not null) file.ReadFloats(tensor.Name);
    }

    private static byte[] One(Action<PickleWriter> tensor)
    {
        PickleWriter pickle = new PickleWriter().Dictionary().Mark().Text("w");
        tensor(pickle);
        return pickle.SetItems().End();
    }

    private static byte[] Bytes(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    private TorchFile Open(byte[] pickle, params byte[][] storages) =>
        TorchFile.Open(TorchWriter.WriteArchive(_folder["file.pth"], pickle, storages));
}
