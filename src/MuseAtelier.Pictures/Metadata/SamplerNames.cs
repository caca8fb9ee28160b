using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of samplers and models in records and in other programs' texts.</summary>
internal static class SamplerNames
{
    /// <summary>Euler ancestral's name in records.</summary>
    public const string EulerAncestral = "euler_a";

    // "Uniform" is not in this list, because it ends the name of a schedule, "SGM Uniform".
    private static readonly string[] Schedules =
        ["karras", "trailing", "discrete", "normal", "simple", "default", "automatic", "sgm_uniform", "exponential", "beta", "ays", "gits",
            "kl_optimal"];

    private static readonly string[] ModelExtensions = [".safetensors", ".ckpt", ".sft", ".gguf", ".pth", ".pt", ".bin"];

    /// <summary>The name of a request's sampler in records.</summary>
    public static string InRecord(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EulerAncestral;
    }

    /// <summary>A request with the sampler that a record names.</summary>
    /// <param name="request">The request.</param>
    /// <param name="name">The sampler's name in the record.</param>
    /// <exception cref="JsonException">The sampler is unknown.</exception>
    public static PictureRequest WithRecorded(PictureRequest request, string name) =>
        name == EulerAncestral ? request : throw new JsonException($"its sampler is unknown; {EulerAncestral} is known");

    /// <summary>The name of a request's sampler in AUTOMATIC1111's text.</summary>
    public static string InParameters(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return "Euler a";
    }

    /// <summary>Splits a name into the sampler's and, if one follows, the schedule's: "Euler a Karras", "euler_a trailing".</summary>
    public static (string Sampler, string Schedule) Split(string value)
    {
        string trimmed = value.Trim();
        foreach (string schedule in Schedules)
        {
            int at = trimmed.Length - schedule.Length - 1;
            if (at > 0 && trimmed[at] is ' ' or '_' && trimmed.EndsWith(schedule, StringComparison.OrdinalIgnoreCase))
                return (trimmed[..at], trimmed[(at + 1)..]);
        }

        return (trimmed, "");
    }

    /// <summary>
    /// Whether a name means Euler ancestral in some program: Euler a, euler_a, k_euler_ancestral, EulerAncestralDiscreteScheduler.
    /// </summary>
    public static bool IsEulerAncestral(string name)
    {
        string folded = Fold(name);
        if (folded.StartsWith("samplek", StringComparison.Ordinal)) folded = folded["samplek".Length..];
        else if (folded.StartsWith("ke", StringComparison.Ordinal)) folded = folded[1..];
        return folded is "eulera" or "eulerancestral" or "eulerancestraldiscrete" or "eulerancestraldiscretescheduler";
    }

    /// <summary>The name's letters and digits in lower case.</summary>
    public static string Fold(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit).Select(char.ToLowerInvariant));

    /// <summary>A model's name without the folders and the extension that some programs write.</summary>
    public static string Model(string name)
    {
        string file = name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
        foreach (string extension in ModelExtensions)
            if (file.Length > extension.Length && file.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
                return file[..^extension.Length];
        return file;
    }
}
