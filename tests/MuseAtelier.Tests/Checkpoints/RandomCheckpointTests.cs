using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Checkpoints;

public sealed class RandomCheckpointTests : IDisposable
{
    private static readonly KeyValuePair<string, IReadOnlyList<long>>[] Shapes =
    [
        new("model.diffusion_model.input_blocks.0.0.weight", [320, 4, 3, 3]),
        new("model.diffusion_model.middle_block.1.to_q.weight", [1280, 1280]),
        new("model.diffusion_model.middle_block.1.to_out.0.weight", [1280, 1280]),
        new("model.diffusion_model.middle_block.1.norm.weight", [1280]),
        new("model.diffusion_model.middle_block.1.norm.bias", [1280]),
        new("conditioner.embedders.0.transformer.text_model.embeddings.position_ids", [1, 77]),
        new("conditioner.embedders.1.model.logit_scale", []),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(nameof(ElementType.F16))]
    [InlineData(nameof(ElementType.BF16))]
    [InlineData(nameof(ElementType.F32))]
    public void Write_OfAnyFloatType_GivesEachTensorItsDistribution(string name)
    {
        ElementType type = Enum.Parse<ElementType>(name);
        RandomCheckpoint.Write(_folder["a"], Shapes, type, seed: 5, cancellationToken: TestContext.Current.CancellationToken);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["a"]);
        Assert.Equal((0, 1 / 6.0), Moments(file, 0), Near);
        Assert.Equal((0, 1 / 36.0), Moments(file, 1), Near);
        Assert.Equal((0, 1 / 72.0), Moments(file, 2), Near);
        Assert.Equal((1, 0.05), Moments(file, 3), Near);
        Assert.Equal((0, 0.05), Moments(file, 4), Near);
        Assert.Equal(ElementType.I64, file.Tensors[Shapes[5].Key].Type);
        Assert.Equal(Enumerable.Range(0, 77).Select(i => (float)i), file.ReadFloats(Shapes[5].Key));
        Assert.Equal(4.6f, Assert.Single(file.ReadFloats(Shapes[6].Key)), 0.02f);
    }

    [Fact]
    public void Write_OfOneSeedTwice_GivesTheSameFile()
    {
        RandomCheckpoint.Write(_folder["a"], Shapes, seed: 5, cancellationToken: TestContext.Current.CancellationToken);
        RandomCheckpoint.Write(_folder["b"], Shapes, seed: 5, cancellationToken: TestContext.Current.CancellationToken);
        RandomCheckpoint.Write(_folder["c"], Shapes, seed: 6, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(_folder["a"]), File.ReadAllBytes(_folder["b"]));
        Assert.NotEqual(File.ReadAllBytes(_folder["a"]), File.ReadAllBytes(_folder["c"]));
    }

    [Fact]
    public void Write_Cancelled_LeavesNothing()
    {
        Assert.Throws<OperationCanceledException>(() =>
            RandomCheckpoint.Write(_folder["a"], Shapes, cancellationToken: new CancellationToken(canceled: true)));
        Assert.False(File.Exists(_folder["a"]) || File.Exists(_folder["a"] + ".partial"));
    }

    [Fact]
    public void Write_IntoAMissingFolder_ThrowsWithThePath()
    {
        string path = Path.Combine(_folder["missing"], "random.safetensors");
        var exception = Assert.Throws<CheckpointNotWrittenException>(() =>
            RandomCheckpoint.Write(path, [], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(path, exception.Path);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void ReadShapes_OfTheFullSizeList_FindsEveryTensor()
    {
        IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> shapes = RandomCheckpoint.ReadShapes(
            Path.Combine(TemporaryFolder.Repository, "tests/goldens/sdxl_keys.json"));
        Assert.Equal(2515, shapes.Count);
        Assert.Equal([77, 768], shapes[0].Value);
    }

    private static (double Mean, double Deviation) Moments(SafetensorsFile file, int index)
    {
        float[] values = file.ReadFloats(Shapes[index].Key);
        double mean = values.Average(value => (double)value);
        return (mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))));
    }

    private static bool Near((double Mean, double Deviation) expected, (double Mean, double Deviation) actual) =>
        Math.Abs(expected.Mean - actual.Mean) < expected.Deviation * 0.15 && Math.Abs(expected.Deviation / actual.Deviation - 1) < 0.1;
}
