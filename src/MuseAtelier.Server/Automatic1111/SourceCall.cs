using System.Text.Json;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// Reads the picture and the mask of img2img, with AUTOMATIC1111's defaults (modules/processing.py,
/// StableDiffusionProcessingImg2Img, and modules/api/models.py).
/// </summary>
/// <param name="uploads">Keeps the pictures until the job is painted.</param>
/// <param name="limits">The limits of pictures.</param>
internal sealed class SourceCall(UploadStore uploads, ServerLimits limits)
{
    private const string Pictures = "init_images", MaskName = "mask", FullRegion = "inpaint_full_res";
    private const int UsualBlur = 4;
    private const byte Half = 128;

    // Its values 0 to 3.
    private static readonly MaskedContent[] Contents =
        [MaskedContent.Fill, MaskedContent.Original, MaskedContent.Noise, MaskedContent.Nothing];

    // resize_mode: just resize, crop and resize, resize and fill.
    private static readonly SourceFit[] Fits = [SourceFit.Stretch, SourceFit.Crop, SourceFit.Pad];

    /// <summary>Reads the source.</summary>
    /// <param name="fields">The fields of the call.</param>
    /// <returns>The source by its digests, and the uploads.</returns>
    /// <exception cref="ServerRequestException">A field has no such value, or the server cannot do what it asks.</exception>
    public (PictureSource Source, SourceUploads Uploads) Read(ClientFields fields)
    {
        CheckUnsupported(fields);
        long fit = fields.Whole("resize_mode", 0, 3) ?? 0;
        if (fit >= Fits.Length)
            throw fields.NotSupported("resize_mode", "latents of pictures are not resized. Choose 0, 1 or 2.");
        float strength = fields.Number("denoising_strength", 0, 1) ?? 0.75f;
        Upload picture = PictureOf(fields);
        (InpaintMask? mask, Upload? ofMask, byte? lightest) = MaskOf(fields);
        var source = new PictureSource(SourceImage.Reference(picture.Width, picture.Height, picture.Sha256))
        {
            Fit = Fits[fit],
            Strength = strength,
            Mask = mask,
        };
        return (source, new SourceUploads(picture.Id, ofMask?.Id, IsTransparency: false, lightest));
    }

    private static void CheckUnsupported(ClientFields fields)
    {
        if (fields.Number("initial_noise_multiplier", 0, float.MaxValue) is not (null or 1))
            throw fields.NotSupported("initial_noise_multiplier", "the first noise has its own strength. Set it to 1.");
        if (fields.Flag("mask_round") == false)
            throw fields.NotSupported("mask_round", "masks of latents are rounded. Set it to true.");
        if (fields.Find("latent_mask") is not null)
            throw fields.NotSupported("latent_mask", "there is one mask. Send it as mask.");
    }

    private Upload PictureOf(ClientFields fields)
    {
        if (fields.Find(Pictures) is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() == 0)
            throw Problems.Make(404, "bad-value", $"Init image not found: {Pictures} is empty.", field: Pictures);
        if (list.GetArrayLength() > 1)
            throw fields.NotSupported(Pictures, "one picture is painted from one other. Send them in calls of their own.");
        ReadOnlyMemory<byte> file = ClientPicture.Decode(Pictures, list[0], limits.UploadBytes);
        // AUTOMATIC1111 lays transparent parts on white (modules/images.py, flatten, with its option img2img_background_color).
        return ClientPicture.Guard(Pictures, () => ClientPicture.AddOpaque(uploads, file));
    }

    private (InpaintMask? Mask, Upload? Upload, byte? Lightest) MaskOf(ClientFields fields)
    {
        if (fields.Find(MaskName) is not { } value || (value.ValueKind == JsonValueKind.String && value.ValueEquals(""))) return default;
        ReadOnlyMemory<byte> file = ClientPicture.Decode(MaskName, value, limits.UploadBytes);
        bool isInverted = fields.Whole("inpainting_mask_invert", 0, 1) == 1;
        MaskImage image = ClientPicture.Guard(MaskName, () => BinaryMask(UploadPixels.SourceOf(file, name: null), file, isInverted));
        Upload upload = uploads.Add(image);
        // The upload's own digest is that of its file as a mask, which is the same.
        (string digest, byte lightest) = uploads.MaskFacts(upload);
        bool isRegion = fields.Flag(FullRegion) ?? true;
        int padding = (int?)fields.Whole("inpaint_full_res_padding", 0, SourceFields.MostMaskPadding) ?? 0;
        var mask = new InpaintMask(MaskImage.Reference(upload.Width, upload.Height, digest))
        {
            Blur = BlurOf(fields),
            Content = Contents[fields.Whole("inpainting_fill", 0, Contents.Length - 1) ?? 0],
            OnlyMaskedPadding = isRegion ? padding : null,
        };
        return (mask, upload, lightest);
    }

    // mask_blur sets both directions.
    private static int BlurOf(ClientFields fields)
    {
        int? both = (int?)fields.Whole("mask_blur", 0, SourceFields.MostMaskBlur);
        int x = both ?? (int?)fields.Whole("mask_blur_x", 0, SourceFields.MostMaskBlur) ?? UsualBlur;
        int y = both ?? (int?)fields.Whole("mask_blur_y", 0, SourceFields.MostMaskBlur) ?? UsualBlur;
        if (x == y) return x;
        throw fields.NotSupported("mask_blur_x", "the blur is the same in both directions. Set mask_blur_y to the same.");
    }

    // AUTOMATIC1111, modules/processing.py, create_binary_mask: by opacity if something is transparent, else by luminance.
    private static MaskImage BinaryMask(SourceImage image, ReadOnlyMemory<byte> file, bool isInverted)
    {
        byte[] pixels = image.Alpha.IsEmpty ? UploadPixels.MaskOf(file, name: null).Pixels.ToArray() : image.Alpha.ToArray();
        foreach (ref byte pixel in pixels.AsSpan())
        {
            if (!image.Alpha.IsEmpty) pixel = pixel > Half ? byte.MaxValue : (byte)0;
            if (isInverted) pixel = (byte)(byte.MaxValue - pixel);
        }

        return new MaskImage(image.Width, image.Height, pixels);
    }
}
