using System.Runtime.CompilerServices;

namespace MuseAtelier.Hosting;

/// <summary>
/// The atelier that a host injects. It opens the real one once, at warm-up or at the first request. Requests wait for the opening; a caller
/// that cancels its request ends its own wait alone. If the opening fails, all that wait receive the failure, and the next request tries
/// again.
/// </summary>
internal sealed class HostedAtelier : IAtelier
{
    private readonly Lock _gate = new();
    private readonly Func<CancellationToken, Task<IAtelier>> _open;
    private readonly Func<MuseAtelierHostOptions> _options;
    private readonly CancellationTokenSource _openingEnds = new();
    private readonly CancellationTokenSource _aborting = new();
    private volatile IAtelier? _opened;
    private Task<IAtelier>? _opening;
    private Task? _ending;
    private TaskCompletionSource? _handedOver;
    private int _waiting;

    /// <summary>Creates the atelier. Nothing is opened yet.</summary>
    /// <param name="options">Gives the options, and throws if they are invalid.</param>
    /// <param name="open">Opens the real atelier, whose disposal aborts the requests that are left.</param>
    public HostedAtelier(Func<MuseAtelierHostOptions> options, Func<CancellationToken, Task<IAtelier>> open) =>
        (_options, _open) = (options, open);

    /// <summary>The options of the host.</summary>
    public MuseAtelierHostOptions Options => _options();

    /// <inheritdoc/>
    public ModelInfo Model => Opened(nameof(Model)).Model;

    /// <inheritdoc/>
    public string Device => Opened(nameof(Device)).Device;

    /// <inheritdoc/>
    public string RuntimeVersion => Opened(nameof(RuntimeVersion)).RuntimeVersion;

    /// <summary>
    /// The queue and the memory at this moment. While the atelier is not open, requests that wait for the opening count as the queue, and
    /// the budget is 0.
    /// </summary>
    public AtelierStatus Status
    {
        get
        {
            if (_opened is { } opened) return opened.Status;
            int capacity = Options.QueueCapacity;
            lock (_gate)
            {
                return new AtelierStatus
                {
                    QueueLength = _waiting,
                    QueueCapacity = capacity,
                    IsPainting = false,
                    AcceptsRequests = _ending is null,
                    BudgetBytes = 0,
                };
            }
        }
    }

    /// <summary>Whether the real atelier is open, or was before it ended.</summary>
    public bool IsOpen => _opened is not null;

    /// <summary>Whether the opening has begun and is not finished.</summary>
    public bool IsOpening
    {
        get
        {
            lock (_gate) return _opening is { IsCompleted: false };
        }
    }

    /// <summary>Whether requests that are left are cancelled, or were when the atelier ended.</summary>
    public bool IsAborting => _aborting.IsCancellationRequested;

    /// <summary>
    /// Whether the end of the atelier finishes its requests. Options that are invalid have opened nothing, and must not keep the services
    /// from being disposed.
    /// </summary>
    public bool DrainsAtEnd
    {
        get
        {
            lock (_gate)
                if (_opening is null) return false;
            return Options.Disposal == DisposalMode.Drain;
        }
    }

    /// <summary>Whether the atelier was told to end.</summary>
    public bool IsEnding
    {
        get
        {
            lock (_gate) return _ending is not null;
        }
    }

    /// <summary>The failure of the last opening; null if it has not failed.</summary>
    public Exception? OpeningFailure
    {
        get
        {
            lock (_gate) return _opening is { IsFaulted: true } failed ? failed.Exception.InnerException : null;
        }
    }

