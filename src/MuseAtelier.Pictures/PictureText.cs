namespace MuseAtelier.Pictures;

/// <summary>The text in which the program that made a picture recorded how it did so.</summary>
/// <param name="Program">The program, such as <c>ComfyUI</c>.</param>
/// <param name="Keyword">The text's keyword in the file, such as <c>prompt</c>.</param>
/// <param name="Text">The text as it is in the file; untrusted.</param>
public sealed record PictureText(string Program, string Keyword, string Text);
