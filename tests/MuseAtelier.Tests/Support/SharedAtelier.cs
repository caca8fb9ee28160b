using System.Collections.Concurrent;

namespace MuseAtelier.Tests.Support;

/// <summary>A model on the processor, opened once for all tests that need no atelier of their own.</summary>
public abstract class SharedAtelier : IAsyncLifetime
{
    private readonly ConcurrentDictionary<PictureRequest, Lazy<Task<Picture>>> _references = new();
    private readonly ConcurrentDictionary<(PictureRequest Request, int Count, int Together), Lazy<Task<List<Picture>>>> _series = new();
    private readonly Func<string> _checkpoint;

    private protected SharedAtelier(Func<string> checkpoint) => _checkpoint = checkpoint;

    /// <summary>The atelier; its member <see cref="Atelier.Model"/> names the package.</summary>
    public Atelier Atelier { get; private set; } = null!;

    /// <summary>
    /// Another one that is the same, for the references and for tests that paint much. An atelier paints one picture at a time, and two of
    /// them keep two processors busy.
    /// </summary>
    public Atelier Second { get; private set; } = null!;

    /// <summary>A picture that is painted once in a run of the tests: for tests that compare another picture with it.</summary>
    /// <param name="request">The request.</param>
    public Task<Picture> ReferenceAsync(PictureRequest request) =>
        _references.GetOrAdd(request, key => new Lazy<Task<Picture>>(() => Second.GenerateAsync(key))).Value;

    /// <summary>The pictures of a series that is painted once in a run of the tests.</summary>
    /// <param name="request">The first picture's request.</param>
    /// <param name="count">How many pictures.</param>
    /// <param name="together">How many of them in one batch.</param>
    public Task<List<Picture>> ReferencesAsync(PictureRequest request, int count, int together) => _series.GetOrAdd(
        (request, count, together),
        key => new Lazy<Task<List<Picture>>>(
            () => Second.GenerateManyAsync(key.Request, key.Count, key.Together).ToListAsync().AsTask())).Value;

    /// <summary>An atelier of its own for a test, over the same package.</summary>
    public Task<Atelier> OpenAsync(AtelierOptions options) =>
        Atelier.OpenAsync(Atelier.Model.Package, options, cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask InitializeAsync()
    {
        Atelier = await Atelier.OpenAsync(_checkpoint(), TestAtelier.Options);
        Second = await Atelier.OpenAsync(_checkpoint(), TestAtelier.Options);
    }

    public async ValueTask DisposeAsync()
    {
        await Atelier.DisposeAsync();
        await Second.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
