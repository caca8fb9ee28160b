using static System.FormattableString;

namespace MuseAtelier.Pictures;

/// <summary>An image, an upscaler or a LoRA is not the one with which a recorded picture was painted.</summary>
public sealed class SourceMismatchException : MuseAtelierException
{
    private const int ShownDigits = 12;

    private SourceMismatchException(string role, string expectedSha256, string foundSha256, string found, string expected)
        : base(found, expected, Invariant($"Give the {role} with which the picture was painted; to use another one, paint a new picture."))
    {
        Role = role;
        ExpectedSha256 = expectedSha256;
        FoundSha256 = foundSha256;
    }

    /// <summary>What the file is for: source, mask, upscaler or LoRA.</summary>
    public string Role { get; }

    /// <summary>The digest that the record names.</summary>
    public string ExpectedSha256 { get; }

    /// <summary>The digest of what was given.</summary>
    public string FoundSha256 { get; }

    internal static SourceMismatchException Of(SourceImage wanted, SourceImage given) => new(
        "source",
        wanted.Sha256,
        given.Sha256,
        Given("source", given.Name, given.Width, given.Height, given.Sha256),
        Wanted(wanted.Name, wanted.Width, wanted.Height, wanted.Sha256));

    internal static SourceMismatchException Of(MaskImage wanted, MaskImage given) => new(
        "mask",
        wanted.Sha256,
        given.Sha256,
        Given("mask", given.Name, given.Width, given.Height, given.Sha256),
        Wanted(wanted.Name, wanted.Width, wanted.Height, wanted.Sha256));

    internal static SourceMismatchException OfUpscaler(string path, string name, string expected, string found) => new(
        "upscaler",
        expected,
        found,
        $"the upscaler {path} has the SHA-256 {Short(found)}",
        $"{name} with {Short(expected)}");

    internal static SourceMismatchException OfLora(string path, string name, string expected, string found) => new(
        "LoRA",
        expected,
        found,
        $"the LoRA {path} has the SHA-256 {Short(found)}",
        $"{name} with {Short(expected)}");

    private static string Given(string role, string? name, int width, int height, string sha256) =>
        Invariant($"the {role} {name ?? "without a name"} has {width}x{height} px with the digest {Short(sha256)}");

    private static string Wanted(string? name, int width, int height, string sha256) =>
        Invariant($"{name ?? "an image"} of {width}x{height} px with {Short(sha256)}");

    private static string Short(string sha256) => sha256[..ShownDigits] + "…";
}

/// <summary>The file of an upscaler's model, with which a recorded picture was painted, is not given or cannot be read.</summary>
public sealed class UpscalerMissingException : MuseAtelierException
{
    private const string Needed = "the file of the upscaler's model: .safetensors or .pth";

    internal UpscalerMissingException(string name, string? sha256)
        : base(
            $"the picture was enlarged with the upscaler {name}, of which only the name and the digest are known",
            Needed,
            $"Give the file{(sha256 is null ? "" : $", which has the SHA-256 {sha256}")}.")
    {
        Name = name;
        Sha256 = sha256;
    }

    internal UpscalerMissingException(string path, Exception inner)
        : base($"the upscaler {path} cannot be read ({inner.Message.TrimEnd('.')})", Needed, "Check its name and permissions.", inner) =>
            Name = path;

    /// <summary>The name or the path of the file.</summary>
    public string Name { get; }

    /// <summary>The digest that the record names; null if it names none, or if a given file cannot be read.</summary>
    public string? Sha256 { get; }
}

/// <summary>The file of a LoRA, with which a recorded picture was painted, is not given or cannot be read.</summary>
public sealed class LoraMissingException : MuseAtelierException
{
    private const string Needed = "the file of the LoRA, or a folder that has it";

    internal LoraMissingException(string name, string sha256)
        : base(
            $"the picture was painted with the LoRA '{name}', of which only the name and the digest are known",
            Needed,
            $"Give the file, which has the SHA-256 {sha256}, or its folder.")
    {
        Name = name;
        Sha256 = sha256;
    }

    internal LoraMissingException(string path, Exception inner)
        : base($"the LoRA {path} cannot be read ({inner.Message.TrimEnd('.')})", Needed, "Check its name and permissions.", inner) =>
            Name = path;

    /// <summary>The name or the path of the file.</summary>
    public string Name { get; }

    /// <summary>The digest that the record names; null if a given file cannot be read.</summary>
    public string? Sha256 { get; }
}
