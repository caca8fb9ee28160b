using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.OpenAi;

/// <summary>
/// Reads images/edits. Beside OpenAI's members it takes those of images/generations and <c>strength</c>. A mask's transparent parts are
/// painted anew.
/// </summary>
/// <param name="reader">Reads the members that generations have, too.</param>
/// <param name="uploads">Keeps the pictures until the job is painted.</param>
internal sealed class ImageEditReader(ImageCallReader reader, UploadStore uploads)
{
    private const string Picture = "image", MaskName = "mask", Fidelity = "input_fidelity";

    // How much is painted anew without a mask, by OpenAI's words for how closely the picture is kept.
    private const float UsualStrength = 0.75f, FaithfulStrength = 0.5f;

    /// <summary>Reads a call.</summary>
    /// <param name="form">The form.</param>
    /// <exception cref="ServerRequestException">A member has no such value, or the server cannot do what it asks.</exception>
    public ImageCall Read(ClientForm form)
    {
        var fields = new ClientFields(form.Texts);
        CheckParts(fields, form.Files);
        FormFile[] pictures = [.. form.Files.Where(file => file.Name is Picture or "image[]")];
        if (pictures.Length == 0)
            throw Problems.BadValue(Picture, "image is missing", "a picture as a file of the form", "Send one.");
        if (pictures.Length > 1)
            throw fields.NotSupported(Picture, "one picture is painted from one other, not from several. Send one.");
        Upload picture = ClientPicture.Guard(Picture, () => uploads.Add(pictures[0].Content, name: null));
        (MaskImage? mask, Upload? ofMask, byte? lightest) = MaskOf(fields, form.Files, picture);
        bool isTransparency = mask is not null && ofMask is null;
        if (picture.HasAlpha && !isTransparency) picture = ClientPicture.AddOpaque(uploads, pictures[0].Content);
        float usual = mask is not null ? 1 : IsFaithful(fields) ? FaithfulStrength : UsualStrength;
        ImageCall call = reader.Read(form.Texts, best => SourceSize.Near(picture.Width, picture.Height, best));
        var source = new PictureSource(SourceImage.Reference(picture.Width, picture.Height, picture.Sha256))
        {
            Strength = fields.Number("strength", 0, 1) ?? usual,
            Mask = mask is null ? null : new InpaintMask(mask),
        };
        PictureRequest request = call.Job.Picture with { Source = source };
        var kept = new SourceUploads(picture.Id, ofMask?.Id, isTransparency, lightest);
        ImageCallReader.Check(request, kept);
        return call with
        {
            Job = call.Job with { Picture = request, Uploads = kept },
            Events = "image_edit",
        };
    }

    private static void CheckParts(ClientFields fields, IReadOnlyList<FormFile> files)
    {
        foreach (FormFile file in files)
        {
            if (file.Name is Picture or "image[]" or MaskName) continue;
            string name = file.Name.Length <= 40 ? file.Name : file.Name[..40];
            throw Problems.BadValue(name, $"the form has a file '{name}'", "image and mask alone", "Leave it out.");
        }

        foreach (string name in (string[])[Picture, "image[]", MaskName])
        {
            if (fields.Find(name) is not null)
                throw Problems.BadValue(name, $"{name} is a text", "a picture as a file of the form", "Send it with a file name.");
        }
    }

    private static bool IsFaithful(ClientFields fields) => fields.Text(Fidelity) switch
    {
        null or "low" => false,
        "high" => true,
        _ => throw fields.Bad(Fidelity, fields.Find(Fidelity)!.Value, "low or high"),
    };

    // DALL-E 2 takes the picture's own transparency where there is no mask.
    private (MaskImage? Image, Upload? Upload, byte? Lightest) MaskOf(
        ClientFields fields, IReadOnlyList<FormFile> files, Upload picture)
    {
        FormFile[] masks = [.. files.Where(file => file.Name == MaskName)];
        if (masks.Length > 1) throw Problems.BadValue(MaskName, "there are several masks", "one", "Send one.");
        if (masks.Length == 1)
        {
            SourceImage image = ClientPicture.Guard(MaskName, () => UploadPixels.SourceOf(masks[0].Content, name: null));
            if (image.Alpha.IsEmpty)
            {
                throw Problems.BadValue(
                    MaskName, "the mask is opaque", "a picture that is transparent where is painted", "Make these parts transparent.");
            }

            Upload upload = uploads.Add(MaskImage.OfTransparency(image));
            (string digest, byte lightest) = uploads.MaskFacts(upload);
            return (MaskImage.Reference(upload.Width, upload.Height, digest), upload, lightest);
        }

        bool isDallE = fields.Text("model")?.StartsWith("dall-e", StringComparison.OrdinalIgnoreCase) == true;
        return isDallE && picture.Transparency is { } transparency
            ? (MaskImage.Reference(picture.Width, picture.Height, transparency), null, picture.TransparencyLightest)
            : default;
    }
}
