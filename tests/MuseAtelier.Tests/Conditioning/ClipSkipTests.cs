using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>
/// The layers of the text encoders before the penultimate one, against a checkpoint whose last layers were cut off. The Miniature's
/// encoders have 3 and 4 layers.
/// </summary>
public sealed class ClipSkipTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Encode_OfTheLayerBefore_IsThePenultimateOneOfACutCheckpoint()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        raw.Rename(static name =>
            name.Contains("encoder.layers.2.", StringComparison.Ordinal) || name.Contains("resblocks.3.", StringComparison.Ordinal)
                ? null : name);
        Assert.True(raw.Tensors.Count < RawCheckpoint.Miniature().Tensors.Count - 20);
        await using Atelier cut = await Atelier.OpenAsync(
            raw.Write(_folder["cut.safetensors"]), TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        using OpenedModel whole = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using OpenedModel shorter = OpenedModel.Open(cut.Model.Package, TestAtelier.Options, null, Cancellation);
        using var encoder = new TextConditioner(whole.Package, whole.Sessions, whole.Device);
        using var cutEncoder = new TextConditioner(shorter.Package, shorter.Sessions, shorter.Device);
        Assert.Equal((3, 2), (whole.Package.Manifest.MostClipSkip, shorter.Package.Manifest.MostClipSkip));

        var request = new PictureRequest { Prompt = "a (starry:1.3) night" };
        foreach (PromptSyntax syntax in (PromptSyntax[])[PromptSyntax.A1111, PromptSyntax.Comfy])
        {
            PromptChunks chunks = RequestPrompts.Of(request with { PromptSyntax = syntax }).Sets[0].Parts[0];
            PromptEmbeds expected = cutEncoder.Encode(chunks, 2, shorter.Options, Cancellation);
            PromptEmbeds usual = encoder.Encode(chunks, 2, whole.Options, Cancellation);
            PromptEmbeds before = encoder.Encode(chunks, 3, whole.Options, Cancellation);
            Assert.Equal(expected.Hidden, before.Hidden);
            Assert.NotEqual(usual.Hidden, before.Hidden);
            // The pooled output comes from the last layer in any case.
            Assert.Equal(usual.Pooled, before.Pooled);

            // Each layer is kept by itself, and 1 means 2.
            Assert.Same(before, encoder.Encode(chunks, 3, whole.Options, Cancellation));
            Assert.Same(usual, encoder.Encode(chunks, 1, whole.Options, Cancellation));
            Assert.Same(usual, encoder.Encode(chunks, whole.Options, Cancellation));
            Assert.Throws<ClipSkipException>(() => encoder.Encode(chunks, 4, whole.Options, Cancellation));
        }
    }

    [Fact]
    public async Task GenerateAsync_OfAClipSkip_UsesItsLayer()
    {
        Picture usual = await Paint(2), one = await Paint(1), three = await Paint(3);
        Assert.Equal(usual.Pixels.Span, one.Pixels.Span);
        Assert.Equal(usual.Provenance.StepHashes, one.Provenance.StepHashes);
        Assert.NotEqual(usual.Provenance.StepHashes[1], three.Provenance.StepHashes[1]);

        Task<Picture> Paint(int clipSkip) =>
            miniature.Atelier.GenerateAsync(TestAtelier.Small with { ClipSkip = clipSkip }, cancellationToken: Cancellation);
    }

    [Fact]
    public async Task GenerateAsync_BeyondTheLayers_NamesTheBound()
    {
        PictureRequest request = TestAtelier.Small with { ClipSkip = 4 };
        var exception = await Assert.ThrowsAsync<ClipSkipException>(
            () => miniature.Atelier.GenerateAsync(request, cancellationToken: Cancellation));
        Assert.Equal((4, 3), (exception.ClipSkip, exception.Most));
        Assert.Contains("from 1 to 3", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ClipSkipException>(() => miniature.Atelier.GenerateManyAsync(request, 2, cancellationToken: Cancellation));
    }

    [Fact]
    public void Check_OfAPackage_KnowsTheOutputsOfTheLayers()
    {
        PackageManifest manifest = PackageManifest.Read(miniature.Atelier.Model.Package);
        Assert.Equal(["hidden", "hidden_3"], OutputsOf(ComponentNames.ClipL));
        Assert.Equal(["hidden", "hidden_3", "hidden_4", "pooled"], OutputsOf(ComponentNames.ClipG));
        Assert.Equal((3, 4), (manifest.MostClipSkipOf(ComponentNames.ClipL), manifest.MostClipSkipOf(ComponentNames.ClipG)));
        Assert.Null(ManifestContract.FaultOf(manifest));
        // An output after a gap is not known.
        Assert.Contains("hidden_5", ManifestContract.FaultOf(Renamed("hidden_3", "hidden_5")), StringComparison.Ordinal);
        Assert.Contains("no output hidden", ManifestContract.FaultOf(Renamed("hidden", "hidden_2")), StringComparison.Ordinal);

        string[] OutputsOf(string encoder) => [.. manifest.Component(encoder).Outputs.Select(output => output.Name)];

        PackageManifest Renamed(string from, string to)
        {
            ComponentSpec clipL = manifest.Component(ComponentNames.ClipL);
            ComponentSpec changed = clipL with
            {
                Outputs = [.. clipL.Outputs.Select(output => output.Name == from ? output with { Name = to } : output)],
            };
            return manifest with { Components = [.. manifest.Components.Select(component => component == clipL ? changed : component)] };
        }
    }
}
