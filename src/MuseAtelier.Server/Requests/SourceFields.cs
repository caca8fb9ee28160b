using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>Reads the member <c>source</c> of a request: the picture that another one is painted from, and its mask.</summary>
/// <param name="uploads">The pictures that clients sent.</param>
/// <param name="pathOfPicture">The path of a picture of the gallery by its id; null if there is none.</param>
internal sealed class SourceFields(UploadStore uploads, Func<string, string?> pathOfPicture)
{
    /// <summary>The most px by which a side is extended.</summary>
    public const int MostMargin = 2048;

    /// <summary>The most px of a mask's blur.</summary>
    public const int MostMaskBlur = 64;

    /// <summary>The most px around a mask that are painted with it.</summary>
    public const int MostMaskPadding = 1024;

    private const string Name = "source", Extension = "extend", MaskName = "mask";
    private const int LongestId = 256, LongestName = 1024;

    private static readonly string[] Known =
        ["upload", "picture", "sha256", "name", "width", "height", "fit", "strength", Extension, MaskName];

    private static readonly string[] KnownOfMask =
    [
        "upload", "sha256", "name", "width", "height", "transparency", "blur", "content", "onlyMaskedPadding", "pasteBack",
    ];

    private static readonly string[] Sides = ["left", "top", "right", "bottom"];

    /// <summary>A source whose members have their defaults.</summary>
    public static PictureSource Defaults { get; } = new(SourceImage.Reference(1, 1, new string('0', 64)));

    /// <summary>A mask whose members have their defaults.</summary>
    public static InpaintMask MaskDefaults { get; } = new(MaskImage.Reference(1, 1, new string('0', 64)));

    /// <summary>Reads the source. Pictures of the gallery are copied to the uploads, so that a job keeps them.</summary>
    /// <param name="fields">The request.</param>
    /// <param name="basis">The source of the request's basis; null if it has none.</param>
    /// <returns>The source by its digests, and the uploads; null if there is none.</returns>
    /// <exception cref="ServerRequestException">A member is refused, or a picture is not kept any more.</exception>
    public (PictureSource? Source, SourceUploads Uploads) Read(RequestFields fields, PictureSource? basis)
    {
        if (fields.IsNone(Name)) return default;
        if (fields.Inner(Name, Known) is not { } own) return basis is null ? default : Again(basis);
        // They only tell people and pages what the digest is of.
        _ = (own.Text("name", LongestName), own.Whole("width"), own.Whole("height"));
        Upload upload = UploadOf(own);
        (InpaintMask? mask, Upload? ofMask, byte? lightest) = ReadMask(own, upload);
        var source = new PictureSource(SourceImage.Reference(upload.Width, upload.Height, upload.Sha256))
        {
            Fit = RequestWords.Read(own, "fit", Defaults.Fit),
            Strength = own.Number("strength") ?? Defaults.Strength,
            Extend = ReadMargins(own),
            Mask = mask,
        };
        return (source, new SourceUploads(upload.Id, ofMask?.Id, mask is not null && ofMask is null, lightest));
    }

    private static PictureMargins ReadMargins(RequestFields source)
    {
        if (source.Inner(Extension, Sides) is not { } sides) return default;
        return new PictureMargins(Side("left"), Side("top"), Side("right"), Side("bottom"));

        int Side(string name) => sides.Whole(name, 0, MostMargin) ?? 0;
    }

    // The source of a record, of which the digests are known.
    private (PictureSource Source, SourceUploads Uploads) Again(PictureSource basis)
    {
        SourceUploads kept = uploads.Of(new PictureRequest { Prompt = "", Source = basis });
        bool isWhole = kept.Source is not null && (basis.Mask is null || kept.Mask is not null || kept.IsTransparency);
        return isWhole ? (basis, kept) : throw UploadProblems.NoSuchUpload(Name);
    }

    private Upload UploadOf(RequestFields source)
    {
        if (source.Text("upload", LongestId) is { } id)
            return uploads.Find(id) ?? throw UploadProblems.NoSuchUpload(source.PathOf("upload"));
        if (source.Text("picture", LongestId) is { } picture) return OfGallery(picture, source.PathOf("picture"));
        if (source.Text("sha256", LongestId) is { } digest)
            return uploads.FindPixels(digest) ?? throw UploadProblems.NoSuchUpload(source.PathOf("sha256"));
        throw Problems.BadValue(
            source.PathOf("upload"), "the source names no picture", "one of upload, picture and sha256", "Send it to /api/v1/uploads.");
    }

    private Upload OfGallery(string picture, string field)
    {
        string path = pathOfPicture(picture) ?? throw Problems.Make(
            404, "no-such-picture", "The gallery has no picture with this id. List the pictures again, or send the file as an upload.",
            inner: null, field);
        try
        {
            return uploads.Add(File.ReadAllBytes(path), Path.GetFileName(path));
        }
        catch (Pictures.PictureFileException exception)
        {
            throw Problems.Refused(exception);
        }
        catch (Exception exception) when (exception is FileNotFoundException or UnauthorizedAccessException)
        {
            throw Problems.Make(404, "no-such-picture", "The picture's file cannot be read. Choose another one.", exception, field);
        }
    }

    private (InpaintMask? Mask, Upload? Upload, byte? Lightest) ReadMask(RequestFields source, Upload picture)
    {
        if (source.IsNone(MaskName) || source.Inner(MaskName, KnownOfMask) is not { } own) return default;
        _ = (own.Text("name", LongestName), own.Whole("width"), own.Whole("height"));
        (MaskImage image, Upload? upload, byte? lightest) = ImageOf(own, picture);
        var mask = new InpaintMask(image)
        {
            Blur = own.Whole("blur", 0, MostMaskBlur) ?? MaskDefaults.Blur,
            Content = RequestWords.Read(own, "content", MaskDefaults.Content),
            OnlyMaskedPadding = own.Whole("onlyMaskedPadding", 0, MostMaskPadding),
            PasteBack = own.Flag("pasteBack") ?? MaskDefaults.PasteBack,
        };
        return (mask, upload, lightest);
    }

    private (MaskImage Image, Upload? Upload, byte? Lightest) ImageOf(RequestFields mask, Upload picture)
    {
        if (mask.Flag("transparency") == true)
        {
            string digest = picture.Transparency ?? throw Problems.BadValue(
                mask.PathOf("transparency"), "the source is opaque", "a source with transparent parts", "Send a mask as an upload.");
            return (MaskImage.Reference(picture.Width, picture.Height, digest), null, picture.TransparencyLightest);
        }

        Upload upload = NamedBy(mask);
        (string sha256, byte lightest) = uploads.MaskFacts(upload);
        return (MaskImage.Reference(upload.Width, upload.Height, sha256), upload, lightest);
    }

    private Upload NamedBy(RequestFields mask)
    {
        if (mask.Text("upload", LongestId) is { } id)
            return uploads.Find(id) ?? throw UploadProblems.NoSuchUpload(mask.PathOf("upload"));
        if (mask.Text("sha256", LongestId) is { } digest)
            return uploads.FindMask(digest) ?? throw UploadProblems.NoSuchUpload(mask.PathOf("sha256"));
        throw Problems.BadValue(
            mask.PathOf("upload"), "the mask names no picture", "one of upload, sha256 and transparency", "Send it to /api/v1/uploads.");
    }
}
