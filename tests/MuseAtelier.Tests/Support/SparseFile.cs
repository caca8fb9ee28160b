using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MuseAtelier.Tests.Support;

/// <summary>Holes in files: other systems make them by themselves, NTFS where it is asked to.</summary>
internal static partial class SparseFile
{
    private const uint SetSparse = 0x000900C4;

    public static void Mark(FileStream file)
    {
        if (OperatingSystem.IsWindows()) Assert.True(DeviceIoControl(file.SafeFileHandle, SetSparse, 0, 0, 0, 0, out _, 0));
    }

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DeviceIoControl(
        SafeFileHandle file, uint code, nint input, uint inputBytes, nint output, uint outputBytes, out uint returned, nint overlapped);
}
