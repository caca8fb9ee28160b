using System.Drawing;
using Microsoft.Extensions.AI;
using MuseAtelier.Extensions.AI;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Server.Uploads;

namespace MuseAtelier.Tests.ExtensionsAi;

/// <summary>What an image generator asks of its atelier, and what it gives back.</summary>
public sealed class ImageGeneratorTests : IDisposable
{
    private readonly RecordingAtelier _atelier = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _atelier.Dispose();

    [Fact]
    public async Task GenerateAsync_WithAPromptAlone_AsksForOnePictureOfTheDefaults()
    {
        var options = new MuseImageGeneratorOptions
        {
            Defaults = new PictureRequest { Prompt = "unused", NegativePrompt = "blurry", Steps = 12, Seed = 99, Width = 512 },
            Priority = GenerationPriority.Low,
        };
        using IImageGenerator generator = _atelier.AsImageGenerator(options);
        DataContent content = await PaintOne(generator, "a lighthouse", null);
        (PictureRequest request, int? count, GenerationOptions? call) = Assert.Single(_atelier.Calls);
        Assert.Null(count);
        Assert.Equal(options.Defaults with { Prompt = "a lighthouse", Seed = request.Seed }, request);
        Assert.Equal(new GenerationOptions { Priority = GenerationPriority.Low }, call);
        Assert.Equal("image/png", content.MediaType);
    }