    /// <inheritdoc/>
    public Task<Picture> GenerateAsync(
        PictureRequest request, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        _opened is { } atelier
            ? atelier.GenerateAsync(request, options, cancellationToken)
            : GenerateWhenOpenAsync(request, options, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Picture> GenerateManyAsync(
        PictureRequest request, int count, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return _opened is { } atelier
            ? atelier.GenerateManyAsync(request, count, options, cancellationToken)
            : GenerateManyWhenOpenAsync(request, count, options, cancellationToken);
    }

    /// <summary>Opens the real atelier, or waits until it is open.</summary>
    /// <param name="cancellationToken">Ends the wait, not the opening.</param>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        lock (_gate) return BeginOpening().WaitAsync(cancellationToken);
    }

    /// <summary>Ends the atelier, and completes when its thread has ended. Safe to call again, with another choice as well.</summary>
    /// <param name="drains">Whether to finish the requests that are left. Otherwise they are cancelled.</param>
    /// <param name="limit">Cancels the requests that are still left.</param>
    public async Task EndAsync(bool drains, CancellationToken limit = default)
    {
        if (!drains) await _aborting.CancelAsync().ConfigureAwait(false);
        Task ending;
        lock (_gate) ending = _ending ??= Task.Run(FinishAsync, CancellationToken.None);
        using (limit.UnsafeRegister(static aborting => ((CancellationTokenSource)aborting!).Cancel(), _aborting))
            await ending.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task DrainAsync() => EndAsync(drains: true);

    /// <summary>Ends the atelier as <see cref="MuseAtelierHostOptions.Disposal"/> says.</summary>
    public async ValueTask DisposeAsync() => await EndAsync(DrainsAtEnd).ConfigureAwait(false);

    /// <summary>Like <see cref="DisposeAsync"/>, and blocks until the atelier's thread has ended.</summary>
    public void Dispose() => EndAsync(DrainsAtEnd).GetAwaiter().GetResult();

    private IAtelier Opened(string member)
    {
        if (_opened is { } opened) return opened;
        Exception? failure = OpeningFailure;
        string state = failure is not null ? "could not be opened" : IsOpening ? "is being opened" : "is not open";
        throw new AtelierNotOpenException(member, state, failure);
    }

    private async Task<Picture> GenerateWhenOpenAsync(
        PictureRequest request, GenerationOptions? options, CancellationToken cancellationToken)
    {
        IAtelier atelier = await WaitForOpeningAsync(cancellationToken).ConfigureAwait(false);
        Task<Picture> picture;
        try
        {
            picture = atelier.GenerateAsync(request, options, cancellationToken);
        }
        finally
        {
            HandOver();
        }

        return await picture.ConfigureAwait(false);
    }

    private async IAsyncEnumerable<Picture> GenerateManyWhenOpenAsync(
        PictureRequest request, int count, GenerationOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IAtelier atelier = await WaitForOpeningAsync(cancellationToken).ConfigureAwait(false);
        IAsyncEnumerator<Picture> pictures;
        ValueTask<bool> moving;
        try
        {
            pictures = atelier.GenerateManyAsync(request, count, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            moving = pictures.MoveNextAsync();
        }
        finally
        {
            HandOver();
        }

        await using ConfiguredAsyncDisposable disposal = pictures.ConfigureAwait(false);
        while (await moving.ConfigureAwait(false))
        {
            yield return pictures.Current;
            moving = pictures.MoveNextAsync();
        }
    }

    // Every caller that receives the atelier must hand its request over, so that draining can wait for that.
    private async Task<IAtelier> WaitForOpeningAsync(CancellationToken cancellationToken)
    {
        int capacity = Options.QueueCapacity;
        Task<IAtelier> opening;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_ending is not null, typeof(Atelier));
            if (_waiting >= capacity) throw new QueueFullException(capacity);
            opening = BeginOpening();
            _waiting++;
        }

        try
        {
            return await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            HandOver();
            throw;
        }
    }

    private void HandOver()
    {
        lock (_gate)
            if (--_waiting == 0) _handedOver?.TrySetResult();
    }

    // Called under the lock. The opening serves all callers, so it must not run in the execution context of the first one.
    private Task<IAtelier> BeginOpening()
    {
        ObjectDisposedException.ThrowIf(_ending is not null, typeof(Atelier));
        if (_opening is { } opening && (!opening.IsCompleted || opening.IsCompletedSuccessfully)) return opening;
        using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
        return _opening = Task.Run(
            async () =>
            {
                IAtelier atelier = await _open(_openingEnds.Token).ConfigureAwait(false);
                _opened = atelier;
                return atelier;
            },
            CancellationToken.None);
    }

    private async Task FinishAsync()
    {
        Task<IAtelier>? opening;
        Task handedOver = Task.CompletedTask;
        lock (_gate)
        {
            opening = _opening;
            if (_waiting > 0)
            {
                _handedOver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                handedOver = _handedOver.Task;
            }
        }

        if (opening is null) return;
        await handedOver.WaitAsync(_aborting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // An opening that is still running now has no caller that waits for it.
        await _openingEnds.CancelAsync().ConfigureAwait(false);
        await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_opened is not { } atelier) return;
        Task draining = _aborting.IsCancellationRequested ? Task.CompletedTask : atelier.DrainAsync();
        await draining.WaitAsync(_aborting.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Disposing aborts what draining has not finished, and waits until the thread has ended.
        await atelier.DisposeAsync().ConfigureAwait(false);
        await draining.ConfigureAwait(false);
    }
}
