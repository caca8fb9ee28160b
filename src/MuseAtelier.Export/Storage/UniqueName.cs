namespace MuseAtelier.Export.Storage;

/// <summary>Digits for unique names of files and folders.</summary>
internal static class UniqueName
{
    /// <summary>
    /// Returns twelve hexadecimal digits, which are 48 random bits. They come from a GUID, because .NET needs no OpenSSL for one on Linux.
    /// </summary>
    public static string Digits() => Guid.NewGuid().ToString("N")[..12];
}
