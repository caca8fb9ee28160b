namespace MuseAtelier.Export.Storage;

/// <summary>Digits for names of files and folders that nothing else has.</summary>
internal static class UniqueName
{
    /// <summary>
    /// Twelve hexadecimal digits, 48 bits from the system's random numbers. By way of a GUID, for which .NET needs no OpenSSL on Linux.
    /// </summary>
    public static string Digits() => Guid.NewGuid().ToString("N")[..12];
}
