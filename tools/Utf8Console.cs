using System.Text;

namespace MuseAtelier.Tools;

/// <summary>Sets a Windows console to UTF-8 while the program runs, because its code page lacks the letters of many names.</summary>
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
            // There is no console, or it refuses. The text is written unchanged.
        }
    }

    /// <summary>Restores the code page, because it belongs to the window rather than to the program.</summary>
    public void Dispose()
    {
        if (_before is null) return;
        try
        {
            Console.OutputEncoding = _before;
        }
        catch (IOException)
        {
            // The window is closed.
        }
    }
}
