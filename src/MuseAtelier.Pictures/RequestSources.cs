using MuseAtelier.Format;

namespace MuseAtelier.Pictures;

/// <summary>
/// What painting a recorded picture again needs beside the record, which names images and models by their digests alone: the source, its
/// mask, the file of the upscaler, and those of LoRAs.
/// </summary>
public sealed record RequestSources
{
    /// <summary>The source; null if the picture has none.</summary>
    public SourceImage? Source { get; init; }

    /// <summary>The mask; null if the picture has none, or if it is made of the transparent parts of the source.</summary>
    public MaskImage? Mask { get; init; }

    /// <summary>The path of the upscaler's file; null if the picture needs none.</summary>
    public string? UpscalerPath { get; init; }

    /// <summary>
    /// Folders in which the LoRAs are looked up, with their subfolders: by the name that the record has, and then by the digest.
    /// </summary>
    public IReadOnlyList<string> LoraFolders { get; init; } = [];

    /// <summary>Paths of files that are LoRAs of the picture, whatever they are called; they are recognised by their digests.</summary>
    public IReadOnlyList<string> LoraPaths { get; init; } = [];

    /// <summary>
    /// Puts the pixels and the paths into a request that has references to them. What a request does not ask for is not used. Reads the
    /// files of the upscaler and of LoRAs to compare their digests.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="SourceMissingException">The request asks for an image that is not here.</exception>
    /// <exception cref="SourceMismatchException">An image, the upscaler or a LoRA has another digest than the request names.</exception>
    /// <exception cref="UpscalerMissingException">The request asks for the file of an upscaler that is not here.</exception>
    /// <exception cref="LoraMissingException">The request asks for the file of a LoRA that is not here.</exception>
    /// <exception cref="LoraFolderException">A folder of LoRAs cannot be read.</exception>
    public PictureRequest ApplyTo(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var files = new LoraSources(LoraFolders, LoraPaths);
        return request with
        {
            Source = request.Source is { } source ? ApplyTo(source) : null,
            Hires = request.Hires is { } pass ? ApplyTo(pass, files) : null,
            Loras = ApplyTo(request.Loras, files),
        };
    }

    private static IReadOnlyList<PictureLora> ApplyTo(IReadOnlyList<PictureLora> loras, LoraSources files) =>
        loras.Any(lora => lora.IsReference) ? files.ApplyTo(loras) : loras;

    private PictureSource ApplyTo(PictureSource source)
    {
        SourceImage image = source.Image.HasPixels ? source.Image : Found(source.Image);
        return source with { Image = image, Mask = source.Mask is { } mask ? ApplyTo(mask, image) : null };
    }

    private SourceImage Found(SourceImage wanted)
    {
        if (Source is null) throw new SourceMissingException("source", wanted.Sha256, wanted.Name);
        return Source.Sha256 == wanted.Sha256 ? Source : throw SourceMismatchException.Of(wanted, Source);
    }

    private InpaintMask ApplyTo(InpaintMask mask, SourceImage image)
    {
        MaskImage wanted = mask.Image;
        if (wanted.HasPixels) return mask;
        if (Mask is null)
        {
            MaskImage? transparent = image.Alpha.IsEmpty ? null : MaskImage.OfTransparency(image);
            if (transparent?.Sha256 != wanted.Sha256) throw new SourceMissingException("mask", wanted.Sha256, wanted.Name);
            return mask with { Image = transparent };
        }

        return Mask.Sha256 == wanted.Sha256 ? mask with { Image = Mask } : throw SourceMismatchException.Of(wanted, Mask);
    }

    private HiresPass ApplyTo(HiresPass pass, LoraSources files)
    {
        if (pass.Loras is { } loras) pass = pass with { Loras = ApplyTo(loras, files) };
        if (pass.Upscaler.Id != HiresUpscaler.ModelId) return pass;
        HiresUpscaler wanted = pass.Upscaler;
        if (UpscalerPath is not { } path) throw new UpscalerMissingException(wanted.Path!, wanted.Sha256);
        string sha256 = DigestOf(path);
        bool isSame = wanted.Sha256 is null || wanted.Sha256 == sha256;
        if (!isSame) throw SourceMismatchException.OfUpscaler(path, wanted.Path!, wanted.Sha256!, sha256);
        return pass with { Upscaler = HiresUpscaler.Model(path) with { Sha256 = sha256 } };
    }

    private static string DigestOf(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Sha256.Hash(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UpscalerMissingException(path, exception);
        }
    }
}
