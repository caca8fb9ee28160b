using MuseAtelier.Cuda.Devices;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda;

/// <summary>Runs an atelier on an NVIDIA card.</summary>
public sealed class CudaBackend : Backend
{
    private readonly CudaOptions _options;
    private CudaDiagnosis? _diagnosis;

    private CudaBackend(CudaOptions options) => _options = options;

    internal override Lowering Lowering => Lowering.Cuda;

    internal override DeviceProfile Profile => DeviceProfile.Hopper;

    /// <summary>Creates a backend for an NVIDIA card. The card is looked up when an atelier is opened.</summary>
    /// <param name="options">How the card is used; null means the first card and the default settings.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The card's number or the number of threads that create sessions is negative, or the number of threads that read is not positive.
    /// </exception>
    public static Backend Create(CudaOptions? options = null)
    {
        options ??= new CudaOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Card, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.SessionThreads, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ReaderThreads, nameof(options));
        return new CudaBackend(options);
    }

    internal override void Require() => Diagnose();

    internal override ExecutionDevice Open(
        ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default) =>
        new CudaDevice(package, _options, Diagnose().Cards[_options.Card], options.LoggerFactory, cancellationToken);

    // The diagnosis is kept, because it takes longer than everything else that opening an atelier does before weights load.
    private CudaDiagnosis Diagnose()
    {
        _diagnosis ??= CudaDiagnosis.Run();
        _diagnosis.ThrowIfUnusable(_options.Card);
        return _diagnosis;
    }
}
