using System.Text.Json;
using MuseAtelier.Server.Clients;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>
/// Refuses fields that would change the picture in a way that the server cannot. With values that change nothing they are ignored, because
/// some clients send every field each time.
/// </summary>
internal static class UnsupportedFields
{
    private const string Pictures = "init_images";

    private static readonly (string Name, string Why)[] Flags =
    [
        ("restore_faces", "there is no restorer of faces. Set it to false."),
        ("tiling", "pictures that repeat without a seam cannot be painted. Set it to false."),
    ];

    private static readonly (string Name, string Why)[] Texts =
    [
        ("script_name", "there are no scripts. Leave it out."),
        ("refiner_checkpoint", "there is no refiner. Leave it out."),
        ("infotext", "settings are not read from it. Send them as fields."),
        ("firstpass_image", "the first pass is always painted. Leave it out."),
    ];

    private static readonly (string Name, string Why)[] Lists =
    [
        (Pictures, "txt2img paints from noise alone. Use /sdapi/v1/img2img."),
        ("styles", "there are no styles. Write their texts into the prompt."),
        ("controlnet_units", "there is no ControlNet. Leave it out."),
    ];

    private static readonly (string Name, string Why)[] Numbers =
    [
        ("firstphase_width", "the first pass has the size of width and height. Set it to 0."),
        ("firstphase_height", "the first pass has the size of width and height. Set it to 0."),
        ("seed_resize_from_w", "noise of another size is not used. Set it to 0."),
        ("seed_resize_from_h", "noise of another size is not used. Set it to 0."),
        ("s_min_uncond", "the negative prompt is never left out at small noise. Set it to 0."),
        ("token_merging_ratio", "tokens are not merged. Set it to 0."),
    ];

    // AUTOMATIC1111, modules/sd_samplers_kdiffusion.py, sampler_extra_params.
    private static readonly SamplerName[] WithChurn = [SamplerName.Euler, SamplerName.Heun, SamplerName.Dpm2];

    private static readonly SamplerName[] WithNoise =
    [
        SamplerName.Dpm2Ancestral, SamplerName.Dpmpp2SAncestral, SamplerName.DpmppSde, SamplerName.Dpmpp2MSde, SamplerName.Dpmpp2MSdeHeun,
        SamplerName.Dpmpp3MSde,
    ];

    /// <summary>Checks the fields of a call.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="sampler">The call's sampler, which some fields are for.</param>
    /// <param name="isOver">Whether it is a call of img2img.</param>
    /// <exception cref="ServerRequestException">One of them would change the picture.</exception>
    public static void Check(ClientFields fields, SamplerName sampler, bool isOver)
    {
        foreach ((string name, string why) in Flags) if (fields.Flag(name) == true) throw fields.NotSupported(name, why);
        foreach ((string name, string why) in Texts) if (Says(fields, name)) throw fields.NotSupported(name, why);
        foreach ((string name, string why) in Lists)
            if (!(isOver && name == Pictures) && Holds(fields, name)) throw fields.NotSupported(name, why);
        foreach ((string name, string why) in Numbers)
            if (fields.Number(name, float.MinValue, float.MaxValue) > 0) throw fields.NotSupported(name, why);
        if (WithChurn.Contains(sampler) && fields.Number("s_churn", 0, float.MaxValue) > 0)
            throw fields.NotSupported("s_churn", "no noise is added before a step. Set it to 0.");
        if (WithNoise.Contains(sampler) && fields.Number("s_noise", 0, float.MaxValue) is not (null or 1))
            throw fields.NotSupported("s_noise", "noise has its own strength. Set it to 1.");
        CheckScripts(fields);
    }

    private static void CheckScripts(ClientFields fields)
    {
        if (fields.Inner("alwayson_scripts") is not { } scripts) return;
        foreach (JsonProperty script in scripts.Body.EnumerateObject())
        {
            if (IsSilent(script.Value)) continue;
            throw scripts.NotSupported(Shortened(script.Name), "there are no scripts and no extensions. Leave it out.");
        }
    }

    // A script without arguments, or one whose arguments say that it is off: webuiapi and the Photoshop plugin send such ones.
    private static bool IsSilent(JsonElement script)
    {
        if (script.ValueKind is JsonValueKind.Null) return true;
        bool hasArguments = script.ValueKind == JsonValueKind.Object && script.TryGetProperty("args", out JsonElement found);
        JsonElement arguments = hasArguments ? script.GetProperty("args") : script;
        if (arguments.ValueKind == JsonValueKind.Object) return !arguments.EnumerateObject().Any();
        if (arguments.ValueKind != JsonValueKind.Array) return false;
        bool isOff = arguments.GetArrayLength() > 0 && arguments[0].ValueKind == JsonValueKind.False;
        return isOff || arguments.EnumerateArray().All(IsOff);
    }

    private static bool IsOff(JsonElement argument) => argument.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Object => IsFalse(argument, "enabled") || IsFalse(argument, "enable"),
        _ => false,
    };

    private static bool IsFalse(JsonElement argument, string name) =>
        argument.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.False;

    // Clients write "None" for none.
    private static bool Says(ClientFields fields, string name) =>
        fields.Text(name) is { Length: > 0 } text && !text.Equals("None", StringComparison.OrdinalIgnoreCase);

    private static bool Holds(ClientFields fields, string name)
    {
        if (fields.Find(name) is not { } value) return false;
        return value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(each => each.ValueKind is not JsonValueKind.Null && each.GetRawText() != "\"\"")
            : throw fields.Bad(name, value, "a list");
    }

    private static string Shortened(string name) => name.Length <= 60 ? name : name[..60] + "…";
}
