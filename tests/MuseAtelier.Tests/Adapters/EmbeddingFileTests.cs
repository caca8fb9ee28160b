using MuseAtelier.Export.Embeddings;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Adapters;

/// <summary>The files of embeddings (textual inversion): their formats, and files that are refused.</summary>
public sealed class EmbeddingFileTests : IDisposable
{
    // Numbers that fp16 and bf16 hold exactly.
    private static readonly float[] ClipL = [0.5f, -1.25f, 3, 0, 7.5f, -0.125f];
    private static readonly float[] ClipG = [1, 2, 3, 4];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Read_OfSafetensors_GivesTheVectors(string type)
    {
        var raw = new RawCheckpoint();
        raw.Set("clip_l", type, [2, 3], EmbeddingWriter.Bytes(type, ClipL));
        raw.Set("clip_g", type, [2, 2], EmbeddingWriter.Bytes(type, ClipG));
        string path = raw.Write(_folder["ink.safetensors"]);

        EmbeddingContent content = EmbeddingFile.Read(path);
        Assert.Equal(new EmbeddingHeader(2, 3, 2), content.Header);
        Assert.Equal(ClipL, content.ClipL);
        Assert.Equal(ClipG, content.ClipG);
        Assert.Equal(Sha256.Hash(File.ReadAllBytes(path)), content.Sha256);
        Assert.Equal(content.Header, EmbeddingFile.Inspect(path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_OfAFileOfPyTorch_GivesTheVectors(bool isLegacy)
    {
        RawCheckpoint raw = EmbeddingWriter.Tensors(ClipL, ClipG, 2);
        string path = isLegacy
            ? TorchWriter.WriteLegacy(_folder["ink.pt"], raw)
            : TorchWriter.Write(_folder["ink.bin"], raw);
        EmbeddingContent content = EmbeddingFile.Read(path);
        Assert.Equal(ClipL, content.ClipL);
        Assert.Equal(ClipG, content.ClipG);
    }

    [Fact]
    public void Read_OfOneDimension_GivesOneVector()
    {
        var raw = new RawCheckpoint();
        raw.SetSingles("clip_l", ClipL, 6);
        raw.SetSingles("clip_g", ClipG, 4);
        Assert.Equal(new EmbeddingHeader(1, 6, 4), EmbeddingFile.Read(raw.Write(_folder["ink.safetensors"])).Header);
    }

    [Theory]
    [InlineData("emb_params", 768, "SD 1.x")]
    [InlineData("string_to_param.*", 768, "SD 1.x")]
    [InlineData("<ink>", 1024, "SD 2.x")]
    [InlineData("emb_params", 1280, null)]
    public void Inspect_OfOneTensor_NamesTheModel(string tensor, int width, string? model)
    {
        var raw = new RawCheckpoint();
        raw.SetSingles(tensor, new float[2 * width], 2, width);
        string path = raw.Write(_folder["old.safetensors"]);
        var exception = Assert.Throws<EmbeddingKindException>(() => EmbeddingFile.Inspect(path));
        Assert.Equal(model, exception.Model);
        Assert.Contains(model is null ? "a file of the tensor" : $"an embedding for {model}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_OfAnOldFileOfPyTorch_NamesTheModel()
    {
        var raw = new RawCheckpoint();
        raw.SetSingles("*", new float[768], 1, 768);
        string path = TorchWriter.Write(_folder["old.pt"], raw, nested: "string_to_param");
        Assert.Equal("SD 1.x", Assert.Throws<EmbeddingKindException>(() => EmbeddingFile.Inspect(path)).Model);
    }

    [Theory]
    [InlineData("clip_l", "without the tensor clip_g")]
    [InlineData("clip_g", "without the tensor clip_l")]
    [InlineData("lora_unet_down", "a file of 2 tensors, such as 'lora_unet_down'")]
    public void Inspect_OfAnotherKindOfFile_SaysWhatItHolds(string tensor, string expected)
    {
        var raw = new RawCheckpoint();
        raw.SetSingles(tensor, [1, 2], 1, 2);
        raw.SetSingles("other", [1, 2], 1, 2);
        string path = raw.Write(_folder["other.safetensors"]);
        var exception = Assert.Throws<EmbeddingKindException>(() => EmbeddingFile.Inspect(path));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new long[] { 0, 4 }, new long[] { 0, 4 })]
    [InlineData(new long[] { 76, 4 }, new long[] { 76, 4 })]
    [InlineData(new long[] { 2, 4 }, new long[] { 3, 4 })]
    [InlineData(new long[] { 1, 2, 4 }, new long[] { 2, 4 })]
    [InlineData(new long[] { 2, 0 }, new long[] { 2, 4 })]
    [InlineData(new long[] { 1, 65537 }, new long[] { 1, 4 })]
    [InlineData(new long[0], new long[] { 1, 4 })]
    public void Inspect_OfAnImpossibleShape_NamesIt(long[] clipL, long[] clipG)
    {
        var raw = new RawCheckpoint();
        raw.SetSingles("clip_l", new float[clipL.Aggregate(1L, (product, size) => product * size)], clipL);
        raw.SetSingles("clip_g", new float[clipG.Aggregate(1L, (product, size) => product * size)], clipG);
        string path = raw.Write(_folder["wrong.safetensors"]);
        var exception = Assert.Throws<EmbeddingShapeException>(() => EmbeddingFile.Inspect(path));
        Assert.Equal("clip_l", exception.Tensor);
        Assert.Equal(clipL, exception.Shape);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Read_OfANumberThatIsNotFinite_NamesItsPlace(float value)
    {
        string path = EmbeddingWriter.Write(_folder["nan.safetensors"], [0, 1, 2, 3, value, 5], ClipG, 2);
        var exception = Assert.Throws<EmbeddingValueException>(() => EmbeddingFile.Read(path));
        Assert.Equal("clip_l", exception.Tensor);
        Assert.Contains("at [1, 1]", exception.Message, StringComparison.Ordinal);
        // The description alone has no numbers.
        Assert.Equal(2, EmbeddingFile.Inspect(path).Count);
    }

    [Fact]
    public void Inspect_OfIntegersAndOfACutFile_IsRefused()
    {
        var raw = new RawCheckpoint();
        raw.Set("clip_l", "I64", [1, 1], new byte[8]);
        raw.SetSingles("clip_g", [1], 1, 1);
        string integers = raw.Write(_folder["integers.safetensors"]);
        Assert.Equal("I64", Assert.Throws<TensorTypeException>(() => EmbeddingFile.Inspect(integers)).Type);

        string whole = EmbeddingWriter.Write(_folder["whole.safetensors"], ClipL, ClipG, 2);
        byte[] bytes = File.ReadAllBytes(whole);
        for (int length = 0; length < bytes.Length; length++)
        {
            string cut = _folder["cut.safetensors"];
            File.WriteAllBytes(cut, bytes[..length]);
            Assert.ThrowsAny<CheckpointException>(() => EmbeddingFile.Inspect(cut));
        }
    }
}
