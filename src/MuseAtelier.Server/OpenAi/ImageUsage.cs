using System.Text.Json;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Server.OpenAi;

/// <summary>
/// The tokens of a call: those of CLIP in both prompts. The pictures count none, because they are not made of tokens.
/// </summary>
internal static class ImageUsage
{
    private const int MostTokens = 64 * 75;

    /// <summary>Writes the member <c>usage</c>.</summary>
    public static void Write(Utf8JsonWriter json, PictureRequest request)
    {
        int tokens = Count(request.Prompt, request.PromptSyntax) + Count(request.NegativePrompt, request.PromptSyntax);
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", tokens);
        json.WriteStartObject("input_tokens_details");
        json.WriteNumber("image_tokens", 0);
        json.WriteNumber("text_tokens", tokens);
        json.WriteEndObject();
        json.WriteNumber("output_tokens", 0);
        json.WriteNumber("total_tokens", tokens);
        json.WriteEndObject();
    }

    private static int Count(string prompt, PromptSyntax syntax)
    {
        string text = PromptComments.Strip(prompt, syntax);
        return Math.Min(MostTokens, ClipTokenizer.Shared.EncodeSpan(text, MostTokens).Count);
    }
}
