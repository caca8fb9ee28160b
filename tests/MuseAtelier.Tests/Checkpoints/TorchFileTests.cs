using System.Diagnostics;
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

    // Opening a pipe waits until another process writes to it.
    [Fact]
    public async Task Open_OfAPipe_RefusesWithoutWaiting()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Folders of Windows hold no pipes.");
        using (Process process = Process.Start("mkfifo", _folder["pipe.safetensors"])) process.WaitForExit();
        File.CreateSymbolicLink(_folder["link.safetensors"], _folder["pipe.safetensors"]);
        foreach (string name in (string[])["pipe.safetensors", "link.safetensors"])
        {
            Task open = Task.Run(() => TensorFile.Open(_folder[name]), TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<NotSafetensorsException>(
                () => open.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        }
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

    // A part of such a tensor needs the whole range of the file, which must not be read again for each part.
    [Fact]
    public void ReadFloats_OfALargeTransposedTensor_ReadsItsRangeOnce()
    {
        const int Rows = 512, Columns = 1024;
        byte[] pickle = One(writer => writer.Tensor("FloatStorage", "0", Rows * Columns, 0, [Columns, Rows], [1, Columns]));
        using TorchFile file = Open(pickle, Bytes([.. Enumerable.Range(0, Rows * Columns).Select(i => (float)i)]));
        long before = GC.GetAllocatedBytesForCurrentThread();
        float[] values = file.ReadFloats("w");
        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal([0f, Columns, 2 * Columns], values[..3]);
        Assert.Equal([1f, 1 + Columns], values[Rows..(Rows + 2)]);
        Assert.InRange(taken, 0, 3L * sizeof(float) * Rows * Columns);
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
    public void Open_OfAZip64Archive_GivesItsTensors()
    {
        RawCheckpoint raw = Sample();
        byte[][] storages = [.. raw.Tensors.Values.Select(tensor => tensor.Bytes)];
        string path = Zip64Writer.WriteTorch(_folder["a.pth"], TorchWriter.Pickle(raw, null, isLegacy: false), storages);
        RequireZip(path, storages.Length + 2);
        using TorchFile file = TorchFile.Open(path);
        Assert.Equal([1.5f, -2, 3, 4, 5, 6], file.ReadFloats("body.0.weight"));
        Assert.Equal([0.25f, 8], file.ReadFloats("half"));
    }

    // More than 4 GiB, of which all but 2 KB are a hole.
    [Fact]
    public void Open_OfAnArchiveBeyond4Gib_GivesTheTensorsBehindTheHole()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The file has a hole of 4 GiB, which takes room on the disk there.");
        const long Hole = 4L << 30;
        byte[] pickle = new PickleWriter().Dictionary().Mark()
            .Text("last").Tensor("FloatStorage", "0", 3, 0, [3], [1])
            .Text("hole").Tensor("FloatStorage", "hole", Hole / sizeof(float), Hole / sizeof(float) - 2, [2], [1])
            .SetItems().End();
        string path = Zip64Writer.WriteTorch(_folder["large.pth"], pickle, [Bytes(1, 2, 3)], Hole);
        RequireZip(path, 4);
        using TorchFile file = TorchFile.Open(path);
        Assert.InRange(file.Bytes, Hole, Hole + 4096);
        Assert.Equal([1f, 2, 3], file.ReadFloats("last"));
        Assert.Equal([0f, 0], file.ReadFloats("hole"));
    }

    [Fact]
    public void Open_OfDamagedZip64Records_Refuses()
    {
        byte[] pickle = One(writer => writer.Tensor("FloatStorage", "0", 1, 0, [1], [1]));
        byte[] sound = File.ReadAllBytes(Zip64Writer.WriteTorch(_folder["a.pth"], pickle, [Bytes(1)]));
        int locator = sound.Length - 22 - 20, end = locator - 56, field = sound.AsSpan().LastIndexOf("archive/data/0"u8) + 14 + 6 + 4;
        // The fields: entries, size and offset of the directory; its place in the locator; sizes and offset of the last entry.
        foreach (int at in (int[])[end + 32, end + 40, end + 48, locator + 8, field, field + 8, field + 16])
        {
            foreach (ulong value in (ulong[])[ulong.MaxValue, 1UL << 63, long.MaxValue, 1UL << 40, 1_000_000])
            {
                byte[] damaged = [.. sound];
                BitConverter.TryWriteBytes(damaged.AsSpan(at), value);
                Assert.Throws<TorchArchiveException>(() => TorchFile.Open(_folder.Write("damaged.pth", damaged)));
            }
        }

        foreach (int at in (int[])[end, locator, field - 4, field - 2])
        {
            byte[] damaged = [.. sound];
            damaged[at] ^= 0x20;
            Assert.Throws<TorchArchiveException>(() => TorchFile.Open(_folder.Write("damaged.pth", damaged)));
        }
    }

    [Fact]
    public void Open_OfMutatedFiles_RefusesByTypeOrReads()
    {
        byte[][] originals =
        [
            File.ReadAllBytes(TorchWriter.Write(_folder["zip.pth"], Sample(), nested: "params")),
            File.ReadAllBytes(TorchWriter.WriteLegacy(_folder["legacy.pth"], Sample())),
            File.ReadAllBytes(Zip64Writer.WriteTorch(
                _folder["zip64.pth"], One(writer => writer.Tensor("FloatStorage", "0", 1, 0, [1], [1])), [Bytes(1)])),
        ];
        var random = new Random(21);
        var run = new MutationRun();
        string path = _folder["mutated.pth"];
        for (int i = 0; i < MutationRun.Count(2000); i++)
        {
            byte[] input = Mutated(originals[i % originals.Length], random);
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

    // Another reader of archives must agree.
    private static void RequireZip(string path, int entries)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        Assert.Equal(entries, archive.Entries.Count);
        using var pickle = new MemoryStream();
        using (Stream content = archive.GetEntry("archive/data.pkl")!.Open()) content.CopyTo(pickle);
        Assert.Equal((byte)'.', pickle.ToArray()[^1]);
    }

    private TorchFile Open(byte[] pickle, params byte[][] storages) =>
        TorchFile.Open(TorchWriter.WriteArchive(_folder["file.pth"], pickle, storages));
}
