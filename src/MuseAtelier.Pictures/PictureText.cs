namespace MuseAtelier.Pictures;

/// <summary>The text by which the program that made a picture says how it did so.</summary>
/// <param name="Program">The program, such as <c>ComfyUI</c>.</param>
/// <param name="Keyword">Under which keyword the file carries the text, such as <c>prompt</c>.</param>
/// <param name="Text">The text as the file carries it; another program's, and so nothing to trust.</param>
public sealed record PictureText(string Program, string Keyword, string Text);
