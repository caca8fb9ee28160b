using System.Globalization;
using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>Reads calls of an image generator.</summary>
/// <param name="settings">The settings of the generator.</param>
internal sealed class ImageCallReader(MuseImageGeneratorOptions settings)
{
    /// <summary>Reads a call.</summary>
    /// <param name="request">The prompt.</param>
    /// <param name="options">The options of the call; null means none.</param>
    /// <param name="generator">The generator that the call came to, for the factory of the options.</param>
    /// <param name="cancellationToken">Stops before an original image is decoded.</param>
    /// <exception cref="ArgumentNullException">There is no prompt.</exception>
    /// <exception cref="ImageEditException">There are several original images, or one without its bytes.</exception>
    /// <exception cref="ImageOptionException">An option cannot be used.</exception>
    /// <exception cref="PictureFileException">An original image or a mask cannot be decoded.</exception>
    public async Task<ImageCall> ReadAsync(
        ImageGenerationRequest request,
        ImageGenerationOptions? options,
        IImageGenerator generator,
        CancellationToken cancellationToken)
    {
        CheckResponseFormat(options?.ResponseFormat);
        object? raw = options?.RawRepresentationFactory?.Invoke(generator);
        var properties = new PropertyReader(options?.AdditionalProperties);
        int count = CountOf(options?.Count);
        PictureRequest picture = PictureOf(request.Prompt, options, properties, raw as PictureRequest);
        PictureSource? source =
            await OriginalImage.ReadAsync(request, properties, picture.Source, cancellationToken).ConfigureAwait(false);
        return new ImageCall
        {
            Request = WithSource(picture, source, isSized: options?.ImageSize is not null || raw is PictureRequest),
            Count = count,
            ModelId = options?.ModelId,
            Generation = GenerationOf(properties, raw as GenerationOptions, count),
            Format = ImageMediaTypes.FormatOf(options?.MediaType ?? settings.MediaType),
            Encoding = new PictureEncodingOptions
            {
                Metadata = settings.Metadata,
                Quality = properties.Integer(MuseImageKeys.Quality, 1, 100) ?? settings.Quality,
            },
        };
    }

    // Without a size, the picture has the proportions of the original.
    private static PictureRequest WithSource(PictureRequest picture, PictureSource? source, bool isSized)
    {
        if (source is null || isSized) return picture with { Source = source };
        (int width, int height) = OriginalImage.SizeOf(source.Image, picture.Width, picture.Height);
        return picture with { Source = source, Width = width, Height = height };
    }

    private PictureRequest PictureOf(
        string? prompt, ImageGenerationOptions? options, PropertyReader properties, PictureRequest? given)
    {
        PictureRequest picture = given ?? settings.Defaults;
        if (given is null) ArgumentNullException.ThrowIfNull(prompt);
        if (properties.Preset(MuseImageKeys.Preset) is { } preset) picture = preset.ApplyTo(picture);
        return picture with
        {
            Prompt = prompt ?? picture.Prompt,
            NegativePrompt = properties.Text(MuseImageKeys.NegativePrompt) ?? picture.NegativePrompt,
            Seed = properties.Seed(MuseImageKeys.Seed, mayBeDrawn: true) ?? given?.Seed ?? DrawnSeed.Next(),
            Width = options?.ImageSize?.Width ?? picture.Width,
            Height = options?.ImageSize?.Height ?? picture.Height,
            Steps = properties.Integer(MuseImageKeys.Steps) ?? picture.Steps,
            GuidanceScale = properties.Number(MuseImageKeys.GuidanceScale) ?? picture.GuidanceScale,
            GuidanceRescale = properties.Number(MuseImageKeys.GuidanceRescale) ?? picture.GuidanceRescale,
            Sampler = properties.Sampler(MuseImageKeys.Sampler) ?? picture.Sampler,
            Schedule = properties.Schedule(MuseImageKeys.Scheduler) ?? picture.Schedule,
            Eta = properties.Number(MuseImageKeys.Eta) ?? picture.Eta,
            Dialect = properties.Choice<SamplingDialect>(MuseImageKeys.Dialect) ?? picture.Dialect,
            PromptSyntax = properties.Choice<PromptSyntax>(MuseImageKeys.PromptSyntax) ?? picture.PromptSyntax,
            ClipSkip = properties.Integer(MuseImageKeys.ClipSkip) ?? picture.ClipSkip,
            NoiseSource = properties.NoiseSource(MuseImageKeys.NoiseSource) ?? picture.NoiseSource,
            VariationSeed = properties.Seed(MuseImageKeys.VariationSeed, mayBeDrawn: false) ?? picture.VariationSeed,
            VariationStrength = properties.Number(MuseImageKeys.VariationStrength) ?? picture.VariationStrength,
        };
    }

    // A single picture has no batch size. Several pictures take any, as the last batch of a series does.
    private GenerationOptions GenerationOf(PropertyReader properties, GenerationOptions? given, int count)
    {
        GenerationOptions generation = given ?? new GenerationOptions { Priority = settings.Priority };
        int? batchSize = properties.Integer(MuseImageKeys.BatchSize, 1, BatchSlot.LargestBatch) ?? generation.BatchSize;
        return generation with { BatchSize = count == 1 ? null : batchSize };
    }

    private int CountOf(int? count)
    {
        int legal = Math.Clamp(count ?? 1, 1, settings.MostPictures);
        if (count is null || count == legal) return legal;
        throw new ImageOptionException(
            nameof(ImageGenerationOptions.Count),
            count.Value.ToString(CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"1 to {settings.MostPictures}"),
            "Ask several times, or raise MostPictures of the generator's options.");
    }

    private static void CheckResponseFormat(ImageGenerationResponseFormat? format)
    {
        if (format is null or ImageGenerationResponseFormat.Data) return;
        throw new ImageOptionException(
            nameof(ImageGenerationOptions.ResponseFormat),
            $"{format}",
            $"{ImageGenerationResponseFormat.Data}: pictures are painted in this process and stored nowhere",
            $"Use {ImageGenerationResponseFormat.Data}, and store the content of the response where it can be fetched.");
    }
}
