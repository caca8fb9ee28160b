using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace MuseAtelier.Tests.Hosting;

/// <summary>An atelier whose pictures a test finishes, for cases in which time matters.</summary>
internal sealed class FakeAtelier : IAtelier
{
    private readonly ConcurrentQueue<TaskCompletionSource<Picture>> _pictures = new();
    private volatile bool _isClosed;

    /// <summary>Whether pictures are finished as soon as they are requested.</summary>
    public bool PaintsAtOnce { get; init; } = true;

    /// <summary>The length of the queue that <see cref="Status"/> reports.</summary>
    public int QueueLength { get; set; }

    /// <summary>The number of pictures that were requested.</summary>
    public int Requested => _pictures.Count;

    /// <summary>Completes when the atelier was disposed.</summary>
    public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a picture is requested.</summary>
    public TaskCompletionSource FirstRequest { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ModelInfo Model { get; } = new("fake", new string('0', 64), "fake") { Parameters = 1 };

    public string Device => "a test";

    public string RuntimeVersion => "0";

    public AtelierStatus Status => new()
    {
        QueueLength = QueueLength,
        QueueCapacity = 2,
        IsPainting = false,
        AcceptsRequests = !_isClosed,
        BudgetBytes = 1024,
        HeldBytes = 512,
    };

    public async Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        var painting = new TaskCompletionSource<Picture>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pictures.Enqueue(painting);
        if (PaintsAtOnce) painting.SetResult(Painted(request));
        FirstRequest.TrySetResult();
        return await painting.Task.WaitAsync(cancellationToken);
    }

    public async IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (int index = 0; index < count; index++)
            yield return await GenerateAsync(request with { Seed = request.Seed + (ulong)index }, options, cancellationToken);
    }

    /// <summary>Finishes all pictures that were requested.</summary>
    public void FinishAll()
    {
        foreach (TaskCompletionSource<Picture> picture in _pictures) picture.TrySetResult(Painted(new PictureRequest { Prompt = "" }));
    }

    public async Task DrainAsync()
    {
        _isClosed = true;
        await Task.WhenAll(_pictures.Select(Task (picture) => picture.Task)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public ValueTask DisposeAsync()
    {
        _isClosed = true;
        foreach (TaskCompletionSource<Picture> picture in _pictures) picture.TrySetCanceled(CancellationToken.None);
        Disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private Picture Painted(PictureRequest request) => new()
    {
        Width = 1,
        Height = 1,
        Pixels = new byte[3],
        Request = request,
        Model = Model,
        Notices = [],
        Timings = new PictureTimings(default, default, default)
        {
            Steps = [],
            PostProcessing = default,
            DenoisingManagedBytes = 0,
        },
        Latents = ReadOnlyMemory<float>.Empty,
        Provenance = null!,
    };
}
