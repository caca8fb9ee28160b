namespace MuseAtelier.Pictures;

/// <summary>The text in which the program that made a picture recorded how it did so.</summary>
public sealed record PictureText
{
    internal PictureText(string program, string keyword, string text) => (Program, Keyword, Text) = (program, keyword, text);

    /// <summary>The program, such as <c>ComfyUI</c>.</summary>
    public string Program { get; init; }

    /// <summary>The text's keyword in the file, such as <c>prompt</c>.</summary>
    public string Keyword { get; init; }

    /// <summary>The text as it is in the file; untrusted.</summary>
    public string Text { get; init; }
}
