using System.Runtime.CompilerServices;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.ExtensionsAi;

/// <summary>Keeps the calls that it gets, and gives pictures that nobody painted.</summary>
internal sealed class RecordingAtelier : IAtelier
{
    /// <summary>The calls, with a count of null for a single picture.</summary>
    public List<(PictureRequest Request, int? Count, GenerationOptions? Options)> Calls { get; } = [];

    /// <summary>The pictures that were given.</summary>
    public List<Picture> Pictures { get; } = [];

    /// <summary>The sentences that each picture has.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    public bool IsDisposed { get; private set; }

    /// <summary>Whether the model is known, as it is when a host has opened it.</summary>
    public bool IsOpen { get; set; } = true;

    public ModelInfo Model =>
        IsOpen ? new ModelInfo("miniature", SamplePicture.Sha256, "/nowhere") { Parameters = 1 } : throw new NotOpenException();

    public string Device => "test";

    public string RuntimeVersion => "1.31.1";

    public AtelierStatus Status { get; } =
        new() { QueueLength = 0, QueueCapacity = 1, IsPainting = false, AcceptsRequests = true, BudgetBytes = 1 };

    public Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Calls.Add((request, null, options));
        return Task.FromResult(PictureOf(request));
    }

    public async IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Calls.Add((request, count, options));
        for (int i = 0; i < count; i++)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return PictureOf(request with { Seed = request.Seed + (ulong)i });
        }
    }

    public Task DrainAsync() => Task.CompletedTask;

    public void Dispose() => IsDisposed = true;

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private Picture PictureOf(PictureRequest request)
    {
        Picture picture = SamplePicture.Of(request);
        Pictures.Add(new Picture
        {
            Width = picture.Width,
            Height = picture.Height,
            Pixels = picture.Pixels,
            Request = request,
            Model = picture.Model,
            Notices = Notices,
            Timings = picture.Timings,
            Latents = picture.Latents,
            Provenance = picture.Provenance,
        });
        return Pictures[^1];
    }

    private sealed class NotOpenException() : MuseAtelierException("the model is not open", "an open model", "Wait.");
}
