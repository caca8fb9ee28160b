using System.Runtime.InteropServices;

namespace MuseAtelier.Pictures.Files;

/// <summary>What Unix says of a file and .NET does not: its kind and its owner; and a rename that never replaces.</summary>
internal static partial class UnixFile
{
    private const int AtWorkingFolder = -100, NoFlags = 0, TypeAndOwner = 0x1 | 0x8;

    // Offsets in struct statx, which is the same on every architecture.
    private const int StatxBytes = 256, OwnerAt = 20, ModeAt = 28;

    private const int KindMask = 0xF000;

    private const int Exists = 17;

    /// <summary>Kind and owner of a file, links followed; null where the system does not say (it is Linux that does).</summary>
    public static (string? Kind, uint Owner)? Describe(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        Span<byte> facts = stackalloc byte[StatxBytes];
        try
        {
            if (Statx(AtWorkingFolder, path, NoFlags, TypeAndOwner, ref MemoryMarshal.GetReference(facts)) != 0) return null;
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // An older C library.
            return null;
        }

        string? kind = (BitConverter.ToUInt16(facts[ModeAt..]) & KindMask) switch
        {
            0x1000 => "a pipe",
            0x2000 or 0x6000 => "a device",
            0x4000 => "a folder",
            0xC000 => "a socket",
            _ => null,
        };
        return (kind, BitConverter.ToUInt32(facts[OwnerAt..]));
    }

    /// <summary>Whether the system keeps a file from being replaced by this user because its folder lets only owners do that.</summary>
    /// <param name="file">Full path of the file, which is there.</param>
    /// <param name="folder">Its folder.</param>
    public static bool IsKeptByOthers(string file, string folder)
    {
        if (!OperatingSystem.IsLinux() || (File.GetUnixFileMode(folder) & UnixFileMode.StickyBit) == 0) return false;
        uint user = EffectiveUser();
        return user != 0 && Describe(file) is { } target && Describe(folder) is { } parent && user != target.Owner && user != parent.Owner;
    }

    /// <summary>Gives a file its name, unless something has that name: whoever comes second is told, with no moment in between.</summary>
    /// <param name="file">Full path of the file.</param>
    /// <param name="name">Full path of its name, in the same folder.</param>
    /// <returns>False where the file system knows no hard links, and the name is still to be given.</returns>
    /// <exception cref="IOException">Something has that name.</exception>
    public static bool TryName(string file, string name)
    {
        if (Link(file, name) == 0)
        {
            File.Delete(file);
            return true;
        }

        return Marshal.GetLastPInvokeError() == Exists ? throw new IOException($"The file '{name}' already exists.") : false;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte facts);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string file, string name);
}
