using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Answers with the settings that a picture's file records.</summary>
/// <param name="limits">The limits of uploads.</param>
internal sealed class PngInfo(ServerLimits limits)
{
    private const string Field = "image";

    /// <summary>Reads a picture in base64, with or without the beginning of a data URL.</summary>
    public async Task ReadAsync(HttpContext context)
    {
        // Base64 takes 4 characters for 3 bytes.
        using JsonDocument body = await ClientBody.ReadObjectAsync(context, (limits.UploadBytes / 3 * 4) + limits.BodyBytes);
        var fields = new ClientFields(body.RootElement);
        PictureFileContent content = PictureFile.Read(Decode(fields));
        string text = content.Parameters ?? PictureTexts.Find(content)?.Text ?? "";
        await JsonAnswer.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("info", text);
            json.WriteStartObject("items");
            foreach ((string keyword, string item) in content.Texts)
                if (keyword != ParametersText.Keyword) json.WriteString(keyword, item);
            json.WriteEndObject();
            json.WriteStartObject("parameters");
            foreach ((string name, string value) in ParametersParser.FieldsOf(text)) json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private ReadOnlyMemory<byte> Decode(ClientFields fields)
    {
        ReadOnlySpan<char> text = (fields.Text(Field) ?? "").AsSpan().Trim();
        int comma = text.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? text.IndexOf(',') : -1;
        ReadOnlySpan<char> base64 = text[(comma + 1)..];
        byte[] file = new byte[base64.Length / 4 * 3 + 3];
        bool isBase64 = Convert.TryFromBase64Chars(base64, file, out int length);
        if (!isBase64 || length == 0)
            throw Problems.Make(400, "not-a-picture", "image is not a picture in base64. Send the whole file.", field: Field);
        if (length <= limits.UploadBytes) return file.AsMemory(0, length);
        string message = $"image has more than {limits.UploadBytes} bytes. Send a smaller one.";
        throw Problems.Make(413, "body-too-large", message, field: Field);
    }
}
