using System.Runtime.InteropServices;

namespace MuseAtelier.Pictures.Files;

/// <summary>Functions of Unix that .NET does not have: a file's kind and owner, and a rename that never replaces a file.</summary>
internal static partial class UnixFile
{
    private const int AtWorkingFolder = -100;
    private const int NoFlags = 0;
    private const int TypeAndOwner = 0x1 | 0x8;

    // Offsets in struct statx, which has the same layout on every architecture.
    private const int StatxBytes = 256;
    private const int OwnerAt = 20;
    private const int ModeAt = 28;

    private const int KindMask = 0xF000;

    private const int Exists = 17;

    /// <summary>
    /// Kind and owner of a file after following links; null if the system does not report them, as on all systems except Linux. The kind of
    /// a regular file is null.
    /// </summary>
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
            // The C library is too old.
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

    /// <summary>Whether this user may not replace a file because its folder allows that to owners only (the sticky bit).</summary>
    /// <param name="file">Full path of the file, which exists.</param>
    /// <param name="folder">The file's folder.</param>
    public static bool IsKeptByOthers(string file, string folder)
    {
        if (!OperatingSystem.IsLinux() || (File.GetUnixFileMode(folder) & UnixFileMode.StickyBit) == 0) return false;
        uint user = EffectiveUser();
        return user != 0 && Describe(file) is { } target && Describe(folder) is { } parent && user != target.Owner && user != parent.Owner;
    }

    /// <summary>Renames a file atomically unless the name is in use.</summary>
    /// <param name="file">Full path of the file.</param>
    /// <param name="name">Full path of the new name, in the same folder.</param>
    /// <returns>False if the file system has no hard links; the file then keeps its old name.</returns>
    /// <exception cref="IOException">The name is in use.</exception>
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
