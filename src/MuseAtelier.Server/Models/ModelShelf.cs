using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MuseAtelier.Hosting;

namespace MuseAtelier.Server.Models;

/// <summary>
/// The models of the server's paths. A model is opened when a job needs it. The others are closed before, unless the declared budget holds
/// all of them (<see cref="MemoryShares"/>). Whoever asks for an opening must not paint with another model at the same time.
/// </summary>
internal sealed partial class ModelShelf : IModelShelf, IAsyncDisposable
{
    private const int ShortDigest = 10, LongestName = 64;

    // Four previews a second are shown at most. Steps and the encoding have no common rhythm, so that they are made somewhat more often.
    private static readonly TimeSpan PreviewInterval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly CancellationTokenSource _ending = new();
    private readonly ServerOptions _options;
    private readonly AtelierOptions _atelierOptions;
    private readonly Action<ShelfAnswer> _changed;
    private readonly ILogger _logger;
    private readonly Dictionary<string, double> _secondsToOpen = [];
    private IReadOnlyList<ShelfModel> _models;
    private OpenModel[] _open = [];
    private string? _chosen;
    private bool _isDisposed;

    /// <summary>Creates the shelf and reads the paths. Nothing is opened yet.</summary>
    /// <param name="options">The server's options.</param>
    /// <param name="atelier">The options with which models are opened; their name is set for each.</param>
    /// <param name="changed">Receives the models whenever one was opened, closed or chosen, or cannot be opened.</param>
    /// <param name="logger">Receives the failures of openings.</param>
    public ModelShelf(ServerOptions options, AtelierOptions atelier, Action<ShelfAnswer> changed, ILogger<ModelShelf> logger)
    {
        (_options, _changed, _logger) = (options, changed, logger);
        _atelierOptions = atelier with
        {
            Previews = true,
            PreviewInterval = PreviewInterval,
            WatchMemory = true,
            WatchInterval = TimeSpan.FromMilliseconds(250),
            Disposal = DisposalMode.Abort,
        };
        _models = ModelScan.Run(options.Models, atelier);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ShelfModel> Models
    {
        get
        {
            lock (_gate) return _models;
        }
    }

    /// <inheritdoc/>
    public ShelfModel? Current
    {
        get
        {
            lock (_gate)
            {
                string? path = _chosen ?? (_open is [.., var last] ? last.Path : null);
                return _models.FirstOrDefault(model => model.Path == path)
                    ?? _models.FirstOrDefault(model => model.Problem is null)
                    ?? (_models is [var first, ..] ? first : null);
            }
        }
    }

    /// <inheritdoc/>
    public SanctumState Sanctum
    {
        get
        {
            OpenModel[] open;
            lock (_gate) open = _open;
            AtelierStatus[] states = [.. open.Select(model => model.Atelier.Status)];
            return new SanctumState
            {
                // Each atelier measures the whole process.
                Held = states.Max(state => state.HeldBytes),
                Budget = _atelierOptions.DeclaredBudget?.Bytes ?? states.Max(state => (long?)state.BudgetBytes),
                Device = open is [.., var last] ? last.Atelier.Device : null,
            };
        }
    }

    /// <inheritdoc/>
    public void Choose(string id)
    {
        ShelfModel model = Find(id) ?? throw new ServerRequestException(StatusCodes.Status404NotFound, NoSuchModel(id));
        lock (_gate) _chosen = model.Path;
        Tell();
    }

    /// <inheritdoc/>
    public ShelfModel? Find(string text)
    {
        IReadOnlyList<ShelfModel> models = Models;
        return models.FirstOrDefault(model => IsSame(model.Id))
            ?? models.FirstOrDefault(model => IsSame(Path.GetFileName(model.Path)) || IsSame(model.Title))
            ?? models.FirstOrDefault(model => model.Sha256 is { } digest && (IsSame(digest) || IsSame(digest[..ShortDigest])));

        bool IsSame(string name) => name.Equals(text, StringComparison.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    public void Refresh()
    {
        IReadOnlyList<ShelfModel> models = ModelScan.Run(_options.Models, _atelierOptions);
        lock (_gate)
        {
            _models = models;
            if (!models.Any(model => model.Path == _chosen)) _chosen = null;
        }

        Tell();
    }

    /// <inheritdoc/>
    public IAtelier? Opened(ShelfModel model)
    {
        lock (_gate) return Array.Find(_open, open => open.Path == model.Path)?.Atelier;
    }

    /// <inheritdoc/>
    public double? SecondsToOpen(ShelfModel model)
    {
        lock (_gate)
        {
            if (Array.Exists(_open, open => open.Path == model.Path)) return 0;
            return _secondsToOpen.TryGetValue(model.Path, out double seconds) ? seconds : null;
        }
    }

    /// <inheritdoc/>
    public async Task<IAtelier> OpenAsync(ShelfModel model, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        await _opening.WaitAsync(stop.Token).ConfigureAwait(false);
        try
        {
            if (Opened(model) is { } opened) return opened;
            IReadOnlyDictionary<string, long>? shares = await Task.Run(Shares, stop.Token).ConfigureAwait(false);
            long? share = shares is not null && shares.TryGetValue(model.Id, out long bytes) ? bytes : null;
            await CloseAsync(open => share is null || !shares!.Values.Contains(open.Share ?? 0)).ConfigureAwait(false);
            return await OpenAloneAsync(model, share, progress, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Ends an opening that is running, and closes all models. Their threads have ended afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _opening.WaitAsync().ConfigureAwait(false);
        OpenModel[] left;
        lock (_gate) (left, _open) = (_open, []);
        foreach (OpenModel open in left) await open.Atelier.EndAsync(drains: false).ConfigureAwait(false);
        _opening.Dispose();
        _ending.Dispose();
    }

    private static Problem NoSuchModel(string id) => new()
    {
        Kind = "no-such-model",
        Message = $"There is no model '{(id.Length <= LongestName ? id : id[..LongestName])}'; expected one of GET /api/v1/models. "
            + "If its file is new, read the models again.",
        Field = "model",
    };

    private static string InWords(LoadProgress progress) => progress.Fraction is > 0 and < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{progress.Phase}, {(int)(100 * progress.Fraction)} %")
        : progress.Phase;

    private IReadOnlyDictionary<string, long>? Shares() =>
        MemoryShares.Of([.. Models.Where(model => model.Problem is null)], _atelierOptions, _options.Limits);

    private AtelierOptions OptionsOf(ShelfModel model, long? share)
    {
        string name = model.Id.Length <= LongestName ? model.Id : model.Id[..LongestName];
        AtelierOptions options = _atelierOptions with { Name = name };
        if (share is not { } bytes) return options;
        return options.CountedMemory == MemoryKind.Host ? options with { HostMemory = bytes } : options with { DeviceMemory = bytes };
    }

    private async Task<IAtelier> OpenAloneAsync(
        ShelfModel model, long? share, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        AtelierOptions options = OptionsOf(model, share);
        IProgress<LoadProgress>? loading = progress is null ? null : new Words(progress);
        var hosted = new MuseAtelierHostOptions { QueueCapacity = options.QueueCapacity, Disposal = options.Disposal };
        var atelier = new HostedAtelier(
            () => hosted, async stop => await Atelier.OpenAsync(model.Path, options, loading, stop).ConfigureAwait(false));
        long start = Stopwatch.GetTimestamp();
        try
        {
            await atelier.OpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await atelier.EndAsync(drains: false, CancellationToken.None).ConfigureAwait(false);
            if (exception is OperationCanceledException) throw;
            Problem problem = ModelProblem.Of(exception);
            OpeningFailed(_logger, model.Id, exception);
            Replace(model.Path, known => known with { Problem = problem });
            Tell();
            throw new ServerRequestException(StatusCodes.Status422UnprocessableEntity, problem, exception);
        }

        lock (_gate)
        {
            _open = [.. _open, new OpenModel(model.Path, atelier, share)];
            _secondsToOpen[model.Path] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Replace(model.Path, known => known with { Problem = null, Sha256 = atelier.Model.Sha256 });
        Tell();
        return atelier;
    }

    // A request that is still painted is finished first.
    private async Task CloseAsync(Predicate<OpenModel> isClosed)
    {
        OpenModel[] closed;
        lock (_gate)
        {
            closed = Array.FindAll(_open, isClosed);
            _open = [.. _open.Except(closed)];
        }

        foreach (OpenModel open in closed) await open.Atelier.EndAsync(drains: true, _ending.Token).ConfigureAwait(false);
        if (closed.Length > 0) Tell();
    }

    private void Replace(string path, Func<ShelfModel, ShelfModel> change)
    {
        lock (_gate) _models = [.. _models.Select(model => model.Path == path ? change(model) : model)];
    }

    private void Tell() => _changed(ShelfAnswer.Of(this));

    [LoggerMessage(510, LogLevel.Error, "The model {Model} could not be opened.", EventName = "ModelOpeningFailed")]
    private static partial void OpeningFailed(ILogger logger, string model, Exception exception);

    private sealed record OpenModel(string Path, HostedAtelier Atelier, long? Share);

    private sealed class Words(IProgress<string> inner) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => inner.Report(InWords(value));
    }
}
