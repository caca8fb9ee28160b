using System.Globalization;
using System.Text;
using MuseAtelier.Conditioning;

namespace MuseAtelier.Adapters;

/// <summary>
/// Reads the tags by which prompts in AUTOMATIC1111's syntax name LoRAs: <c>&lt;lora:name&gt;</c>, <c>&lt;lora:name:0.8&gt;</c> (both
/// strengths), <c>&lt;lora:name:0.5:0.8&gt;</c> (text encoders, UNet), <c>te=</c> and <c>unet=</c> (AUTOMATIC1111,
/// modules/extra_networks.py, re_extra_net and ExtraNetworkParams; extensions-builtin/Lora/extra_networks_lora.py, activate). The word
/// <c>lyco</c> means the same. Prompts are read without their comments. Takes time linear in the length of the prompt.
/// </summary>
internal static class LoraTags
{
    /// <summary>The tags of a prompt, in their order.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <exception cref="LoraTagException">A tag has no name, or a strength that is no number in range.</exception>
    public static IReadOnlyList<LoraTag> Read(string prompt, string name)
    {
        List<LoraTag> tags = [];
        foreach ((int start, int end) in Find(prompt)) tags.Add(ReadTag(prompt, start, end, name));
        return tags;
    }

    /// <summary>The names in the tags of a prompt, in their order, whether or not the tags can be read.</summary>
    public static IEnumerable<string> NamesIn(string prompt) => Find(prompt).Select(tag => prompt[tag.Start..(tag.End - 1)].Split(':')[1]);

    /// <summary>Whether a prompt has a tag.</summary>
    public static bool IsIn(string prompt) => Find(prompt).Any();

    /// <summary>The prompt without its tags. Nothing takes their place.</summary>
    public static string Strip(string prompt)
    {
        StringBuilder? text = null;
        int from = 0;
        foreach ((int start, int end) in Find(prompt))
        {
            text ??= new StringBuilder(prompt.Length);
            text.Append(prompt, from, start - from);
            from = end;
        }

        return text is null ? prompt : text.Append(prompt, from, prompt.Length - from).ToString();
    }

    /// <summary>
    /// The prompt of a request as it is read: without comments, and without tags if these name LoRAs, with them if they are text because no
    /// folder of LoRAs was given.
    /// </summary>
    public static string TextOf(PictureRequest request)
    {
        string text = PromptComments.Strip(request.Prompt, request.PromptSyntax);
        return request.PromptSyntax == PromptSyntax.A1111 && request.Loras.Any(lora => lora.IsFromPrompt) ? Strip(text) : text;
    }

    // A bracket, a word, a colon, and at least one character before the closing bracket. Other words are tags of other programs.
    private static IEnumerable<(int Start, int End)> Find(string prompt)
    {
        int at = prompt.IndexOf('<', StringComparison.Ordinal);
        while (at >= 0)
        {
            int next = at + 1;
            int colon = next;
            while (colon < prompt.Length && (char.IsLetterOrDigit(prompt[colon]) || prompt[colon] == '_')) colon++;
            if (colon > next && colon < prompt.Length && prompt[colon] == ':')
            {
                int close = prompt.IndexOf('>', colon);
                if (close < 0) yield break;
                if (close > colon + 1)
                {
                    if (prompt[next..colon] is "lora" or "lyco") yield return (at, close + 1);
                    next = close + 1;
                }
            }

            at = prompt.IndexOf('<', next);
        }
    }

    private static LoraTag ReadTag(string prompt, int start, int end, string name)
    {
        string written = prompt[start..end];
        string[] items = written[(written.IndexOf(':', StringComparison.Ordinal) + 1)..^1].Split(':');
        List<string> positional = [];
        Dictionary<string, string> named = [];
        List<string> unread = [];
        foreach (string item in items)
        {
            string[] pair = item.Split('=');
            if (pair.Length != 2) positional.Add(item);
            else if (pair[0] is "te" or "unet") named[pair[0]] = pair[1];
            else unread.Add(item);
        }

        if (positional.Count == 0 || string.IsNullOrWhiteSpace(positional[0])) throw LoraTagException.WithoutName(name, written);
        float text = positional.Count > 1 ? Number(positional[1]) : 1;
        if (named.TryGetValue("te", out string? te)) text = Number(te);
        float unet = positional.Count > 2 ? Number(positional[2]) : text;
        if (named.TryGetValue("unet", out string? other)) unet = Number(other);
        unread.AddRange(positional.Skip(3));
        return new LoraTag(positional[0], unet, text, start, end) { Unread = unread };

        float Number(string value)
        {
            bool isNumber = float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number);
            // NaN is out of range too.
            bool fits = isNumber && LoraRules.IsStrength(number);
            return fits ? number : throw LoraTagException.OfStrength(name, written, value);
        }
    }
}
