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
        if (new ClientFields(body.RootElement).Find(Field) is not { } image)
            throw Problems.Make(400, "not-a-picture", "image is missing. Send the whole file in base64.", field: Field);
        PictureFileContent content = PictureFile.Read(ClientPicture.Decode(Field, image, limits.UploadBytes));
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
}
