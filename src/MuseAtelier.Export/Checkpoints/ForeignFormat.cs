using System.Globalization;
using System.Text;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>Recognises what people mistake for a safetensors file, so that the message can say what to do.</summary>
internal static class ForeignFormat
{
    /// <summary>The failure for a file that does not open as a safetensors file does.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="head">Its first bytes.</param>
    /// <param name="fileBytes">Its size in bytes.</param>
    public static NotSafetensorsException Recognise(string path, ReadOnlySpan<byte> head, long fileBytes)
    {
        (string? what, string remedy) = Name(head);
        return new NotSafetensorsException(path, fileBytes > head.Length || what is not "a text file" ? what : string.Create(CultureInfo.InvariantCulture, $"a text file of {fileBytes} bytes"), remedy);
    }

    private static (string? What, string Remedy) Name(ReadOnlySpan<byte> head)
    {
        const string again = "The download failed: fetch the file again.";
        const string convert = "Take the .safetensors edition of this model.";
        const string other = "Give the path of the checkpoint itself.";
        if (head.IsEmpty) return ("empty", again);
        if (!head.ContainsAnyExcept((byte)0)) return ("filled with zeros", again);
        if (head.StartsWith("version https://git-lfs"u8)) return ("a git-lfs pointer, not the file that it stands for", "Run 'git lfs pull' in its repository, or download the file from the model's page.");
        if (head.StartsWith("PK\u0003\u0004"u8)) return ("a zip archive, perhaps a PyTorch checkpoint (.ckpt, .pt)", convert);
        if (head.Length > 1 && head[0] == 0x80 && head[1] is >= 2 and <= 5) return ("a Python pickle, perhaps a PyTorch checkpoint (.ckpt, .pt)", convert);
        if (head.StartsWith("GGUF"u8)) return ("a GGUF file", convert);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return ("a PNG picture", other);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return ("a JPEG picture", other);
        if (head.StartsWith("RIFF"u8)) return ("a RIFF file, perhaps a WebP picture", other);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) return ("a gzip archive", "Unpack it first.");
        if (head.StartsWith("7z"u8)) return ("a 7z archive", "Unpack it first.");
        return Text(head, again);
    }

    private static (string? What, string Remedy) Text(ReadOnlySpan<byte> head, string again)
    {
        const string unknown = "Give the path of a checkpoint in the safetensors format.";
        foreach (byte value in head)
        {
            if (value is < 0x20 and not ((byte)'\t' or (byte)'\n' or (byte)'\r')) return (null, unknown);
        }

        string text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)) return ("an HTML page, perhaps a server's error or login page", again);
        if (text.StartsWith('<')) return ("an XML document, perhaps a server's error message", again);
        return text.StartsWith('{') ? ("a JSON document, perhaps a server's error message", again) : ("a text file", unknown);
    }
}
