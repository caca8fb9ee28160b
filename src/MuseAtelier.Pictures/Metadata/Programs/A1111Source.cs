using System.Globalization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The settings of image to image and of inpainting in texts of AUTOMATIC1111's form (AUTOMATIC1111, modules/processing.py,
/// StableDiffusionProcessingImg2Img.init), which writes those of a mask where they are not the usual ones. The picture and its mask are not
/// in the text, so that every setting is named as well.
/// </summary>
/// <param name="draft">Receives the settings.</param>
internal sealed class A1111Source(RequestDraft draft)
{
    public const string
        Area = "Inpaint area",
        AreaPadding = "Masked area padding",
        Content = "Masked content",
        MaskBlur = "Mask blur",
        OnlyMasked = "Only masked",
        Strength = "Denoising strength";

    private const int UsualPadding = 32;

    // Masked content by AUTOMATIC1111's names.
    private static readonly Dictionary<MaskedContent, string> Contents = new()
    {
        [MaskedContent.Original] = "original",
        [MaskedContent.Fill] = "fill",
        [MaskedContent.Noise] = "latent noise",
        [MaskedContent.Nothing] = "latent nothing",
    };

    /// <summary>AUTOMATIC1111's name of a masked content.</summary>
    public static string NameOf(MaskedContent content) => Contents[content];

    /// <summary>The settings of a request's source.</summary>
    public static IEnumerable<(string Name, string Value)> SettingsOf(PictureSource source)
    {
        yield return (Strength, Number(source.Strength));
        if (source.Mask is { } mask)
        {
            if (mask.Blur > 0) yield return (MaskBlur, Number(mask.Blur));
            if (mask.Content != MaskedContent.Original) yield return (Content, NameOf(mask.Content));
            if (mask.OnlyMaskedPadding is { } padding)
            {
                yield return (Area, OnlyMasked);
                yield return (AreaPadding, Number(padding));
            }

            if (!mask.PasteBack) yield return (OwnSettings.PasteBack, "off");
        }

        if (source.Fit != SourceFit.Crop) yield return (OwnSettings.SourceFit, OwnSettings.WordOf(source.Fit));
        PictureMargins margins = source.Extend;
        int[] sides = [margins.Left, margins.Top, margins.Right, margins.Bottom];
        if (margins != default) yield return (OwnSettings.SourceExtend, string.Join(' ', sides.Select(Number)));
    }

    /// <summary>Takes a setting.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>Whether it is one of these settings with a value that can be read.</returns>
    public bool Take(string name, string value)
    {
        ParsedSource known = draft.Source ?? new ParsedSource();
        ParsedSource? source = name switch
        {
            Strength => Share(value) is { } strength ? known with { Strength = strength } : null,
            MaskBlur => Whole(value, RequestRules.WidestBlur) is { } blur ? known with { MaskBlur = blur } : null,
            Content => ContentOf(value) is { } content ? known with { MaskedContent = content } : null,
            Area when value == OnlyMasked => known with { OnlyMaskedPadding = known.OnlyMaskedPadding ?? UsualPadding },
            AreaPadding => Whole(value, RequestRules.WidestPadding) is { } padding ? known with { OnlyMaskedPadding = padding } : null,
            OwnSettings.PasteBack when value == "off" => known with { PasteBack = false },
            OwnSettings.SourceFit => FitOf(value) is { } fit ? known with { Fit = fit } : null,
            OwnSettings.SourceExtend => MarginsOf(value) is { } margins ? known with { Extend = margins } : null,
            _ => null,
        };
        if (source is null) return false;
        draft.Source = source;
        draft.SkipWithoutSource(name, value);
        return true;
    }

    private static MaskedContent? ContentOf(string value)
    {
        foreach ((MaskedContent content, string name) in Contents) if (name == value) return content;
        return null;
    }

    private static SourceFit? FitOf(string value)
    {
        foreach (SourceFit fit in Enum.GetValues<SourceFit>()) if (OwnSettings.WordOf(fit) == value) return fit;
        return null;
    }

    private static PictureMargins? MarginsOf(string value)
    {
        string[] parts = value.Split(' ', 5);
        int?[] sides = [.. parts.Select(part => Whole(part, RequestRules.WidestMargin))];
        return sides is [{ } left, { } top, { } right, { } bottom] ? new PictureMargins(left, top, right, bottom) : null;
    }

    private static float? Share(string value)
    {
        bool isNumber = float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
        return isNumber && number is >= 0 and <= 1 ? number : null;
    }

    private static int? Whole(string value, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= most ? number : null;

    private static string Number<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
