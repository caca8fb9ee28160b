using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A second pass at a higher resolution that is out of range, or whose upscaler is missing.</summary>
public sealed class HiresException : PictureRequestException
{
    private const int ShownDigits = 12;

    private HiresException(string found, string expected, string remedy) : base(found, expected, remedy) { }

    internal static HiresException OfScale(float scale) => new(
        Invariant($"the second pass enlarges by the factor {scale}"),
        Invariant($"a factor above 1 and up to {HiresRules.LargestScale}"),
        "The usual factor is 2.");

    internal static HiresException OfStrength(float strength) => new(
        Invariant($"the strength of the second pass is {strength}"),
        "a number above 0 and up to 1",
        "The usual strength is 0.5.");

    internal static HiresException TooLarge(float scale, int width, int height, double largest) => new(
        Invariant($"the second pass, enlarged by the factor {scale}, has {width}x{height} px"),
        Invariant($"at most {RequestRules.LargestSide} px a side"),
        Invariant($"The largest factor for this size is {largest}."));

    internal static HiresException TooSmall(float scale, int width, int height) => new(
        Invariant($"the second pass, enlarged by the factor {scale}, has {width}x{height} px, which is no larger than the first"),
        Invariant($"a larger size; sides are multiples of {RequestRules.SizeMultiple}"),
        "Raise the factor, or leave the second pass out.");

    internal static HiresException Masked() => new(
        "a second pass is asked for together with a mask or an extension of the source",
        "one of the two",
        "Paint the masked or extended picture first, then paint from the result without a mask.");

    internal static HiresException OtherFile(string path, string expected, string found) => new(
        $"the upscaler at {path} has the digest {found[..ShownDigits]}",
        $"the file that the request names by the digest {Shorten(expected)}",
        "Give that file, or leave the digest out to take this one.");

    internal static HiresException NoFile(string path) => new(
        $"there is no upscaler at {path}",
        "a .safetensors or .pth file",
        "Correct the path, or take one of the ways that need no file, such as latent or lanczos.");

    private static string Shorten(string digest) => digest.Length <= ShownDigits ? digest : digest[..ShownDigits];
}
