namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of samplers and models in other programs' texts.</summary>
internal static class SamplerNames
{
    // "Uniform" is not in this list, because it ends the name of a schedule, "SGM Uniform".
    private static readonly string[] Schedules =
        ["karras", "trailing", "discrete", "normal", "simple", "default", "automatic", "sgm_uniform", "exponential", "beta", "ays", "gits",
            "kl_optimal"];

    private static readonly string[] ModelExtensions = [".safetensors", ".ckpt", ".sft", ".gguf", ".pth", ".pt", ".bin"];

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
