namespace MuseAtelier;

/// <summary>The syntax in which prompts are written. It decides what brackets mean, and what happens to long prompts.</summary>
public enum PromptSyntax
{
    /// <summary>Every character is text. The prompt is cut after 75 tokens.</summary>
    Plain,

    /// <summary>
    /// AUTOMATIC1111: <c>(text)</c>, <c>[text]</c> and <c>(text:1.2)</c> weight text, <c>[a:b:0.5]</c> and <c>[a|b]</c> change it between
    /// steps, <c>AND</c> combines prompts, <c>BREAK</c> begins a chunk, and long prompts take up to 64 chunks of 75 tokens.
    /// </summary>
    A1111,

    /// <summary>
    /// ComfyUI: <c>(text)</c> and <c>(text:1.2)</c> weight text, and long prompts take up to 64 chunks of 75 tokens.
    /// </summary>
    Comfy,
}
