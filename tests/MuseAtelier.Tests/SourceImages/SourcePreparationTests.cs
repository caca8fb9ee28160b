using MuseAtelier.Imaging;

namespace MuseAtelier.Tests.SourceImages;

public sealed class SourcePreparationTests
{
    [Fact]
    public void Prepare_OfASourceOfTheSize_KeepsItsPixels()
    {
        SourceImage image = Image(256, 256);
        PreparedSource prepared = Prepare(new PictureSource(image));
        Assert.Equal(image.Pixels.Span, prepared.Pixels.Span);
        Assert.True(prepared is { Mask.IsEmpty: true, LatentMask.IsEmpty: true, ResultWidth: 256, ResultHeight: 256 });
        byte[] painted = Painted(), result = new byte[painted.Length];
        PasteBack.Composite(prepared, painted, result);
        Assert.Equal(painted, result);
    }

    [Fact]
    public void Prepare_OfAWideSource_FitsItAsItIsTold()
    {
        // Three bands: red, green, blue from left to right.
        const int width = 768, height = 256;
        byte[] pixels = new byte[width * height * 3];
        for (int at = 0; at < width * height; at++) pixels[at * 3 + at % width / 256] = 255;
        var source = new PictureSource(new SourceImage(width, height, pixels));
        // The green band alone, but for the filter's reach at the sides.
        Assert.Equal([0, 255, 0], PixelOf(Prepare(source), 10, 10));
        Assert.Equal([0, 255, 0], PixelOf(Prepare(source), 245, 245));
        // The bands lie between two margins, which repeat them.
        PreparedSource padded = Prepare(source with { Fit = SourceFit.Pad });
        Assert.Equal([255, 0, 0], PixelOf(padded, 40, 0));
        Assert.Equal([0, 0, 255], PixelOf(padded, 250, 255));
        Assert.Equal([0, 255, 0], PixelOf(padded, 128, 128));
        Assert.Equal([255, 0, 0], PixelOf(Prepare(source with { Fit = SourceFit.Stretch }), 40, 128));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 65_535)]
    [InlineData(65_535, 1)]
    public void Prepare_OfAnExtremeShape_FitsIt(int width, int height)
    {
        byte[] pixels = new byte[width * height * 3];
        pixels.AsSpan().Fill(90);
        foreach (SourceFit fit in Enum.GetValues<SourceFit>())
        {
            PreparedSource prepared = Prepare(new PictureSource(new SourceImage(width, height, pixels)) { Fit = fit });
            Assert.True(prepared.Pixels.Span.IndexOfAnyExcept((byte)90) < 0);
        }
    }

    [Fact]
    public void Prepare_OfASourceThatIsTooLarge_IsRefused()
    {
        var source = new PictureSource(new SourceImage(65_536, 1, new byte[65_536 * 3]));
        Assert.Contains("65536x1", Assert.Throws<SourceSizeException>(() => Prepare(source)).Message, StringComparison.Ordinal);
        source = new PictureSource(new SourceImage(65_535, 8, new byte[65_535 * 8 * 3])) { Extend = new PictureMargins(0, 6200, 0, 0) };
        Assert.Throws<SourceSizeException>(() => Prepare(source));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Composite_OfWhatTheMaskDoesNotReach_IsTheSourcesBytes(bool onlyMasked)
    {
        SourceImage image = Image(300, 280);
        PictureSource source = Masked(image, at => at % 300 is >= 100 and < 160 && at / 300 is >= 90 and < 130 ? (byte)255 : (byte)0);
        source = source with { Mask = source.Mask! with { OnlyMaskedPadding = onlyMasked ? 16 : null }, Fit = SourceFit.Stretch };
        // A whole source is compared at the size at which it is painted.
        if (!onlyMasked) source = source with { Image = Image(256, 256), Mask = Masked(Image(256, 256), Square).Mask };
        PreparedSource prepared = Prepare(source);
        Assert.Equal((source.Image.Width, source.Image.Height), (prepared.ResultWidth, prepared.ResultHeight));
        byte[] painted = Painted(), result = new byte[prepared.ResultWidth * prepared.ResultHeight * 3];
        PasteBack.Composite(prepared, painted, result);
        byte[] mask = GaussianBlur.Apply(source.Mask!.Image.Pixels.ToArray(), prepared.ResultWidth, prepared.ResultHeight, 4);
        ReadOnlySpan<byte> original = source.Image.Pixels.Span;
        int kept = 0, changed = 0;
        for (int at = 0; at < result.Length; at++)
        {
            if (mask[at / 3] != 0)
            {
                changed += result[at] != original[at] ? 1 : 0;
            }
            else
            {
                Assert.Equal(original[at], result[at]);
                kept++;
            }
        }

        Assert.True(kept > result.Length / 2 && changed > 1000);
    }

    [Fact]
    public void Composite_OfAPaintedSourceItself_LeavesNoSeam()
    {
        // The source's own smooth colours, scaled to the painted size and back, differ little from it everywhere.
        const int width = 400, height = 320;
        byte[] pixels = new byte[width * height * 3];
        for (int at = 0; at < pixels.Length; at++) pixels[at] = (byte)(at / 3 % width / 2 + at / 3 / width / 8);
        PictureSource source = Masked(new SourceImage(width, height, pixels), at => at % width is >= 100 and < 160
            && at / width is >= 90 and < 130 ? (byte)255 : (byte)0);
        PreparedSource prepared = Prepare(source with { Mask = source.Mask! with { OnlyMaskedPadding = 32 } });
        byte[] result = new byte[pixels.Length];
        PasteBack.Composite(prepared, prepared.Pixels.Span, result);
        Assert.True(result.Zip(pixels).All(pair => Math.Abs(pair.First - pair.Second) <= 2));
    }

    [Fact]
    public void Composite_WithoutPastingBack_TakesWhatWasPainted()
    {
        PictureSource source = Masked(Image(256, 256), Square);
        byte[] painted = Painted(), result = new byte[painted.Length];
        PasteBack.Composite(Prepare(source with { Mask = source.Mask! with { PasteBack = false } }), painted, result);
        Assert.Equal(painted, result);
        // Only the region is painted, so that its surroundings stay.
        PreparedSource region = Prepare(source with { Mask = source.Mask! with { PasteBack = false, OnlyMaskedPadding = 0 } });
        PasteBack.Composite(region, painted, result);
        Assert.Equal(source.Image.Pixels.Span[..3], result.AsSpan(0, 3));
        Assert.NotEqual(source.Image.Pixels.ToArray(), result);
    }

    [Fact]
    public void Prepare_OfAnExtendedSource_MasksTheMargins()
    {
        SourceImage image = Image(128, 256);
        var source = new PictureSource(image) { Extend = new PictureMargins(0, 0, 128, 0) };
        PreparedSource prepared = Prepare(source);
        Assert.Equal(image.Pixels.Span[..(100 * 3)], prepared.Pixels.Span[..(100 * 3)]);
        // The edge is repeated.
        Assert.Equal(image.Pixels.Span[(127 * 3)..(128 * 3)], prepared.Pixels.Span[(200 * 3)..(201 * 3)]);
        Assert.Equal((0, 255), (prepared.Mask.Span[100], prepared.Mask.Span[150]));
        Assert.Equal((0f, 1f), (prepared.LatentMask.Span[15], prepared.LatentMask.Span[16]));
        // The margins are masked in addition to a mask.
        PictureSource masked = Masked(image, at => at % 128 < 32 ? (byte)255 : (byte)0);
        ReadOnlySpan<float> latents = Prepare(masked with { Extend = source.Extend }).LatentMask.Span;
        Assert.Equal((1f, 0f, 1f), (latents[2], latents[10], latents[20]));
    }

    [Fact]
    public void Prepare_OfAMaskOfAnotherSize_ScalesItWithANotice()
    {
        var mask = new MaskImage(32, 32, Enumerable.Range(0, 32 * 32).Select(at => at % 32 < 16 ? (byte)255 : (byte)0).ToArray());
        var source = new PictureSource(Image(256, 256)) { Mask = new InpaintMask(mask) { Blur = 0 } };
        PreparedSource prepared = Prepare(source);
        Assert.Contains("32x32 px is scaled to the 256x256 px", Assert.Single(prepared.Notices), StringComparison.Ordinal);
        Assert.Equal((255, 0), (prepared.Mask.Span[100], prepared.Mask.Span[150]));
    }

    [Fact]
    public void Prepare_OfAMaskWithoutWhite_IsRefusedUnlessMarginsArePainted()
    {
        PictureSource source = Masked(Image(256, 256), _ => 0);
        Assert.Equal(0, Assert.Throws<MaskEmptyException>(() => Prepare(source)).Lightest);
        PictureSource grey = Masked(Image(256, 256), _ => 100);
        Assert.Contains("lightest value is 100", Assert.Throws<MaskEmptyException>(() => Prepare(grey)).Message, StringComparison.Ordinal);
        // ComfyUI paints in part where a mask is grey.
        Assert.Equal(100 / 255f, SourcePreparation.Prepare(grey, 256, 256, SamplingDialect.Comfy).LatentMask.Span[40], 1e-6f);
        Assert.NotEmpty(Prepare(source with { Extend = new PictureMargins(8, 0, 0, 0) }).Mask.ToArray());
        PictureSource point = Masked(Image(256, 256), at => at == 5000 ? (byte)255 : (byte)0);
        Assert.Contains("too small", Assert.Single(Prepare(point).Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_OfReferences_SaysWhatIsMissing()
    {
        SourceImage image = Image(256, 256);
        var reference = new PictureSource(SourceImage.Reference(256, 256, image.Sha256));
        Assert.Equal("source", Assert.Throws<SourceMissingException>(() => Prepare(reference)).Role);
        var masked = new PictureSource(image) { Mask = new InpaintMask(MaskImage.Reference(256, 256, image.Sha256)) };
        Assert.Equal("mask", Assert.Throws<SourceMissingException>(() => Prepare(masked)).Role);
    }

    [Fact]
    public void Prepare_OfATransparentSource_LaysItOnWhiteForAutomatic1111()
    {
        byte[] pixels = new byte[256 * 256 * 3], alpha = new byte[256 * 256];
        alpha.AsSpan(256 * 128).Fill(255);
        var source = new PictureSource(new SourceImage(256, 256, pixels, alpha));
        PreparedSource a1111 = SourcePreparation.Prepare(source, 256, 256, SamplingDialect.A1111);
        Assert.Equal((255, 0), (a1111.Pixels.Span[0], a1111.Pixels.Span[^1]));
        Assert.Contains("white", Assert.Single(a1111.Notices), StringComparison.Ordinal);
        Assert.Equal(0, Prepare(source).Pixels.Span[0]);
    }

    [Theory]
    [InlineData(MaskedContent.Original, false)]
    [InlineData(MaskedContent.Fill, true)]
    [InlineData(MaskedContent.Noise, true)]
    public void Prepare_OfMaskedContent_FillsItUnlessItIsTheOriginal(MaskedContent content, bool fills)
    {
        PictureSource source = Masked(Image(256, 256), Square);
        PreparedSource prepared = Prepare(source with { Mask = source.Mask! with { Content = content } });
        Assert.Equal(fills, !prepared.Pixels.Span.SequenceEqual(source.Image.Pixels.Span));
        // What is pasted back is the source.
        Assert.Equal(source.Image.Pixels.Span, prepared.Original.Span);
        Assert.Equal(source.Image.Pixels.Span[..300], prepared.Pixels.Span[..300]);
    }

    [Fact]
    public void Prepare_Twice_GivesTheSameBytes()
    {
        PictureSource source = Masked(Image(333, 222), at => (byte)(at % 251));
        source = source with { Mask = source.Mask! with { Content = MaskedContent.Fill }, Extend = new PictureMargins(5, 6, 7, 8) };
        PreparedSource first = Prepare(source), second = Prepare(source);
        Assert.Equal(first.Pixels.Span, second.Pixels.Span);
        Assert.Equal(first.Mask.Span, second.Mask.Span);
        Assert.Equal(first.LatentMask.Span, second.LatentMask.Span);
        Assert.Equal(first.Overlay.Span, second.Overlay.Span);
    }

    // Nearest takes the first pixel of eight, Pillow's bicubic weighs all, ComfyUI's bilinear has the middle ones.
    [Theory]
    [InlineData(SamplingDialect.Diffusers, 1f, 0f)]
    [InlineData(SamplingDialect.A1111, 1f, 0f)]
    [InlineData(SamplingDialect.Comfy, 1f, 0.5f)]
    public void Of_AMaskThatEndsWithinALatent_FollowsTheDialect(SamplingDialect dialect, float before, float at)
    {
        // Columns 0 to 83 are kept, so that the latent of columns 80 to 87 is half masked.
        byte[] mask = [.. Enumerable.Range(0, 256 * 256).Select(each => each % 256 < 84 ? (byte)0 : (byte)255)];
        float[] latents = LatentMasks.Of(mask, 256, 256, dialect);
        Assert.Equal((1 - before, 1f), (latents[8], latents[12]));
        if (dialect == SamplingDialect.A1111) Assert.True(latents[10] is 0 or 1);
        else Assert.Equal(at, latents[10]);
        // From half of white on a mask counts as masked.
        float[] grey = LatentMasks.Of(Enumerable.Repeat((byte)127, 256 * 256).ToArray(), 256, 256, dialect);
        float[] light = LatentMasks.Of(Enumerable.Repeat((byte)128, 256 * 256).ToArray(), 256, 256, dialect);
        Assert.Equal(dialect == SamplingDialect.Comfy ? (127 / 255f, 128 / 255f) : (0f, 1f), (grey[5], light[5]));
    }

    // The examples in the comments of AUTOMATIC1111's modules/masking.py, and regions at the edges.
    [Theory]
    [InlineData(256, 0, 256, 256, 0, 512, 512, 256, 0, 256, 256)]
    [InlineData(100, 200, 128, 32, 0, 512, 512, 100, 152, 128, 128)]
    [InlineData(0, 0, 10, 100, 32, 512, 512, 0, 0, 132, 132)]
    [InlineData(480, 500, 32, 12, 0, 512, 512, 480, 480, 32, 32)]
    [InlineData(0, 100, 512, 10, 0, 512, 1024, 0, 0, 512, 512)]
    public void Of_AMaskedRectangle_IsItsRegion(
        int x,
        int y,
        int width,
        int height,
        int padding,
        int paintedWidth,
        int paintedHeight,
        int left,
        int top,
        int newWidth,
        int newHeight)
    {
        byte[] mask = new byte[512 * 512];
        for (int row = y; row < y + height; row++) mask.AsSpan(row * 512 + x, width).Fill(1);
        Assert.Equal(
            new PixelRectangle(left, top, newWidth, newHeight), MaskRegion.Of(mask, (512, 512), padding, (paintedWidth, paintedHeight)));
    }

    // Another picture than the sources of this size.
    private static byte[] Painted() => Array.ConvertAll(ResamplerTests.Noise(256 * 256 * 3), value => (byte)~value);

    private static PreparedSource Prepare(PictureSource source) => SourcePreparation.Prepare(source, 256, 256, SamplingDialect.Diffusers);

    private static SourceImage Image(int width, int height) => new(width, height, ResamplerTests.Noise(width * height * 3));

    private static byte Square(int at) => at % 256 is >= 100 and < 160 && at / 256 is >= 90 and < 130 ? (byte)255 : (byte)0;

    private static PictureSource Masked(SourceImage image, Func<int, byte> value) => new(image)
    {
        Mask = new InpaintMask(
            new MaskImage(image.Width, image.Height, Enumerable.Range(0, image.Width * image.Height).Select(value).ToArray())),
    };

    private static byte[] PixelOf(PreparedSource prepared, int x, int y) =>
        prepared.Pixels.Slice((y * prepared.Width + x) * 3, 3).ToArray();
}
