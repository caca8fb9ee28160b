using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;

namespace MuseAtelier.Extensions.AI;

/// <summary>Makes an image generator of an atelier.</summary>
public static class AtelierImageGeneratorExtensions
{
    /// <summary>
    /// Gives an <see cref="IImageGenerator"/> that paints with an atelier: from text, or from one original image and text.
    /// <see cref="MuseImageKeys"/> has the keys of the settings that <see cref="ImageGenerationOptions"/> has no members for.
    /// <see cref="ImageGenerationOptions.RawRepresentationFactory"/> may give a <see cref="PictureRequest"/>, which then takes the place of
    /// <see cref="MuseImageGeneratorOptions.Defaults"/>, prompt and seed included, or <see cref="GenerationOptions"/> with progress,
    /// priority and place; other members of the options act on top of it. Each content of a response is a
    /// <see cref="DataContent"/> with a whole picture file, its seed under <see cref="MuseImageKeys.Seed"/>, and its
    /// <see cref="PictureRequest"/> as raw representation; the response's own is the list of these requests.
    /// </summary>
    /// <param name="atelier">The atelier. The caller owns it; disposing the generator has no effect on it.</param>
    /// <param name="options">The settings; null means the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number of the options is out of range.</exception>
    /// <exception cref="ImageOptionException">The media type of the options is not one that can be written.</exception>
    [Experimental("MEAI001")]
    public static IImageGenerator AsImageGenerator(this IAtelier atelier, MuseImageGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(atelier);
        options ??= new MuseImageGeneratorOptions();
        ArgumentNullException.ThrowIfNull(options.Defaults);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MostPictures, 1);
        if (options.Quality is { } quality) ArgumentOutOfRangeException.ThrowIfNotEqual(quality, Math.Clamp(quality, 1, 100));
        _ = ImageMediaTypes.FormatOf(options.MediaType);
        return new AtelierImageGenerator(atelier, options);
    }
}
