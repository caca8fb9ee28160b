using System.Text;

namespace MuseAtelier;

/// <summary>
/// Takes comments out of prompts before anything else is read in them. AUTOMATIC1111: from <c>#</c> to the end of the line
/// (modules/processing_scripts/comments.py, strip_comments). ComfyUI: <c>// to the end of the line</c> and <c>/* over several lines */</c>,
/// which its page leaves out before it sends a prompt (ComfyUI_frontend, formatUtil.ts, stripComments). Plain prompts have none. Takes time
/// linear in the length of the prompt.
/// </summary>
internal static class PromptComments
{
    /// <summary>The prompt without its comments.</summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    /// <param name="syntax">Its syntax.</param>
    public static string Strip(string prompt, PromptSyntax syntax) => syntax switch
    {
        PromptSyntax.A1111 => StripA1111(prompt),
        PromptSyntax.Comfy => StripComfy(prompt),
        _ => prompt,
    };

    // A line break takes the place of a comment. Of a line that is nothing but a comment, AUTOMATIC1111 also takes the break before it,
    // unless it belongs to such a line as well.
    private static string StripA1111(string prompt)
    {
        int at = prompt.IndexOf('#', StringComparison.Ordinal);
        if (at < 0) return prompt;
        var text = new StringBuilder(prompt.Length);
        int from = 0;
        bool isAfterWhole = false;
        for (; at >= 0; at = prompt.IndexOf('#', from))
        {
            bool isWhole = (at == 0 || prompt[at - 1] == '\n') && !(isAfterWhole && at == from);
            text.Append(prompt, from, at - from);
            if (!isWhole || at == 0) text.Append('\n');
            int end = prompt.IndexOf('\n', at);
            from = end < 0 ? prompt.Length : end + 1;
            isAfterWhole = isWhole;
        }

        return text.Append(prompt, from, prompt.Length - from).ToString();
    }

    // Nothing takes the place of these comments. A comment that is not closed is text.
    private static string StripComfy(string prompt)
    {
        if (!prompt.Contains('/', StringComparison.Ordinal)) return prompt;
        var text = new StringBuilder(prompt.Length);
        bool isClosedLater = true;
        int from = 0;
        for (int at = 0; (at = prompt.IndexOf('/', at)) >= 0;)
        {
            int end = At(at + 1) switch
            {
                '*' when isClosedLater => EndOfBlock(at),
                '/' => EndOfLine(at),
                _ => -1,
            };
            if (end < 0)
            {
                at++;
                continue;
            }

            text.Append(prompt, from, at - from);
            from = at = end;
        }

        return text.Append(prompt, from, prompt.Length - from).ToString();

        char At(int index) => index < prompt.Length ? prompt[index] : '\0';

        int EndOfBlock(int start)
        {
            int close = prompt.IndexOf("*/", start + 2, StringComparison.Ordinal);
            isClosedLater = close >= 0;
            return isClosedLater ? close + 2 : -1;
        }

        // What JavaScript calls the end of a line.
        int EndOfLine(int start)
        {
            int length = prompt.AsSpan(start).IndexOfAny("\n\r\u2028\u2029");
            return length < 0 ? prompt.Length : start + length;
        }
    }
}
