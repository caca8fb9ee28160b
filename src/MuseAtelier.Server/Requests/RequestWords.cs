using System.Text.Json;

namespace MuseAtelier.Server.Requests;

/// <summary>The words of wire requests for the choices that have no catalogue of their own.</summary>
internal static class RequestWords
{
    /// <summary>The word for a picture without a frame.</summary>
    public const string NoFrame = "none";

    /// <summary>The words for frames, <see cref="NoFrame"/> first.</summary>
    public static IReadOnlyList<string> Frames { get; } = [NoFrame, .. Enum.GetValues<FrameStyle>().Select(WordOf)];

    /// <summary>The words for prompt syntaxes, the default one first.</summary>
    public static IReadOnlyList<string> Syntaxes { get; } =
        [.. Enum.GetValues<PromptSyntax>().OrderBy(syntax => syntax == PromptSyntax.Plain).Select(WordOf)];

    /// <summary>The words for formats of files, the default one first.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["png", "jpeg", "webp"];

    /// <summary>The word for a frame; <see cref="NoFrame"/> for none.</summary>
    public static string WordOf(PictureFrame? frame) => frame is null ? NoFrame : WordOf(frame.Style);

    /// <summary>The word for a member of an enumeration: its name in lower case with underscores.</summary>
    public static string WordOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
