using System.Threading.Channels;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Server.Jobs;

/// <summary>An atelier whose pictures a test finishes one by one, so that the order of things is the test's.</summary>
internal sealed class SteppedAtelier : IAtelier
{
    private readonly Channel<Painting> _begun = Channel.CreateUnbounded<Painting>();

    /// <summary>Whether pictures are finished as soon as they are requested.</summary>
    public bool PaintsAtOnce { get; init; }

    public ModelInfo Model { get; } = new("miniature", SamplePicture.Sha256, "/nowhere") { Parameters = 1 };

    public string Device => "a test";

    public string RuntimeVersion => "0";

    public AtelierStatus Status =>
        new() { QueueLength = 0, QueueCapacity = 1, IsPainting = false, AcceptsRequests = true, BudgetBytes = 1 };

    /// <summary>Waits for the next picture that is requested.</summary>
    public Task<Painting> NextAsync() =>
        _begun.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    public async Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var painting = new Painting(request, options?.Progress);
        if (PaintsAtOnce) painting.Finish();
        else _begun.Writer.TryWrite(painting);
        return await painting.Result.WaitAsync(cancellationToken);
    }

    public IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Jobs are painted picture by picture.");

    public Task DrainAsync() => Task.CompletedTask;

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A picture that was requested.</summary>
    internal sealed class Painting(PictureRequest request, IProgress<GenerationProgress>? progress)
    {
        private readonly TaskCompletionSource<Picture> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PictureRequest Request { get; } = request;

        public Task<Picture> Result => _result.Task;

        public void Report(int step, LatentPreview? preview = null) => Report(new GenerationProgress
        {
            Phase = GenerationPhase.Denoising,
            Step = step,
            Steps = Request.Steps,
            Preview = preview,
        });

        public void Report(GenerationProgress report) => progress?.Report(report);

        public void Finish() => _result.TrySetResult(SamplePicture.Of(Request, 8, 8));

        public void Fail(Exception exception) => _result.TrySetException(exception);
    }
}
