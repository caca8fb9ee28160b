using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_OfAWrittenFile_FindsEverythingAgain()
    {
        string path = _folder["a.safetensors"];
        byte[] bytes = [1, 2, 3, 4, 5, 6];
        SafetensorsDeclaration[] tensors =
        [
            new("bytes", ElementType.U8, [2, 3]),
            new("nothing", ElementType.F32, [0, 7]),
            new("scalar", ElementType.F32, []),
            new("名", ElementType.I64, [1]),
        ];
        var metadata = new Dictionary<string, string> { ["modelspec.title"] = "Miniature \"I\"" };
        using (SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors, metadata))
        {
            writer.Write(bytes.AsSpan(0, 4));
            writer.Write(bytes.AsSpan(4));
            writer.Write([2.5f]);
            writer.Write(BitConverter.GetBytes(-3L));
            writer.Complete();
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(new FileInfo(path).Length, file.Bytes);
        Assert.Equal("Miniature \"I\"", Assert.Single(file.Metadata).Value);
        Assert.Equal(["bytes", "nothing", "scalar", "名"], file.Tensors.Keys);
        SafetensorsTensor tensor = file.Tensors["bytes"];
        Assert.Equal((ElementType.U8, 6, 6), (tensor.Type, tensor.Bytes, tensor.Elements));
        Assert.Equal([2, 3], tensor.Shape);
        Assert.Equal(0, tensor.Offset % 8);
        Assert.Equal(bytes, file.Span(tensor).ToArray());
        byte[] part = new byte[3];
        file.CopyTo(tensor, 2, part);
        Assert.Equal([3, 4, 5], part);
        Assert.Empty(file.ReadFloats("nothing"));
        Assert.Equal([2.5f], file.ReadFloats("scalar"));
        Assert.Equal([-3f], file.ReadFloats("名"));
        Assert.False(File.Exists(path + ".partial"));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!, "*.partial"));
    }

    [Theory]
    [InlineData(nameof(ElementType.F32))]
    [InlineData(nameof(ElementType.F16))]
    [InlineData(nameof(ElementType.BF16))]
    public void ReadFloats_OfEachFloatType_GivesTheStoredNumbers(string name)
    {
        ElementType type = Enum.Parse<ElementType>(name);
        // Each is exact in all three types; the count leaves a remainder for any width of vector.
        float[] special = [0, -0f, 1, -1.5f, 0.00390625f, 96, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        float[] values = [.. Enumerable.Repeat(special, 4001).SelectMany(x => x)];
        string path = WriteFloats(type, values);

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(values, file.ReadFloats("x"));
        float[] part = new float[5];
        file.ReadFloats(file.Tensors["x"], 9 * 4000 + 1, part);
        Assert.Equal(values[(9 * 4000 + 1)..(9 * 4000 + 6)], part);
    }

    [Fact]
    public void Write_OfFloatsAsBFloat16_RoundsToNearestEven()
    {
        uint[] bits = [0x3F808000, 0x3F818000, 0x3F808001, BitConverter.SingleToUInt32Bits(float.MaxValue), 0x7F800001];
        float[] values = [.. bits.Select(BitConverter.UInt32BitsToSingle)];
        using SafetensorsFile file = SafetensorsFile.Open(WriteFloats(ElementType.BF16, values));
        float[] read = file.ReadFloats("x");
        Assert.Equal([0x3F800000u, 0x3F820000u, 0x3F810000u, 0x7F800000u], read[..4].Select(BitConverter.SingleToUInt32Bits));
        Assert.True(float.IsNaN(read[4]));
    }

    [Fact]
    public void Open_OfTypesThatNobodyNeeds_AcceptsThem()
    {
        string path = _folder.WriteRaw("""
            {"__metadata__":{"format":"pt","steps":3},
             "a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}, "b":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]},
             "c":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[10,12]}, "d":{"dtype":"F4","shape":[4],"data_offsets":[12,14]},
             "e":{"dtype":"X9","shape":[5],"data_offsets":[14,15], "more":{"x":[1]}}}
            """, 15);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(5, file.Tensors.Count);
        Assert.All(file.Tensors.Values, tensor => Assert.Null(tensor.Type));
        Assert.Equal([0f], file.ReadFloats("a"));
        Assert.Equal([0f, 0f], file.ReadFloats("c"));
        Assert.Equal("F4", Assert.Throws<TensorTypeException>(() => file.ReadFloats("d")).Type);
    }

    [Fact]
    public void Open_OfGapsAndDataBeyond_AcceptsThem()
    {
        string path = _folder.WriteRaw(
            """{"b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 100);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(6, file.Tensors["b"].Offset - file.Tensors["a"].Offset);
    }

    [Fact]
    public void Open_OfAMissingFile_ThrowsWithItsPath() =>
        Assert.Equal(_folder["none"], Refuse<CheckpointNotFoundException>(_folder["none"]).Path);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_OfAFolder_SaysWhetherItIsDiffusers(bool isDiffusers)
    {
        Directory.CreateDirectory(_folder["model"]);
        if (isDiffusers) _folder.Write("model/model_index.json", "{}"u8.ToArray());
        CheckpointFolderException exception = Refuse<CheckpointFolderException>(_folder["model"]);
        Assert.Equal(isDiffusers, exception.IsDiffusers);
        Assert.Contains("single-file", exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], string?> ForeignFiles => new()
    {
        { "nothing", [], "empty" },
        { "zeros", new byte[5000], "zeros" },
        { "png", [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', 0, 0, 0, 13], "PNG" },
        { "zip ckpt", [.. "PK"u8, 3, 4, 0, 0, 8, 8, 0, 0], "PyTorch" },
        { "pickle ckpt", [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9], "pickle" },
        { "html", "\n<!DOCTYPE html><html><head><title>502"u8.ToArray(), "HTML" },
        { "lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:31e3"u8.ToArray(), "git-lfs" },
        { "json", "{\"error\":\"Entry not found\"}"u8.ToArray(), "JSON" },
        { "text", "Access denied"u8.ToArray(), "text file of 13 bytes" },
        { "gguf", [.. "GGUF"u8, 3, 0, 0, 0, 1], "GGUF" },
        { "noise", [7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3], null },
        { "short", [16, 0, 0], null },
    };

    [Theory]
    [MemberData(nameof(ForeignFiles), DisableDiscoveryEnumeration = true)]
    public void Open_OfAnotherFormat_SaysWhich(string name, byte[] content, string? recognised)
    {
        NotSafetensorsException exception = Refuse<NotSafetensorsException>(_folder.Write(name, content));
        if (recognised is null) Assert.Null(exception.Recognised);
        else Assert.Contains(recognised, exception.Recognised, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAHeaderAsLongAsAPicklesFirstBytes_IsNotMistakenForOne()
    {
        string path = _folder.WriteRaw("{}".PadRight(0x280));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Empty(file.Tensors);
    }

    [Fact]
    public void Open_OfDataCutOff_SaysHowMuchIsThere()
    {
        string path = WriteFloats(ElementType.F32, new float[100]);
        using (FileStream stream = File.OpenWrite(path)) stream.SetLength(stream.Length - 1);
        CheckpointTruncatedException exception = Refuse<CheckpointTruncatedException>(path);
        Assert.Equal(exception.Bytes + 1, exception.ExpectedBytes);
    }

    [Fact]
    public void Open_OfAHeaderCutOff_SaysHowMuchIsThere() =>
        Assert.Equal(8 + 1000, Refuse<CheckpointTruncatedException>(_folder.WriteRaw("{\"a\":", statedLength: 1000)).ExpectedBytes);

    [Theory]
    [InlineData(100_000_001)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1)]
    public void Open_OfAnImpossibleHeaderLength_ThrowsWithTheLength(long length) =>
        Assert.Equal((ulong)length, Refuse<CheckpointHeaderLengthException>(_folder.WriteRaw("{}", statedLength: length)).Length);

    [Theory]
    [InlineData("{\"a\":}")]
    [InlineData("{} {}")]
    [InlineData("{\"a\":3}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}")]
    [InlineData("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[[1]],\"data_offsets\":[0,1]}}")]
    [InlineData("{\"__metadata__\":[]}")]
    [InlineData("{\"\\uD800\":{}}")]
    public void Open_OfAMalformedHeader_ThrowsHeaderException(string header) =>
        Refuse<CheckpointHeaderException>(_folder.WriteRaw(header, 8));

    [Fact]
    public void Open_OfAHeaderNestedADepthOf100000_ThrowsHeaderException() =>
        Refuse<CheckpointHeaderException>(_folder.WriteRaw("{\"a\":" + new string('[', 100_000)));

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", "a")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "__metadata__")]
    public void Open_OfADuplicateTensor_ThrowsWithItsName(string header, string name) =>
        Assert.Equal(name, Refuse<DuplicateTensorException>(_folder.WriteRaw(header, 8)).Name);

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,3]}}""")]
    [InlineData("""{"b":{"dtype":"X","shape":[1],"data_offsets":[0,9223372036854775807]}}""")]
    public void Open_OfAnImpossiblePlace_NamesTheTensor(string header) =>
        Assert.Equal("b", Refuse<TensorRangeException>(_folder.WriteRaw(header, 8)).Name);

    [Theory]
    [InlineData("[2,3]", "F16", 8)]
    [InlineData("[]", "F32", 0)]
    [InlineData("[3]", "F4", 1)]
    [InlineData("[0,5]", "U8", 8)]
    [InlineData("[4294967296,4294967296]", "U8", 0)]
    [InlineData("[9223372036854775807,2]", "U8", 8)]
    [InlineData("[4611686018427387905]", "F32", 4)]
    public void Open_OfAShapeThatDoesNotFitItsBytes_NamesTheTensor(string shape, string type, int bytes)
    {
        string header = $$"""{"a":{"dtype":"{{type}}","shape":{{shape}},"data_offsets":[0,{{bytes}}] } }""";
        Assert.Equal("a", Refuse<TensorShapeException>(_folder.WriteRaw(header, 8)).Name);
    }

    [Fact]
    public void Span_OfAnotherFilesTensor_Throws()
    {
        using SafetensorsFile file = SafetensorsFile.Open(WriteFloats(ElementType.F32, [1, 2]));
        SafetensorsTensor foreign = file.Tensors["x"] with { Bytes = 1 << 20 };
        Assert.Throws<ArgumentException>(() => file.Span(foreign).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.CopyTo(file.Tensors["x"], 1, new byte[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(file.Tensors["x"], -1, new float[1]));
    }

    [Fact]
    public void Span_AfterDispose_ThrowsObjectDisposed()
    {
        SafetensorsFile file = SafetensorsFile.Open(WriteFloats(ElementType.F32, [1]));
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Span(file.Tensors["x"]).Length);
    }

    [Fact]
    public void ReadFloats_OfAMissingTensor_ThrowsWithItsName()
    {
        using SafetensorsFile file = SafetensorsFile.Open(WriteFloats(ElementType.F32, [1]));
        Assert.Equal("y", Assert.Single(Assert.Throws<MissingTensorsException>(() => file.ReadFloats("y")).Mismatches).Name);
    }

    [Fact]
    public void Dispose_OfAnIncompleteWriter_LeavesNothing()
    {
        string path = _folder["a.safetensors"];
        using (SafetensorsWriter writer = SafetensorsWriter.Create(path, [new("a", ElementType.F32, [2])]))
        {
            writer.Write([1f]);
            Assert.Throws<InvalidOperationException>(writer.Complete);
            Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[5]));
        }

        Assert.False(File.Exists(path) || File.Exists(path + ".partial"));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!, "*.partial"));
    }

    [Fact]
    public void Open_OfTheMiniature_ReadsFiniteNumbers()
    {
        using SafetensorsFile file = SafetensorsFile.Open(
            Path.Combine(TemporaryFolder.Repository, "models/miniature/miniature.safetensors"));
        Assert.All(file.ReadFloats("first_stage_model.decoder.conv_in.weight"), value => Assert.True(float.IsFinite(value)));
    }

    private string WriteFloats(ElementType type, float[] values)
    {
        using SafetensorsWriter writer = SafetensorsWriter.Create(_folder["floats.safetensors"], [new("x", type, [values.Length])]);
        writer.Write(values);
        writer.Complete();
        return _folder["floats.safetensors"];
    }

    private static T Refuse<T>(string path)
        where T : CheckpointException
    {
        T exception = Assert.Throws<T>(() => SafetensorsFile.Open(path));
        Assert.Equal(path, exception.Path);
        Assert.DoesNotContain('\n', exception.Message);
        return exception;
    }
}
