using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Framing;
using MuseAtelier.Imaging;

namespace MuseAtelier.Pipeline;

/// <summary>
/// Puts what was decoded into the source's own pixels, and lays the frame over the result on the host, because the frame lies over the
/// source's pixels too.
/// </summary>
internal sealed class SourcePaste
{
    private const int Channels = 3;

    private FrameOverlay? _overlay;
    private PictureFrame? _style;
    private (int Width, int Height) _size;

    /// <summary>Makes the pixels of the result.</summary>
    /// <param name="prepared">The source.</param>
    /// <param name="painted">The decoded pixels of the painted size; disposed.</param>
    /// <param name="frame">The frame, or null.</param>
    /// <returns>The pixels of the result, or of its frame's canvas, which the caller disposes.</returns>
    public MemoryOwner<byte> Paste(PreparedSource prepared, MemoryOwner<byte> painted, PictureFrame? frame)
    {
        var result = MemoryOwner<byte>.Allocate(checked(prepared.ResultWidth * prepared.ResultHeight * Channels));
        PasteBack.Composite(prepared, painted.Span, result.Span);
        painted.Dispose();
        if (frame is null) return result;
        FrameOverlay overlay = OverlayOf(prepared.ResultWidth, prepared.ResultHeight, frame);
        var framed = MemoryOwner<byte>.Allocate(checked(overlay.Width * overlay.Height * Channels));
        overlay.LayOver(result.Span, prepared.ResultWidth, framed.Span);
        result.Dispose();
        return framed;
    }

    // The pictures of a series have the same frame.
    private FrameOverlay OverlayOf(int width, int height, PictureFrame frame)
    {
        if (_overlay is null || _style != frame || _size != (width, height)) _overlay = FrameOverlay.Paint(width, height, frame);
        (_style, _size) = (frame, (width, height));
        return _overlay;
    }
}
