using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

/// <summary>
/// Numbers that overflow while painting are blamed on the part in which they did: its weights are finite, their products are not.
/// </summary>
public sealed class NotFiniteExceptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc2.weight", ComponentNames.ClipL)]
    [InlineData("conditioner.embedders.1.model.transformer.resblocks.0.mlp.c_proj.weight", ComponentNames.ClipG)]
    [InlineData("model.diffusion_model.out.2.weight", ComponentNames.UNet)]
    public async Task GenerateAsync_OfAPartThatOverflows_ThrowsWithThePart(string weight, string part)
    {
        var exception = await Assert.ThrowsAsync<NotFiniteException>(() => Paint(weight));
        Assert.Equal(part, exception.Part);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_NamesTheVae()
    {
        DecodingException exception = await Assert.ThrowsAsync<DecodingException>(() => Paint("first_stage_model.decoder.conv_out.weight"));
        Assert.False(exception.LatentsAreFaulty);
        Assert.Contains("VAE", exception.Message, StringComparison.Ordinal);
    }

    private async Task<Picture> Paint(string weight)
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.SetSingles(weight, [.. raw.Floats(weight).Select(value => Math.Sign(value) * 3e38f)], raw.Tensors[weight].Shape);
        string path = raw.Write(_folder["loud.safetensors"]);
        await using Atelier atelier = await Atelier.OpenAsync(
            path, TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: TestContext.Current.CancellationToken);
        return await atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: TestContext.Current.CancellationToken);
    }
}
