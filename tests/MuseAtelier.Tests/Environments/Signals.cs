using System.Runtime.InteropServices;

namespace MuseAtelier.Tests.Environments;

/// <summary>Sends signals without a program that sends them: on a busy machine the start of one takes long.</summary>
internal static partial class Signals
{
    /// <summary>Sends a signal; does nothing where the process has ended.</summary>
    /// <param name="name">The signal's name as POSIX has it, without SIG.</param>
    /// <param name="process">The number of the process.</param>
    public static void Send(string name, int process) => _ = Kill(process, NumberOf(name));

    private static int NumberOf(string name) => name switch
    {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "TERM" => 15,
        "CONT" => OperatingSystem.IsLinux() ? 18 : 19,
        "TSTP" => OperatingSystem.IsLinux() ? 20 : 18,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
