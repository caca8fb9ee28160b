using System.ComponentModel;
using System.Diagnostics;

namespace MuseAtelier.Cli;

/// <summary>The user's browser.</summary>
internal static class Browser
{
    /// <summary>Opens an address. Does nothing if there is no browser, or no desktop to show it on.</summary>
    /// <returns>Whether the system was asked to open it.</returns>
    public static bool TryOpen(Uri address)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Process.Start(new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true })?.Dispose();
                return true;
            }

            if (!OperatingSystem.IsMacOS() && !HasDesktop) return false;
            // What a browser says must not mix with the lines of muse.
            var start = new ProcessStartInfo(OperatingSystem.IsMacOS() ? "open" : "xdg-open", [address.AbsoluteUri])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            Process.Start(start)?.Dispose();
            return true;
        }
        catch (Exception exception) when (exception is Win32Exception or FileNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool HasDesktop => IsSet("DISPLAY") || IsSet("WAYLAND_DISPLAY");

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 };
}
