using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Recognises files of other formats that are given in place of a safetensors file, so that the message can name a remedy.
/// </summary>
internal static class ForeignFormat
{
    private const string TextFile = "a text file";
    private const string Again = "The download failed: fetch the file again.";
    private const string Convert = "Take the .safetensors edition of this model.";
    private const string Other = "Give the path of the checkpoint itself.";
    private const string Unpack = "Unpack it first.";
    private const string Pull = "Run 'git lfs pull' in its repository, or download the file from the model's page.";

    /// <summary>Creates the failure for a file that does not begin like a safetensors file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="head">Its first bytes.</param>
    /// <param name="fileBytes">Its size in bytes.</param>
    public static NotSafetensorsException Recognise(string path, ReadOnlySpan<byte> head, long fileBytes)
    {
        (string? format, string remedy) = Name(head);
        // A text file that ends within its first bytes is short; its size helps to recognise it.
        bool isShortText = fileBytes <= head.Length && format is TextFile;
        return new NotSafetensorsException(path, isShortText ? Invariant($"a text file of {fileBytes} bytes") : format, remedy);
    }

    private static (string? Format, string Remedy) Name(ReadOnlySpan<byte> head)
    {
        if (head.IsEmpty) return ("empty", Again);
        if (!head.ContainsAnyExcept((byte)0)) return ("filled with zeros", Again);
        if (head.StartsWith("version https://git-lfs"u8)) return ("a git-lfs pointer, not the file that it stands for", Pull);
        if (head.StartsWith("PK\u0003\u0004"u8)) return ("a zip archive, perhaps a PyTorch checkpoint (.ckpt, .pt)", Convert);
        if (IsPickle(head)) return ("a Python pickle, perhaps a PyTorch checkpoint (.ckpt, .pt)", Convert);
        if (head.StartsWith("GGUF"u8)) return ("a GGUF file", Convert);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])) return ("a PNG picture", Other);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) return ("a JPEG picture", Other);
        if (head.StartsWith("RIFF"u8)) return ("a RIFF file, perhaps a WebP picture", Other);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) return ("a gzip archive", Unpack);
        if (head.StartsWith("7z"u8)) return ("a 7z archive", Unpack);
        return Text(head);
    }

    // The PROTO opcode, then a protocol version from 2 to 5.
    private static bool IsPickle(ReadOnlySpan<byte> head) => head.Length > 1 && head[0] == 0x80 && head[1] is >= 2 and <= 5;

    private static (string? Format, string Remedy) Text(ReadOnlySpan<byte> head)
    {
        const string unknown = "Give the path of a checkpoint in the safetensors format.";
        foreach (byte value in head)
        {
            if (value is < 0x20 and not ((byte)'\t' or (byte)'\n' or (byte)'\r')) return (null, unknown);
        }

        string text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        bool isHtml = text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
        if (isHtml) return ("an HTML page, perhaps a server's error or login page", Again);
        if (text.StartsWith('<')) return ("an XML document, perhaps a server's error message", Again);
        return text.StartsWith('{') ? ("a JSON document, perhaps a server's error message", Again) : (TextFile, unknown);
    }
}
