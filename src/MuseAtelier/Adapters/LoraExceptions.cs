using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A prompt names a LoRA in a way that cannot be read.</summary>
public sealed class LoraTagException : PictureRequestException
{
    private const int LongestQuote = 60;

    private LoraTagException(string found, string tag)
        : base(
            found,
            "<lora:name>, <lora:name:0.8>, or <lora:name:0.5:0.8> with the strengths of the text encoders and of the UNet, "
                + Invariant($"each from {-LoraRules.LargestStrength} to {LoraRules.LargestStrength}"),
            "Correct the tag, or remove it.") => Tag = tag;

    /// <summary>The tag as the prompt has it.</summary>
    public string Tag { get; }

    internal static LoraTagException WithoutName(string prompt, string tag) =>
        new($"the {prompt} has {Short(tag)}, which names no LoRA", tag);

    internal static LoraTagException OfStrength(string prompt, string tag, string value) =>
        new($"the {prompt} has {Short(tag)}, whose strength '{Short(value)}' is no number in range", tag);

    private static string Short(string text) =>
        (text.Length <= LongestQuote ? text : string.Concat(text.AsSpan(0, LongestQuote), "…")).ReplaceLineEndings(" ");
}

/// <summary>No folder of LoRAs has a file of the name that a prompt or a record asks for.</summary>
public sealed class LoraNotFoundException : PictureRequestException
{
    private const int LongestQuote = 100;

    internal LoraNotFoundException(string name, IReadOnlyList<string> nearest, int files)
        : base(
            $"there is no LoRA called '{(name.Length <= LongestQuote ? name : name[..LongestQuote] + "…").ReplaceLineEndings(" ")}'",
            files == 0
                ? "the name of a file in the folders of LoRAs, which have none"
                : Invariant($"the name without extension, or the alias, of a file in the folders of LoRAs, which have {files}"),
            $"{NearestNames.Question(nearest)} Check the name and its case, or add the file to a folder of LoRAs.".TrimStart())
    {
        Name = name;
        Nearest = nearest;
    }

    /// <summary>The name that was asked for.</summary>
    public string Name { get; }

    /// <summary>Names like it, the nearest first; at most three.</summary>
    public IReadOnlyList<string> Nearest { get; }
}

/// <summary>A folder of LoRAs cannot be read.</summary>
public sealed class LoraFolderException : MuseAtelierException
{
    internal LoraFolderException(string path, Exception? inner = null)
        : base(
            inner is null ? $"there is no folder {path}" : $"the folder {path} cannot be read ({inner.Message.TrimEnd('.')})",
            "a folder of LoRAs that this process may read",
            "Check the path and its permissions.",
            inner) => Path = path;

    /// <summary>The path of the folder.</summary>
    public string Path { get; }
}