    [Fact]
    public async Task GenerateAsync_WithoutASeed_DrawsAnotherOneForEachCallAndSaysIt()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var minusOne = new ImageGenerationOptions { AdditionalProperties = new() { [MuseImageKeys.Seed] = -1 } };
        DataContent first = await PaintOne(generator, "a", null), second = await PaintOne(generator, "a", minusOne);
        Assert.NotEqual(_atelier.Calls[0].Request.Seed, _atelier.Calls[1].Request.Seed);
        Assert.Equal(_atelier.Calls[0].Request.Seed, first.AdditionalProperties![MuseImageKeys.Seed]);
        Assert.Equal(_atelier.Calls[1].Request.Seed, second.AdditionalProperties![MuseImageKeys.Seed]);
    }

    [Fact]
    public async Task GenerateAsync_OfSeveral_GivesEachPictureWithItsSeedAndANameOfItsOwn()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var options = new ImageGenerationOptions
        {
            Count = 3,
            ImageSize = new Size(768, 512),
            ModelId = "Miniature",
            ResponseFormat = ImageGenerationResponseFormat.Data,
            StreamingCount = 4,
            AdditionalProperties = new() { [MuseImageKeys.Seed] = 7, [MuseImageKeys.BatchSize] = "2", ["style"] = "vivid" },
        };
        ImageGenerationResponse response = await generator.GenerateImagesAsync("a lighthouse", options, Cancellation);
        (PictureRequest request, int? count, GenerationOptions? call) = Assert.Single(_atelier.Calls);
        Assert.Equal((7ul, 768, 512, 3, 2), (request.Seed, request.Width, request.Height, count, call!.BatchSize));
        DataContent[] contents = [.. response.Contents.Cast<DataContent>()];
        Assert.Equal([7ul, 8ul, 9ul], contents.Select(content => (ulong)content.AdditionalProperties![MuseImageKeys.Seed]!));
        Assert.Equal(3, contents.Select(content => content.Name).Distinct().Count());
        var requests = (IReadOnlyList<PictureRequest>)response.RawRepresentation!;
        Assert.Equal(requests, contents.Select(content => content.RawRepresentation));
        Assert.Equal(request, requests[0]);
        // The memory of the pixels goes back to the pool.
        Assert.Equal(3, _atelier.Pictures.Count);
        foreach (Picture picture in _atelier.Pictures) Assert.Throws<ObjectDisposedException>(() => picture.Pixels);
    }

    [Theory]
    [InlineData("image/png", ".png", new byte[] { 0x89, 0x50, 0x4E, 0x47 })]
    [InlineData("IMAGE/JPEG", ".jpg", new byte[] { 0xFF, 0xD8, 0xFF })]
    [InlineData("image/webp", ".webp", new byte[] { 0x52, 0x49, 0x46, 0x46 })]
    public async Task GenerateAsync_OfAMediaType_GivesAFileOfThatFormat(string mediaType, string extension, byte[] start)
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        DataContent content = await PaintOne(generator, "a", new ImageGenerationOptions { MediaType = mediaType });
        Assert.Equal(mediaType, content.MediaType, ignoreCase: true);
        Assert.EndsWith(extension, content.Name, StringComparison.Ordinal);
        Assert.True(content.Data.Span.StartsWith(start));
    }

    [Fact]
    public async Task GenerateAsync_OfLowQuality_GivesASmallerFile()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator(new MuseImageGeneratorOptions { MediaType = "image/jpeg" });
        DataContent usual = await PaintOne(generator, "a", Of(MuseImageKeys.Seed, 1));
        ImageGenerationOptions low = Of(MuseImageKeys.Seed, 1);
        low.AdditionalProperties![MuseImageKeys.Quality] = 20;
        DataContent small = await PaintOne(generator, "a", low);
        Assert.True(small.Data.Length < usual.Data.Length, $"{small.Data.Length} and {usual.Data.Length} bytes");
    }

    [Fact]
    public async Task GenerateAsync_OfAPictureWithNotices_HandsThemOn()
    {
        using var atelier = new RecordingAtelier { Notices = ["The prompt was cut.", "It is long."] };
        using IImageGenerator generator = atelier.AsImageGenerator();
        DataContent content = await PaintOne(generator, "a", null);
        Assert.Equal("The prompt was cut.\nIt is long.", content.AdditionalProperties![MuseImageKeys.Notices]);
    }

    [Fact]
    public async Task GenerateAsync_WithARequestOfTheCaller_UsesItsMembersUnderThoseOfTheOptions()
    {
        var given = new PictureRequest { Prompt = "own", Seed = 5, Steps = 9, Width = 512, Frame = new PictureFrame(FrameStyle.Gilded) };
        var options = new ImageGenerationOptions { RawRepresentationFactory = _ => given, ImageSize = new Size(640, 640) };
        using IImageGenerator generator = _atelier.AsImageGenerator();
        await generator.GenerateAsync(new ImageGenerationRequest(), options, Cancellation);
        await PaintOne(generator, "other", options);
        Assert.Equal(given with { Width = 640, Height = 640 }, _atelier.Calls[0].Request);
        Assert.Equal(given with { Width = 640, Height = 640, Prompt = "other" }, _atelier.Calls[1].Request);
    }

    [Fact]
    public async Task GenerateAsync_WithGenerationOptionsOfTheCaller_HandsThemOn()
    {
        var given = new GenerationOptions { Priority = GenerationPriority.High, BatchSize = 4 };
        var options = new ImageGenerationOptions { RawRepresentationFactory = _ => given, Count = 2 };
        using IImageGenerator generator = _atelier.AsImageGenerator();
        await generator.GenerateImagesAsync("a", options, Cancellation);
        options.Count = 1;
        await generator.GenerateImagesAsync("a", options, Cancellation);
        Assert.Equal(given, _atelier.Calls[0].Options);
        Assert.Equal(given with { BatchSize = null }, _atelier.Calls[1].Options);
    }

    [Fact]
    public async Task GenerateAsync_WithOptionsThatCannotBeUsed_IsRefusedWithTheirName()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        await Refused("MediaType", new ImageGenerationOptions { MediaType = "image/gif" });
        await Refused("Count", new ImageGenerationOptions { Count = 0 });
        await Refused("Count", new ImageGenerationOptions { Count = 17 });
        await Refused("ModelId", new ImageGenerationOptions { ModelId = "dall-e-3" });
        await Refused("ResponseFormat", new ImageGenerationOptions { ResponseFormat = ImageGenerationResponseFormat.Uri });
        await Refused("ResponseFormat", new ImageGenerationOptions { ResponseFormat = ImageGenerationResponseFormat.Hosted });
        Assert.Empty(_atelier.Calls);

        async Task Refused(string name, ImageGenerationOptions options)
        {
            ImageOptionException exception =
                await Assert.ThrowsAsync<ImageOptionException>(() => generator.GenerateImagesAsync("a", options, Cancellation));
            Assert.Equal(name, exception.Name);
            Assert.StartsWith(name, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task EditImageAsync_WithAMask_PaintsFromThePicture()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var image = new DataContent(UploadFilesOf.Picture(width: 64, height: 32), "image/png") { Name = "a.png" };
        ImageGenerationOptions options = Of(MuseImageKeys.Strength, 0.25);
        options.AdditionalProperties![MuseImageKeys.Mask] = new DataContent(UploadFilesOf.Mask(64, 32), "image/png");
        options.AdditionalProperties[MuseImageKeys.MaskBlur] = 2;
        options.AdditionalProperties[MuseImageKeys.Fit] = "pad";
        await generator.EditImageAsync(image, "brighter", options, Cancellation);
        PictureRequest request = Assert.Single(_atelier.Calls).Request;
        PictureSource source = request.Source!;
        Assert.Equal(("brighter", "a.png", 0.25f, SourceFit.Pad), (request.Prompt, source.Image.Name, source.Strength, source.Fit));
        Assert.Equal((2, 255, 0), (source.Mask!.Blur, source.Mask.Image.Pixels.Span[0], source.Mask.Image.Pixels.Span[63]));
        // Without a size, the picture has the proportions of the original and the area of the defaults.
        Assert.Equal((1448, 728), (request.Width, request.Height));
    }

    [Fact]
    public async Task EditImageAsync_OfTransparentParts_PaintsThem()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var image = new DataContent(UploadFilesOf.Transparent(), "image/png");
        ImageGenerationOptions options = Of(MuseImageKeys.Mask, "transparency");
        options.ImageSize = new Size(256, 512);
        await generator.EditImageAsync(image, "a", options, Cancellation);
        PictureRequest request = Assert.Single(_atelier.Calls).Request;
        Assert.Equal((256, 512), (request.Width, request.Height));
        Assert.Equal((255, 0), (request.Source!.Mask!.Image.Pixels.Span[0], request.Source.Mask.Image.Pixels.Span[31]));
    }

    [Fact]
    public async Task EditImageAsync_OfWhatCannotBeEdited_IsRefused()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var image = new DataContent(UploadFilesOf.Picture(), "image/png");
        await Assert.ThrowsAsync<ImageEditException>(() => generator.EditImagesAsync([image, image], "a", null, Cancellation));
        var address = new UriContent("https://example.org/a.png", "image/png");
        await Assert.ThrowsAsync<ImageEditException>(() => generator.EditImagesAsync([address], "a", null, Cancellation));
        var broken = new DataContent(new byte[] { 1 }, "image/png");
        await Assert.ThrowsAsync<NotAPictureException>(() => generator.EditImageAsync(broken, "a", null, Cancellation));
        foreach (object mask in (object[])["transparency", 3])
        {
            ImageOptionException refused = await Assert.ThrowsAsync<ImageOptionException>(
                () => generator.EditImageAsync(image, "a", Of(MuseImageKeys.Mask, mask), Cancellation));
            Assert.Equal(MuseImageKeys.Mask, refused.Name);
        }

        Assert.Empty(_atelier.Calls);
    }

    [Fact]
    public async Task GenerateAsync_WithoutAPrompt_IsRefused()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        await Assert.ThrowsAsync<ArgumentNullException>(
            () => generator.GenerateAsync(new ImageGenerationRequest(), cancellationToken: Cancellation));
        Assert.Empty(_atelier.Calls);
    }

    [Fact]
    public async Task GenerateAsync_WithACancelledToken_IsCancelled()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateImagesAsync("a", null, cancelled));
        var several = new ImageGenerationOptions { Count = 2 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateImagesAsync("a", several, cancelled));
    }

    [Fact]
    public void GetService_GivesTheAtelierItsMetadataAndItself()
    {
        using IImageGenerator generator = _atelier.AsImageGenerator();
        Assert.Same(_atelier, generator.GetService<IAtelier>());
        Assert.Same(generator, generator.GetService<IImageGenerator>());
        ImageGeneratorMetadata metadata = generator.GetRequiredService<ImageGeneratorMetadata>();
        Assert.Equal(("MuseAtelier", "miniature"), (metadata.ProviderName, metadata.DefaultModelId));
        Assert.Null(generator.GetService<IAtelier>("key"));
        Assert.Null(generator.GetService<PictureRequest>());
        generator.Dispose();
        Assert.False(_atelier.IsDisposed);
    }

    [Fact]
    public async Task GenerateAsync_OfAnAtelierThatIsNotOpenYet_Paints()
    {
        using var atelier = new RecordingAtelier { IsOpen = false };
        using IImageGenerator generator = atelier.AsImageGenerator();
        Assert.Null(generator.GetRequiredService<ImageGeneratorMetadata>().DefaultModelId);
        await PaintOne(generator, "a", new ImageGenerationOptions { ModelId = "miniature" });
        var other = new ImageGenerationOptions { ModelId = "dall-e-3" };
        await Assert.ThrowsAsync<ImageOptionException>(() => PaintOne(generator, "a", other));
        atelier.IsOpen = true;
        Assert.Equal("miniature", generator.GetRequiredService<ImageGeneratorMetadata>().DefaultModelId);
    }

    [Fact]
    public void AsImageGenerator_WithSettingsOutOfRange_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _atelier.AsImageGenerator(new MuseImageGeneratorOptions { MostPictures = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => _atelier.AsImageGenerator(new MuseImageGeneratorOptions { Quality = 101 }));
        Assert.Throws<ImageOptionException>(() => _atelier.AsImageGenerator(new MuseImageGeneratorOptions { MediaType = "image/avif" }));
    }

    private static ImageGenerationOptions Of(string key, object value) => new() { AdditionalProperties = new() { [key] = value } };

    private static async Task<DataContent> PaintOne(IImageGenerator generator, string prompt, ImageGenerationOptions? options)
    {
        ImageGenerationResponse response = await generator.GenerateImagesAsync(prompt, options, Cancellation);
        return Assert.IsType<DataContent>(Assert.Single(response.Contents));
    }
}
