using System.Globalization;
using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Jobs;
using MuseAtelier.Server.Models;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.OpenAi;

/// <summary>
/// Reads images/generations. Beside OpenAI's members it takes <c>negative_prompt</c>, <c>seed</c>, <c>steps</c> and <c>guidance</c>.
/// </summary>
/// <param name="shelf">The models.</param>
/// <param name="loras">Has the LoRAs that prompts name.</param>
/// <param name="limits">The limits of a request.</param>
internal sealed class ImageCallReader(IModelShelf shelf, LoraCatalog loras, ServerLimits limits)
{
    private const int MostPartialPictures = 3;

    private static readonly Dictionary<string, string> Names = new()
    {
        ["width"] = "size",
        ["height"] = "size",
        ["negativePrompt"] = "negative_prompt",
        ["source"] = "image",
        ["source.strength"] = "strength",
        ["source.mask"] = "mask",
    };

    /// <summary>Refuses a request that cannot be painted, by OpenAI's names of its members.</summary>
    /// <param name="request">The request.</param>
    /// <param name="uploads">The pictures that it is painted from.</param>
    /// <exception cref="ServerRequestException">The request is out of range.</exception>
    public static void Check(PictureRequest request, SourceUploads uploads) => ClientRequest.Check(request, uploads, Names);

    /// <summary>Reads a call.</summary>
    /// <param name="body">The body.</param>
    /// <param name="usualSize">
    /// The size of a call that names none, by the side in px that the model paints best; null means a square of that side.
    /// </param>
    /// <exception cref="ServerRequestException">A member has no such value, or the server cannot do what it asks.</exception>
    public ImageCall Read(JsonElement body, Func<int, (int Width, int Height)>? usualSize = null)
    {
        var fields = new ClientFields(body);
        CheckUnsupported(fields);
        ShelfModel? model = ModelOf(fields);
        string word = fields.Text("quality") ?? "auto";
        ImageQuality quality = ImageQuality.Find(word) ?? throw Unknown(fields, "quality", $"one of {ImageQuality.Words}");
        PictureFormat format = FormatOf(fields);
        long? compression = fields.Whole("output_compression", 0, 100);
        bool streams = fields.Flag("stream") ?? false;
        bool sendsAddresses = SendsAddresses(fields);
        if (streams && sendsAddresses)
            throw Unknown(fields, "response_format", "b64_json, because a stream has the pictures themselves");
        return new ImageCall
        {
            Job = new JobRequest
            {
                Picture = ReadRequest(fields, quality, model ?? shelf.Current, usualSize ?? (best => (best, best))),
                Count = (int?)fields.Whole("n", 1, limits.Count) ?? 1,
                Model = model?.Id,
                IsKept = sendsAddresses,
                Format = format,
                Quality = format == PictureFormat.Png || compression is null ? null : (int)Math.Max(1, compression.Value),
                Origin = "openai",
            },
            SendsAddresses = sendsAddresses,
            Streams = streams,
            PartialPictures = (int?)fields.Whole("partial_images", 0, MostPartialPictures) ?? 0,
            Quality = quality.Used,
        };
    }

    // With these values, the members change nothing here: moderation, user, safety_identifier and complexity have none that would.
    private static void CheckUnsupported(ClientFields fields)
    {
        if (fields.Text("background") is not (null or "auto" or "opaque"))
            throw fields.NotSupported("background", "pictures have no transparent parts. Set it to opaque.");
        if (fields.Text("style") is not (null or "vivid"))
            throw fields.NotSupported("style", "describe the style in the prompt, and leave it out.");
        if (fields.Find("svg") is not null) throw fields.NotSupported("svg", "pictures are not drawn in lines. Leave it out.");
    }

    private PictureRequest ReadRequest(
        ClientFields fields, ImageQuality quality, ShelfModel? model, Func<int, (int Width, int Height)> usualSize)
    {
        if (fields.Find("prompt") is null) throw Problems.BadValue("prompt", "prompt is missing", "a text", "Describe the picture.");
        (int width, int height) = SizeOf(fields, () => usualSize(model?.BestSize ?? 1024));
        var request = new PictureRequest
        {
            Prompt = fields.Prompt("prompt", limits.PromptCharacters),
            NegativePrompt = fields.Prompt("negative_prompt", limits.PromptCharacters),
            Seed = fields.Seed("seed") ?? DrawnSeed.Next(),
            Steps = (int?)fields.Whole("steps", 1, RequestRules.MostSteps) ?? quality.Steps,
            GuidanceScale = fields.Number("guidance", 0, RequestRules.LargestGuidanceScale) ?? 7,
            Width = width,
            Height = height,
        };
        Check(request, uploads: default);
        if ((long)width * height <= limits.Pixels) return loras.Resolve(request);
        throw Problems.BadValue("size", $"the size is {width}x{height} px", $"at most {limits.Pixels} px in all", "Ask for a smaller one.");
    }

    private static (int Width, int Height) SizeOf(ClientFields fields, Func<(int Width, int Height)> usual)
    {
        if (fields.Text("size") is not { } text || text is "auto" or "") return usual();
        string[] sides = text.Split('x');
        bool isSize = sides.Length == 2 & int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            & int.TryParse(sides[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int height);
        return isSize ? (width, height) : throw Unknown(fields, "size", "auto, or a size like 1024x1024");
    }

    private static PictureFormat FormatOf(ClientFields fields)
    {
        string word = fields.Text("output_format") ?? "png";
        if (word is "gif" or "svg") throw fields.NotSupported("output_format", "pictures are png, jpeg or webp. Choose one of these.");
        return ImageFormats.Find(word) ?? throw Unknown(fields, "output_format", "png, jpeg or webp");
    }

    // OpenAI's older models answer with addresses unless they are asked for something else, its newer ones with pictures always.
    private static bool SendsAddresses(ClientFields fields)
    {
        bool isOlder = fields.Text("model")?.StartsWith("dall-e", StringComparison.OrdinalIgnoreCase) == true;
        return fields.Text("response_format") switch
        {
            null => isOlder && fields.Flag("stream") != true,
            "url" => true,
            "b64_json" => false,
            _ => throw Unknown(fields, "response_format", "url or b64_json"),
        };
    }

    private ShelfModel? ModelOf(ClientFields fields)
    {
        const string name = "model";
        string text = fields.Text(name)?.Trim() ?? "";
        if (text.Length == 0) return null;
        if (shelf.Find(text) is { } found) return found;
        if (ImageModels.IsOpenAis(text)) return null;
        throw ImageModels.Missing(ClientFields.Quote(fields.Find(name)!.Value), name);
    }

    private static ServerRequestException Unknown(ClientFields fields, string name, string expected) =>
        Problems.BadValue(
            name,
            $"{name} is {(fields.Find(name) is { } value ? ClientFields.Quote(value) : "missing")}",
            expected,
            "Correct it, or leave it out.");
}
