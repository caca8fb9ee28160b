namespace MuseAtelier;

/// <summary>The digests by which records name images.</summary>
internal static class ImageDigest
{
    private const int Length = 64;

    /// <summary>Checks that a text is a SHA-256 digest in lower-case hex.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static void Check(string sha256)
    {
        ArgumentNullException.ThrowIfNull(sha256);
        if (sha256.Length != Length || !sha256.All(char.IsAsciiHexDigitLower))
            throw new ArgumentException("A digest has 64 lower-case hexadecimal digits.", nameof(sha256));
    }
}
