using static System.FormattableString;

namespace MuseAtelier;

/// <summary>A LoRA of a request that is out of range, is missing, or is another file than the request names.</summary>
public sealed class RequestLoraException : PictureRequestException
{
    private const int ShownDigits = 12;

    private RequestLoraException(string found, string expected, string remedy) : base(found, expected, remedy) { }

    internal static RequestLoraException TooMany(int count) => new(
        Invariant($"the request has {count} LoRAs"),
        Invariant($"at most {LoraRules.Most}"),
        "Leave some out, or merge some into the model (muse-export --lora).");

    internal static RequestLoraException OfStrength(string path, string name, float strength) => new(
        Invariant($"the {name} of the LoRA {Path.GetFileNameWithoutExtension(path)} is {strength}"),
        Invariant($"a number from {-LoraRules.LargestStrength} to {LoraRules.LargestStrength}"),
        "The usual strength is 1; 0 is the same as leaving the LoRA out.");

    internal static RequestLoraException NoPath(int index) => new(
        Invariant($"the LoRA {index + 1} of the request has no path"),
        "the path of a .safetensors file",
        "Name the file.");

    internal static RequestLoraException OfDigest(string path, string digest) => new(
        Invariant($"the request names the LoRA at {path} by the digest {Shorten(digest)}"),
        "a SHA-256: 64 lower-case hex digits",
        "Correct the digest, or leave it out to take the file as it is.");

    internal static RequestLoraException NoFile(string path) => new(
        $"there is no LoRA at {path}",
        "a .safetensors file",
        "Correct the path, or leave the LoRA out.");

    internal static RequestLoraException OtherFile(string path, string expected, string found) => new(
        $"the LoRA at {path} has the digest {Shorten(found)}",
        $"the file that the request names by the digest {Shorten(expected)}",
        "Give that file, or leave the digest out to take this one.");

    private static string Shorten(string digest) => digest.Length <= ShownDigits ? digest : digest[..ShownDigits];
}
