namespace MuseAtelier.Server.Adapters;

/// <summary>The names by which clients know LoRAs.</summary>
internal static class LoraNames
{
    /// <summary>The name of a LoRA: its file's, without folder and extension.</summary>
    public static string Of(PictureLora lora) => Path.GetFileNameWithoutExtension(lora.Path);

    /// <summary>A problem in whose message the paths of a request's LoRAs are names: no client is told a path.</summary>
    public static ServerRequestException WithoutPaths(ServerRequestException refused, PictureRequest request)
    {
        string message = request.Loras.Aggregate(
            refused.Problem.Message, (text, lora) => text.Replace(lora.Path, Of(lora), StringComparison.Ordinal));
        return message == refused.Problem.Message
            ? refused
            : new ServerRequestException(refused.Status, refused.Problem with { Message = message }, refused);
    }
}

/// <summary>The members of requests that name LoRAs.</summary>
internal static class LoraFieldNames
{
    /// <summary>The list.</summary>
    public const string List = "loras";
}
