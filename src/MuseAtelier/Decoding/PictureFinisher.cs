using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>The decoder's numbers to bytes, on the device: the picture leaves it once. Also tells whether the numbers were finite.</summary>
internal sealed class PictureFinisher(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private readonly ComponentSpec _component = package.Manifest.Component(ComponentNames.Finishing);
    private ComponentRunner? _runner;
    private PictureShape _shape;
    private nint _image;

    /// <summary>Makes ready for pictures of a size.</summary>
    /// <param name="shape">The picture's shape; a batch of one.</param>
    /// <param name="image">Device address of [1, 3, 8h, 8w] fp32, where the picture lies that is to be finished; borrowed. 0 gives it memory of its own.</param>
    public void Prepare(PictureShape shape, nint image)
    {
        if (_runner is not null && _shape == shape && _image == image) return;
        _runner?.Dispose();
        (_shape, _image) = (shape, image);
        _runner = new ComponentRunner(_component, shape, sessions, device, image == 0 ? null : new Dictionary<string, nint> { ["image"] = image });
    }

    /// <summary>Gives a picture that was put together on the host.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1; borrowed.</param>
    public void Upload(ReadOnlySpan<float> image)
    {
        using NativeBuffer host = device.AllocateHost(_runner!.Size("image"));
        image.CopyTo(host.AsSpan<float>());
        device.Upload(host.Address, _runner.Address("image"), host.Bytes);
        device.Synchronize();
    }

    /// <summary>Finishes the picture. Gives [8h, 8w, 3] bytes, or null where some number was not finite.</summary>
    public byte[]? Finish(RunOptions options, CancellationToken cancellationToken)
    {
        ComponentRunner runner = _runner!;
        runner.Run(options, cancellationToken);
        using NativeBuffer pixels = device.AllocateHost(runner.Size("pixels")), fault = device.AllocateHost(runner.Size("fault"));
        device.Download(runner.Address("pixels"), pixels.Address, pixels.Bytes);
        device.Download(runner.Address("fault"), fault.Address, fault.Bytes);
        device.Synchronize();
        return fault.AsSpan<float>()[0] == 0 ? pixels.AsSpan<byte>().ToArray() : null;
    }

    /// <summary>Gives back its memory until the next picture.</summary>
    public void Release()
    {
        _runner?.Dispose();
        _runner = null;
    }

    /// <inheritdoc/>
    public void Dispose() => _runner?.Dispose();
}
