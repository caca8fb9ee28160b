using System.Globalization;
using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>
/// Paints the pictures of <see cref="IImageGenerator"/> calls with an atelier. Safe for concurrent use, as the atelier is.
/// </summary>
internal sealed class AtelierImageGenerator : IImageGenerator
{
    private const string ProviderName = "MuseAtelier";

    private readonly IAtelier _atelier;
    private readonly ImageCallReader _reader;

    /// <summary>Makes a generator.</summary>
    /// <param name="atelier">The atelier; borrowed.</param>
    /// <param name="options">The settings.</param>
    public AtelierImageGenerator(IAtelier atelier, MuseImageGeneratorOptions options)
    {
        _atelier = atelier;
        _reader = new ImageCallReader(options);
    }

    // A host gives its atelier out before the model is open, and then the model is not known yet.
    private ModelInfo? Model
    {
        get
        {
            try
            {
                return _atelier.Model;
            }
            catch (MuseAtelierException)
            {
                return null;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ImageGenerationResponse> GenerateAsync(
        ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ImageCall call = await _reader.ReadAsync(request, options, this, cancellationToken).ConfigureAwait(false);
        if (Model is { } model) call.CheckModel(model);
        var contents = new List<AIContent>(call.Count);
        var requests = new List<PictureRequest>(call.Count);
        if (call.Count == 1)
        {
            Add(await _atelier.GenerateAsync(call.Request, call.Generation, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            IAsyncEnumerable<Picture> pictures =
                _atelier.GenerateManyAsync(call.Request, call.Count, call.Generation, cancellationToken);
            await foreach (Picture picture in pictures.ConfigureAwait(false)) Add(picture);
        }

        return new ImageGenerationResponse(contents) { RawRepresentation = requests };

        void Add(Picture picture)
        {
            using (picture)
            {
                call.CheckModel(picture.Model);
                contents.Add(ContentOf(picture, call));
                requests.Add(picture.Request);
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ImageGeneratorMetadata)) return new ImageGeneratorMetadata(ProviderName, null, Model?.Name);
        if (serviceType.IsInstanceOfType(this)) return this;
        return serviceType.IsInstanceOfType(_atelier) ? _atelier : null;
    }

    /// <summary>Has no effect, because the generator does not own the atelier.</summary>
    public void Dispose()
    {
    }

    private static DataContent ContentOf(Picture picture, ImageCall call)
    {
        var properties = new AdditionalPropertiesDictionary { [MuseImageKeys.Seed] = picture.Request.Seed };
        if (picture.Notices.Count > 0) properties[MuseImageKeys.Notices] = string.Join('\n', picture.Notices);
        return new DataContent(PictureFile.Encode(picture, call.Format, call.Encoding), PictureFormats.MediaType(call.Format))
        {
            Name = NameOf(picture, call.Format),
            AdditionalProperties = properties,
            RawRepresentation = picture.Request,
        };
    }

    // Chat clients tell pictures of one conversation apart by their names, so different pictures need different ones: the digest of the
    // last latents is in the name beside the seed.
    private static string NameOf(Picture picture, PictureFormat format)
    {
        ulong digest = picture.Provenance.StepHashes is [.., StepHash last] ? last.Latents : 0;
        return string.Create(
            CultureInfo.InvariantCulture, $"{picture.Request.Seed}-{digest:x16}{ImageMediaTypes.ExtensionOf(format)}");
    }
}
