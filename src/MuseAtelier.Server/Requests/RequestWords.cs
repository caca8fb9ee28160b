using System.Text.Json;

namespace MuseAtelier.Server.Requests;

/// <summary>The words of wire requests for the choices that have no catalogue of their own.</summary>
internal static class RequestWords
{
    /// <summary>The word for a picture without a frame.</summary>
    public const string NoFrame = "none";

    private const int LongestWord = 256;

    /// <summary>The words for frames, <see cref="NoFrame"/> first.</summary>
    public static IReadOnlyList<string> Frames { get; } = [NoFrame, .. Enum.GetValues<FrameStyle>().Select(WordOf)];

    /// <summary>The words for prompt syntaxes, the default one first.</summary>
    public static IReadOnlyList<string> Syntaxes { get; } =
        [.. Enum.GetValues<PromptSyntax>().OrderBy(syntax => syntax == PromptSyntax.Plain).Select(WordOf)];

    /// <summary>The words for formats of files, the default one first.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["png", "jpeg", "webp"];

    /// <summary>The words for the ways in which a source is brought to a picture's size, the default one first.</summary>
    public static IReadOnlyList<string> Fits { get; } = [.. Enum.GetValues<SourceFit>().Select(WordOf)];

    /// <summary>The words for what a masked part begins with, the default one first.</summary>
    public static IReadOnlyList<string> MaskContents { get; } = [.. Enum.GetValues<MaskedContent>().Select(WordOf)];

    /// <summary>Reads a member of an enumeration by its word.</summary>
    /// <param name="fields">The object.</param>
    /// <param name="name">The member of the object.</param>
    /// <param name="usual">The value if the member is absent.</param>
    /// <exception cref="ServerRequestException">There is no such word.</exception>
    public static T Read<T>(RequestFields fields, string name, T usual) where T : struct, Enum
    {
        if (fields.Text(name, LongestWord) is not { } word) return usual;
        foreach (T value in Enum.GetValues<T>())
            if (WordOf(value).Equals(word, StringComparison.OrdinalIgnoreCase)) return value;
        string[] words = [.. Enum.GetValues<T>().Select(WordOf)];
        throw RequestFields.NoSuchName(fields.PathOf(name), word, words, NearestNames.Of(word, words));
    }

    /// <summary>The word for a frame; <see cref="NoFrame"/> for none.</summary>
    public static string WordOf(PictureFrame? frame) => frame is null ? NoFrame : WordOf(frame.Style);

    /// <summary>The word for a member of an enumeration: its name in lower case with underscores.</summary>
    public static string WordOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
