using System.Drawing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MuseAtelier.Extensions.AI;
using MuseAtelier.Pictures;
using MuseAtelier.Samples.ImageGenerator;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.ExtensionsAi;

/// <summary>The Miniature behind the interfaces of Microsoft.Extensions.AI.</summary>
public sealed class ImagePaintingTests(NarrowAtelier narrow)
{
    private static readonly MuseImageGeneratorOptions Small = new() { Defaults = TestAtelier.Small with { Steps = 1 } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddImageGenerator_OverAnAtelier_PaintsAFileWithItsRecord()
    {
        var services = new ServiceCollection();
        // An instance, so that the container does not dispose of the atelier that other tests share.
        services.AddSingleton<IAtelier>(narrow.Atelier);
        services.AddSingleton<ILoggerFactory, LoggerFactory>();
        services.AddImageGenerator(provider => provider.GetRequiredService<IAtelier>().AsImageGenerator(Small))
            .ConfigureOptions(options => (options.AdditionalProperties ??= [])[MuseImageKeys.NegativePrompt] = "blurry")
            .UseLogging();
        await using ServiceProvider provider = services.BuildServiceProvider();
        IImageGenerator generator = provider.GetRequiredService<IImageGenerator>();
        Assert.Same(narrow.Atelier, generator.GetService<IAtelier>());
        var options = new ImageGenerationOptions
        {
            ImageSize = new Size(264, 256),
            AdditionalProperties = new() { [MuseImageKeys.Seed] = 42 },
        };
        ImageGenerationResponse response = await generator.GenerateImagesAsync("a lighthouse", options, Cancellation);
        DataContent content = Assert.IsType<DataContent>(Assert.Single(response.Contents));
        Assert.Equal("image/png", content.MediaType);
        PictureFileContent file = PictureFile.Read(content.Data);
        Assert.Equal((264, 256), (file.Width, file.Height));
        PictureRequest recorded = file.ReadRecord().Request;
        Assert.Equal(
            Small.Defaults with { Prompt = "a lighthouse", NegativePrompt = "blurry", Seed = 42, Width = 264 }, recorded);
        using DecodedPicture decoded = PictureFile.Decode(content.Data);
        Assert.True(Likeness.Contrast(decoded.Pixels.Span) > 5);
    }

    [Fact]
    public async Task ChatClient_WithTheGenerationTool_Paints()
    {
        using IImageGenerator generator = narrow.Atelier.AsImageGenerator(Small);
        using IChatClient client = new ScriptedChatClient().AsBuilder()
            .UseImageGeneration(generator)
            .UseFunctionInvocation()
            .Build();
        var options = new ChatOptions { Tools = [new HostedImageGenerationTool()] };
        ChatResponse response = await client.GetResponseAsync("Paint me a lighthouse.", options, Cancellation);
        ImageGenerationToolResultContent result = Assert.Single(
            response.Messages.SelectMany(message => message.Contents).OfType<ImageGenerationToolResultContent>());
        DataContent picture = Assert.IsType<DataContent>(Assert.Single(result.Outputs!));
        Assert.Equal("image/png", picture.MediaType);
        Assert.Equal("a lighthouse in a storm", Assert.IsType<PictureRequest>(picture.RawRepresentation).Prompt);
        Assert.Contains("lighthouse", response.Text, StringComparison.Ordinal);
    }
}
