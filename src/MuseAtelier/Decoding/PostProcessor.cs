using System.Buffers;
using CommunityToolkit.HighPerformance.Buffers;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Framing;
using MuseAtelier.Recipe;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>
/// Converts the decoder's numbers to bytes on the device, and adds the frame if there is one, so that the picture is copied to the host
/// only once. Also checks that the numbers are finite.
/// </summary>
internal sealed class PostProcessor(ModelPackage package, SessionPool sessions, ExecutionDevice device) : IDisposable
{
    private ComponentRunner? _runner;
    private PictureShape _shape;
    private PictureFrame? _style;
    private DeviceFrame? _frame;
    private nint _image;

    /// <summary>The number of frames that were copied to the device.</summary>
    public int FrameUploads { get; private set; }

    /// <summary>Prepares the component for pictures of a size.</summary>
    /// <param name="height">The latent's height.</param>
    /// <param name="width">The latent's width.</param>
    /// <param name="frame">The frame, or null. It stays on the device until a call with another frame or none.</param>
    /// <param name="image">
    /// Device address of the decoded picture, [1, 3, 8h, 8w] fp32; borrowed. With 0, the component allocates memory of its own.
    /// </param>
    public void Prepare(int height, int width, PictureFrame? frame, nint image)
    {
        PictureShape shape = LatentGeometry.PostProcessingShape(height, width, frame);
        bool isSame = _shape == shape && _style == frame;
        if (_runner is not null && isSame && _image == image) return;
        _runner?.Dispose();
        _runner = null;
        if (!isSame)
        {
            _frame?.Dispose();
            _frame = null;
        }

        _shape = shape;
        _style = frame;
        _image = image;
        var placed = new Dictionary<string, nint>();
        if (image != 0) placed["image"] = image;
        if (frame is not null)
        {
            if (_frame is null)
            {
                var overlay = FrameOverlay.Paint(width * LatentGeometry.VaeScaleFactor, height * LatentGeometry.VaeScaleFactor, frame);
                _frame = new DeviceFrame(overlay, device);
                FrameUploads++;
            }

            foreach ((string tensor, nint address) in _frame.Addresses) placed[tensor] = address;
        }

        string component = PipelineRecipe.PostProcessor(frame is not null);
        _runner = new ComponentRunner(package.Manifest.Component(component), shape, sessions, device, placed);
    }

    /// <summary>Copies a picture that was assembled on the host to the device.</summary>
    /// <param name="image">[3, 8h, 8w] fp32, -1 to 1, in host memory; borrowed.</param>
    public void Upload(NativeBuffer image)
    {
        _runner!.Write("image", image);
        device.Synchronize();
    }

    /// <summary>
    /// Converts the picture to [8h, 8w, 3] bytes, or to bytes of the frame's canvas, in pooled memory that the caller disposes. Returns
    /// null if a number is not finite.
    /// </summary>
    public MemoryOwner<byte>? ToPixels(RunOptions options, CancellationToken cancellationToken)
    {
        ComponentRunner runner = _runner!;
        runner.Run(options, cancellationToken);
        using NativeBuffer fault = device.AllocateHost(runner.Size("fault"));
        // After a failure the array is collected, and does not return to the pool.
        var pixels = MemoryOwner<byte>.Allocate(checked((int)runner.Size("pixels")));
        using (MemoryHandle pin = pixels.Memory.Pin())
        {
            try
            {
                runner.Read("pixels", pin, pixels.Length);
                runner.Read("fault", fault);
                device.Synchronize();
            }
            catch
            {
                // The device must not write to this memory any more once it is unpinned or freed.
                device.Settle();
                throw;
            }
        }

        if (fault.AsSpan<float>()[0] == 0) return pixels;
        pixels.Dispose();
        return null;
    }

    /// <summary>Frees the component's and the frame's memory until the next picture.</summary>
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
