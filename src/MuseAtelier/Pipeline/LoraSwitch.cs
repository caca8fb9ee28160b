using System.Diagnostics;
using MuseAtelier.Diagnostics;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Puts the LoRAs of each batch in force. Requests with the same files and strengths share the merged weights; between others the weights
/// are merged anew.
/// </summary>
/// <param name="package">The package; borrowed.</param>
/// <param name="parts">The loaded parts; borrowed.</param>
/// <param name="diagnostics">Receives a message of each switch; borrowed.</param>
internal sealed class LoraSwitch(ModelPackage package, LoadedParts parts, AtelierDiagnostics diagnostics) : IDisposable
{
    private readonly LoraFileCache _files = new();
    private BatchLoras? _inForce;

    // Those of both passes of a picture.
    private volatile CheckedLoras[] _checked = [];

    /// <summary>Checks that the LoRAs of a request are there and fit the model. Thread-safe.</summary>
    /// <param name="loras">The LoRAs of the request.</param>
    /// <returns>Bytes of host memory that the merged weights take on a processor; 0 on a card.</returns>
    /// <exception cref="RequestLoraException">A file is missing, or has another digest.</exception>
    /// <exception cref="MuseAtelierException">A file is no LoRA for SDXL.</exception>
    public long Check(IReadOnlyList<PictureLora> loras)
    {
        if (loras.Count == 0) return 0;
        IReadOnlyList<LoraFileCache.Hold> holds = _files.OpenAll(loras);
        try
        {
            IReadOnlyList<LoraUse> uses = BatchLoras.UsesOf(loras, holds);
            // A series of requests with the same LoRAs matches them once.
            CheckedLoras[] known = _checked;
            if (Array.Find(known, checkedBefore => checkedBefore.Uses.SequenceEqual(uses)) is { } same) return same.MergedBytes;
            long bytes = MergedBytes(package.Manifest, uses);
            _checked = [new CheckedLoras(uses, bytes), .. known.Take(1)];
            return bytes;
        }
        finally
        {
            foreach (LoraFileCache.Hold hold in holds) hold.Dispose();
        }
    }

    /// <summary>Checks LoRAs without an opened model.</summary>
    /// <param name="manifest">The package, whose files need not exist.</param>
    /// <param name="loras">The LoRAs of the request.</param>
    public static long Check(PackageManifest manifest, IReadOnlyList<PictureLora> loras)
    {
        if (loras.Count == 0) return 0;
        using var files = new LoraFileCache();
        IReadOnlyList<LoraFileCache.Hold> holds = files.OpenAll(loras);
        try
        {
            return MergedBytes(manifest, BatchLoras.UsesOf(loras, holds));
        }
        finally
        {
            foreach (LoraFileCache.Hold hold in holds) hold.Dispose();
        }
    }

    /// <summary>Puts the LoRAs of a batch in force. Returns when the weights that they change are in place.</summary>
    /// <param name="loras">The LoRAs of its request.</param>
    /// <param name="cancellationToken">Stops within a weight; the next batch then loads the changed weights again.</param>
    /// <returns>The LoRAs in force, owned by this object; null if there are none.</returns>
    public BatchLoras? Apply(IReadOnlyList<PictureLora> loras, CancellationToken cancellationToken)
    {
        if (loras.Count == 0)
        {
            Put(null, cancellationToken);
            return null;
        }

        IReadOnlyList<LoraFileCache.Hold> holds = _files.OpenAll(loras);
        if (_inForce is not null && _inForce.Uses.SequenceEqual(BatchLoras.UsesOf(loras, holds)))
        {
            foreach (LoraFileCache.Hold hold in holds) hold.Dispose();
            return _inForce;
        }

        BatchLoras next = Match(loras, holds);
        try
        {
            Put(next, cancellationToken);
        }
        catch
        {
            next.Forget();
            next.Dispose();
            throw;
        }

        return next;
    }

    /// <summary>Reports the weights that were merged in a batch, in a switch before it or while it was painted.</summary>
    public void EndBatch()
    {
        if (_inForce is not { } loras) return;
        (long weights, TimeSpan time) = loras.Applied.TakeMerges();
        if (weights == 0) return;
        AtelierLog.WeightsMerged(diagnostics.Logger, diagnostics.Name, weights, loras.Uses.Count, time.TotalSeconds);
        diagnostics.Metrics.WeightsMerged(weights);
    }

    /// <summary>Frees the factors of the LoRAs in force, whose weights are merged. A later merge reads them again.</summary>
    public void Forget() => _inForce?.Forget();

    /// <inheritdoc/>
    public void Dispose()
    {
        _inForce?.Dispose();
        _inForce = null;
        _files.Dispose();
    }

    private static long MergedBytes(PackageManifest manifest, IReadOnlyList<LoraUse> uses) =>
        BatchLoras.MergedBytes(manifest.Lowering, manifest.PartPrecisions, manifest.Components, LoraSet.Of(manifest, uses));

    private BatchLoras Match(IReadOnlyList<PictureLora> loras, IReadOnlyList<LoraFileCache.Hold> holds)
    {
        try
        {
            return new BatchLoras(package, loras, holds);
        }
        catch
        {
            foreach (LoraFileCache.Hold hold in holds) hold.Dispose();
            throw;
        }
    }

    private void Put(BatchLoras? next, CancellationToken cancellationToken)
    {
        if (next is null && _inForce is null) return;
        (int count, int weights) = next is null ? (0, 0) : (next.Uses.Count, next.Applied.ChangedWeights);
        using Activity? activity = AtelierActivities.StartLoras(count, weights);
        long begin = Stopwatch.GetTimestamp();
        // The plan of a pass counts the factors of its own LoRAs.
        _inForce?.Forget();
        try
        {
            parts.Switch(next?.Applied, cancellationToken);
        }
        catch
        {
            // A switch that failed leaves no LoRAs in force.
            _inForce?.Dispose();
            _inForce = null;
            throw;
        }

        _inForce?.Dispose();
        _inForce = next;
        TimeSpan time = Stopwatch.GetElapsedTime(begin);
        AtelierLog.LorasSwitched(diagnostics.Logger, diagnostics.Name, count, weights, time.TotalSeconds);
        diagnostics.Metrics.LorasSwitched(time);
    }

    // LoRAs that fit the model, and the bytes that their merged weights take.
    private sealed record CheckedLoras(IReadOnlyList<LoraUse> Uses, long MergedBytes);
}
