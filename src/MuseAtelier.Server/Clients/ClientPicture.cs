using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Clients;

/// <summary>Reads pictures in the requests of other programs.</summary>
internal static class ClientPicture
{
    private const int Channels = 3;

    /// <summary>A file in base64, with or without the beginning of a data URL.</summary>
    /// <param name="name">The member, for messages.</param>
    /// <param name="value">Its value.</param>
    /// <param name="mostBytes">The most bytes of the file.</param>
    /// <exception cref="ServerRequestException">It is no base64, or too large.</exception>
    public static ReadOnlyMemory<byte> Decode(string name, JsonElement value, int mostBytes)
    {
        if (value.ValueKind != JsonValueKind.String) throw NoPicture(name);
        if (!value.TryGetBytesFromBase64(out byte[]? file)) file = DecodeText(value.GetString()!);
        if (file is null || file.Length == 0) throw NoPicture(name);
        if (file.Length <= mostBytes) return file;
        throw Problems.Make(413, "body-too-large", $"{name} has more than {mostBytes} bytes. Send a smaller picture.", field: name);
    }

    /// <summary>Runs a reader, and refuses a picture that cannot be read with the member that holds it.</summary>
    /// <param name="name">The member.</param>
    /// <param name="read">The reader.</param>
    /// <exception cref="ServerRequestException">The picture cannot be read.</exception>
    public static T Guard<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (PictureFileException exception)
        {
            ServerRequestException refused = Problems.Refused(exception);
            throw new ServerRequestException(refused.Status, refused.Problem with { Field = name }, exception);
        }
    }

    /// <summary>Keeps a picture. Its transparent parts are laid on white, as programs without transparency do.</summary>
    /// <param name="uploads">Keeps it.</param>
    /// <param name="file">The file.</param>
    public static Upload AddOpaque(UploadStore uploads, ReadOnlyMemory<byte> file)
    {
        Upload upload = uploads.Add(file, name: null);
        return upload.HasAlpha ? uploads.Add(OnWhite(uploads.LoadSource(upload))) : upload;
    }

    // Pillow's paste with a mask (src/libImaging/Paste.c, BLEND in src/libImaging/ImagingUtils.h).
    private static SourceImage OnWhite(SourceImage image)
    {
        ReadOnlySpan<byte> from = image.Pixels.Span, alpha = image.Alpha.Span;
        byte[] pixels = new byte[from.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            int opacity = alpha[i / Channels];
            int sum = (from[i] * opacity) + (byte.MaxValue * (byte.MaxValue - opacity)) + 128;
            pixels[i] = (byte)(((sum >> 8) + sum) >> 8);
        }

        return new SourceImage(image.Width, image.Height, pixels);
    }

    private static byte[]? DecodeText(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> trimmed = text.Trim();
        int comma = trimmed.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? trimmed.IndexOf(',') : -1;
        ReadOnlySpan<char> base64 = trimmed[(comma + 1)..];
        byte[] file = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64Chars(base64, file, out int length) ? file[..length] : null;
    }

    private static ServerRequestException NoPicture(string name) => Problems.Make(
        400, "not-a-picture", $"{name} is no picture in base64. Send the whole file; addresses are not fetched.", field: name);
}
