namespace MuseAtelier.Pictures;

/// <summary>A program's text says how a picture was made, but in a way from which nothing can be painted here.</summary>
public sealed class PictureTextUnpaintableException(string path, string program, string found)
    : PictureFileException(
        path,
        $"the text of {program} in {path} cannot be painted from: {found}",
        "a text that names the prompt and the settings of one picture",
        "See it with muse info, and give prompt and settings yourself (muse render).")
{
    /// <summary>The program that wrote the text.</summary>
    public string Program { get; } = program;
}

/// <summary>A program's text is longer than any that is read here.</summary>
public sealed class PictureTextTooLongException(string path, int characters, int most)
    : PictureFileException(
        path,
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a text in {path} has {characters:N0} characters"),
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"at most {most:N0}"),
        "Give a picture whose text is shorter: no program writes so much about one picture.")
{
    /// <summary>Characters that the text has.</summary>
    public int Characters { get; } = characters;
}
