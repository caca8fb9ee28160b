using System.Text;

namespace MuseAtelier.Tools;

/// <summary>Makes a Windows console take UTF-8 while the program runs: its own code page has no letters for many names.</summary>
internal sealed class Utf8Console : IDisposable
{
    private readonly Encoding? _before;

    public Utf8Console()
    {
        if (!OperatingSystem.IsWindows()) return;
        try
        {
            Encoding before = Console.OutputEncoding;
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
            _before = before;
        }
        catch (IOException)
        {
            // A console that refuses, or none at all: the text goes out as it is.
        }
    }

    /// <summary>Restores the code page, which belongs to the window and not to the program.</summary>
    public void Dispose()
    {
        if (_before is null) return;
        try
        {
            Console.OutputEncoding = _before;
        }
        catch (IOException)
        {
            // The window is gone.
        }
    }
}
