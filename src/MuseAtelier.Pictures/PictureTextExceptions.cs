using static System.FormattableString;

namespace MuseAtelier.Pictures;

/// <summary>A program's text describes how a picture was made, but no picture can be painted from it.</summary>
public sealed class PictureTextUnpaintableException : PictureFileException
{
    internal PictureTextUnpaintableException(string path, string program, string found)
        : base(
            path,
            $"the text of {program} in {path} cannot be painted from: {found}",
            "a text with the prompt and the settings of one picture",
            $"Read it in {nameof(PictureFileContent)}.{nameof(PictureFileContent.Texts)}, and set prompt and settings in a "
                + $"{nameof(PictureRequest)}.") => Program = program;

    /// <summary>The program that wrote the text.</summary>
    public string Program { get; }
}

/// <summary>A program's text is too long to be read.</summary>
public sealed class PictureTextTooLongException : PictureFileException
{
    internal PictureTextTooLongException(string path, int characters, int most)
        : base(
            path,
            Invariant($"a text in {path} has {characters:N0} characters"),
            Invariant($"at most {most:N0}"),
            "Use a picture with a shorter text: no program writes that much about one picture.") => Characters = characters;

    /// <summary>The number of characters of the text.</summary>
    public int Characters { get; }
}
