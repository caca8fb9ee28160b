namespace MuseAtelier.Cuda.Tests;

/// <summary>Several ateliers on one card paint what each paints alone.</summary>
public sealed class SeveralAteliersTests
{
    private const int Rounds = 4;

    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse in a storm", Width = 320, Height = 256, Steps = 5, Seed = 5 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static AtelierOptions[] Kinds =>
    [
        CudaRig.Options(),
        CudaRig.Options() with { Offload = OffloadMode.Stream },
        CudaRig.Options() with { Offload = OffloadMode.Rotate },
        CudaRig.Options() with { DeviceMemory = 3L << 30 },
    ];

    [Fact]
    public async Task GenerateAsync_ByTurns_PaintsWhatEachPaintsAlone()
    {
        CudaRig.Require();
        List<Picture> alone = await PaintAlone();
        Atelier[] ateliers = await OpenAll();
        try
        {
            for (int round = 0; round < Rounds; round++)
                for (int i = 0; i < ateliers.Length; i++)
                    AssertSame(
                        alone[i], await ateliers[i].GenerateAsync(Request, cancellationToken: Cancellation), $"atelier {i}, round {round}");
        }
        finally
        {
            await CloseAll(ateliers);
        }
    }

    [Fact]
    public async Task GenerateAsync_AtTheSameTime_PaintsWhatEachPaintsAlone()
    {
        CudaRig.Require();
        List<Picture> alone = await PaintAlone();
        Atelier[] ateliers = await OpenAll();
        try
        {
            await Task.WhenAll(ateliers.Select((atelier, i) => Task.Run(async () =>
            {
                for (int round = 0; round < Rounds; round++)
                    AssertSame(
                        alone[i], await atelier.GenerateAsync(Request, cancellationToken: Cancellation), $"atelier {i}, round {round}");
            })));
        }
        finally
        {
            await CloseAll(ateliers);
        }
    }

    [Fact]
    public async Task OpenAndDispose_WhileAnotherPaints_ChangesNothingThere()
    {
        CudaRig.Require();
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture alone = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        Task<Picture[]> painting = Task.Run(async () =>
        {
            List<Picture> pictures = [];
            for (int i = 0; i < 8; i++) pictures.Add(await atelier.GenerateAsync(Request, cancellationToken: Cancellation));
            return pictures.ToArray();
        });
        for (int i = 0; i < 3; i++)
            await using (Atelier other = await Atelier.OpenAsync(CudaRig.Checkpoint, Kinds[i], cancellationToken: Cancellation))
                await other.GenerateAsync(Request with { Steps = 2 }, cancellationToken: Cancellation);
        foreach (Picture picture in await painting) AssertSame(alone, picture, "beside others");
    }

    private static async Task<List<Picture>> PaintAlone()
    {
        List<Picture> alone = [];
        foreach (AtelierOptions options in Kinds)
        {
            await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
            alone.Add(await atelier.GenerateAsync(Request, cancellationToken: Cancellation));
        }

        return alone;
    }

    private static Task<Atelier[]> OpenAll() =>
        Task.WhenAll(Kinds.Select(options => Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation)));

    private static async Task CloseAll(Atelier[] ateliers)
    {
        foreach (Atelier atelier in ateliers) await atelier.DisposeAsync();
    }

    private static void AssertSame(Picture expected, Picture actual, string where)
    {
        Assert.True(expected.Provenance.StepHashes.SequenceEqual(actual.Provenance.StepHashes), $"other latents: {where}");
        Assert.True(expected.Pixels.Span.SequenceEqual(actual.Pixels.Span), $"other pixels: {where}");
    }
}
