using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Framing;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>
/// The decoder's numbers to bytes, with a frame where one is wanted, on the device: the picture leaves it once. Also tells whether the numbers
/// were finite.
/// </summary>
internal sealed class PostProcessor(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private ComponentRunner? _runner;
    private PictureShape _shape;
    private PictureFrame? _style;
    private DeviceFrame? _frame;
    private nint _image;

    /// <summary>How often a frame was sent to the device.</summary>
    public int FrameUploads { get; private set; }

    /// <summary>The component that finishes pictures with that frame, or without one.</summary>
    public static string ComponentName(PictureFrame? frame) => frame is null ? ComponentNames.Finishing : ComponentNames.Framing;

    /// <summary>What the component's sizes depend on.</summary>
    /// <param name="height">The latent's height.</param>
    /// <param name="width">The latent's width.</param>
    /// <param name="frame">The frame, or null.</param>
    public static PictureShape Shape(int height, int width, PictureFrame? frame)
    {
        var shape = new PictureShape(1, height, width, 0);
        if (frame is null) return shape;
        (int canvasWidth, int canvasHeight) = frame.CanvasOf(width * VaeDecoder.VaeScaleFactor, height * VaeDecoder.VaeScaleFactor);
        return shape with { CanvasHeight = canvasHeight, CanvasWidth = canvasWidth };
    }

    /// <summary>Makes ready for pictures of a size.</summary>
    /// <param name="height">The latent's height.</param>
    /// <param name="width">The latent's width.</param>
    /// <param name="frame">The frame, or null. It stays on the device until another one is wanted, or none.</param>
    /// <param name="image">Device address of [1, 3, 8h, 8w] fp32, where the picture lies that is to be finished; borrowed. 0 gives it memory of its own.</param>
    public void Prepare(int height, int width, PictureFrame? frame, nint image)
    {
        PictureShape shape = Shape(height, width, frame);
        bool isSame = _shape == shape && _style == frame;
        if (_runner is not null && isSame && _image == image) return;
        _runner?.Dispose();
        _runner = null;
        if (!isSame)
        {
            _frame?.Dispose();
            _frame = null;
        }

        (_shape, _style, _image) = (shape, frame, image);
        var placed = new Dictionary<string, nint>();
        if (image != 0) placed["image"] = image;
        if (frame is not null)
        {
            if (_frame is null)
            {
                _frame = new DeviceFrame(FrameOverlay.Paint(width * VaeDecoder.VaeScaleFactor, height * VaeDecoder.VaeScaleFactor, frame), device);
                FrameUploads++;
            }

            foreach ((string tensor, nint address) in _frame.Addresses) placed[tensor] = address;
        }

        _runner = new ComponentRunner(package.Manifest.Component(ComponentName(frame)), shape, sessions, device, placed);
    }

    /// <summary>Gives a picture that was put together on the host.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1, in host memory; borrowed.</param>
    public void Upload(NativeBuffer image)
    {
        device.Upload(image.Address, _runner!.Address("image"), image.Bytes);
        device.Synchronize();
    }

    /// <summary>Finishes the picture. Gives [8h, 8w, 3] bytes, or of the frame's canvas, or null where some number was not finite.</summary>
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

    /// <summary>Gives back its memory, the frame's too, until the next picture.</summary>
    public void Release()
    {
        _runner?.Dispose();
        _runner = null;
        _frame?.Dispose();
        _frame = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Release();
}
