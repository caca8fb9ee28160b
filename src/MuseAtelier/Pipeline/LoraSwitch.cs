using MuseAtelier.Export.Loras;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Puts the LoRAs of each batch in force. Requests with the same files and strengths share the merged weights; between others the weights
/// are merged anew.
/// </summary>
/// <param name="package">The package; borrowed.</param>
/// <param name="parts">The loaded parts; borrowed.</param>
internal sealed class LoraSwitch(ModelPackage package, LoadedParts parts) : IDisposable
{
    private readonly LoraShelf _shelf = new();
    private BatchLoras? _inForce;

    /// <summary>Checks that the LoRAs of a request are there and fit the model. Thread-safe.</summary>
    /// <param name="loras">The LoRAs of the request.</param>
    /// <returns>Bytes of host memory that the merged weights take on a processor; 0 on a card.</returns>
    /// <exception cref="RequestLoraException">A file is missing, or has another digest.</exception>
    /// <exception cref="MuseAtelierException">A file is no LoRA for SDXL.</exception>
    public long Check(IReadOnlyList<PictureLora> loras) => Check(_shelf, package.Manifest, loras);

    /// <summary>Checks LoRAs without an opened model.</summary>
    /// <param name="manifest">The package, whose files need not exist.</param>
    /// <param name="loras">The LoRAs of the request.</param>
    public static long Check(Format.PackageManifest manifest, IReadOnlyList<PictureLora> loras)
    {
        using var shelf = new LoraShelf();
        return Check(shelf, manifest, loras);
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

        IReadOnlyList<LoraShelf.Hold> holds = _shelf.OpenAll(loras);
        if (_inForce is not null && _inForce.Uses.SequenceEqual(BatchLoras.UsesOf(loras, holds)))
        {
            foreach (LoraShelf.Hold hold in holds) hold.Dispose();
            return _inForce;
        }

        BatchLoras next = Match(loras, holds);
        try
        {
            Put(next, cancellationToken);
        }
        catch
        {
            next.Dispose();
            throw;
        }

        return next;
    }

    /// <summary>Frees the factors of the LoRAs in force, whose weights are merged. A later merge reads them again.</summary>
    public void Forget() => _inForce?.Forget();

    /// <inheritdoc/>
    public void Dispose()
    {
        _inForce?.Dispose();
        _inForce = null;
        _shelf.Dispose();
    }

    private static long Check(LoraShelf shelf, Format.PackageManifest manifest, IReadOnlyList<PictureLora> loras)
    {
        if (loras.Count == 0) return 0;
        IReadOnlyList<LoraShelf.Hold> holds = shelf.OpenAll(loras);
        try
        {
            var set = LoraSet.Of(manifest, BatchLoras.UsesOf(loras, holds));
            return BatchLoras.MergedBytes(manifest.Lowering, manifest.PartPrecisions, manifest.Components, set);
        }
        finally
        {
            foreach (LoraShelf.Hold hold in holds) hold.Dispose();
        }
    }

    private BatchLoras Match(IReadOnlyList<PictureLora> loras, IReadOnlyList<LoraShelf.Hold> holds)
    {
        try
        {
            return new BatchLoras(package, loras, holds);
        }
        catch
        {
            foreach (LoraShelf.Hold hold in holds) hold.Dispose();
            throw;
        }
    }

    private void Put(BatchLoras? next, CancellationToken cancellationToken)
    {
        if (next is null && _inForce is null) return;
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
    }
}
